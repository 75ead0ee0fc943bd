from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from irnet_ray.crystal import crystal
from irnet_ray.features import ordering
from irnet_ray.features.ordering import ordering_parameters, shell_weights
from irnet_ray.features.tessellation import tessellate


def members_of(elements):
    present, element_of = np.unique(elements, return_inverse=True)
    return np.eye(len(present))[element_of]


def random_crystal(seed, atoms):
    generator = np.random.default_rng(seed)
    lattice = np.diag(generator.uniform(3, 5, 3)) + generator.uniform(-1, 1, (3, 3))
    grid = np.array(list(itertools.product((0.0, 0.5), repeat=3)))[:atoms]
    return crystal(lattice, grid + generator.uniform(0, 0.2, grid.shape), np.arange(atoms) % 3)


CRYSTALS = [random_crystal(0, 1), random_crystal(1, 2), random_crystal(2, 4)]


def paths(faces, steps, visited):
    """All self-avoiding paths, as their ends and weights."""
    site, image = visited[-1]
    for neighbour, shift, weight in faces[site]:
        there = (neighbour, tuple(np.add(image, shift).tolist()))
        if there in visited:
            continue
        if steps == 1:
            yield neighbour, weight
        else:
            for end, rest in paths(faces, steps - 1, (*visited, there)):
                yield end, weight * rest


def listed_weights(tessellation, members, steps):
    """The definition, path by path."""
    count = len(members)
    faces: dict[int, list] = {site: [] for site in range(count)}
    for site, neighbour, image, area in zip(
        tessellation.sites, tessellation.neighbours, tessellation.images, tessellation.areas, strict=True
    ):
        largest = tessellation.areas[tessellation.sites == site].max()
        faces[int(site)].append((int(neighbour), image, area / largest))
    sums = np.zeros_like(members)
    for site in range(count):
        for end, weight in paths(faces, steps, ((site, (0, 0, 0)),)):
            sums[site] += weight * members[end]
    return sums


@pytest.mark.parametrize("whole", CRYSTALS, ids=len)
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_shells_are_the_ends_of_self_avoiding_paths(whole, steps):
    tessellation, members = tessellate(whole), members_of(whole.elements)
    computed = shell_weights(tessellation, members)[steps - 1]
    np.testing.assert_allclose(computed, listed_weights(tessellation, members, steps), rtol=1e-9)


def test_blocks_make_no_difference(monkeypatch):
    tessellation, members = tessellate(CRYSTALS[2]), members_of(CRYSTALS[2].elements)
    whole = shell_weights(tessellation, members)
    monkeypatch.setattr(ordering, "_FACES_PER_BLOCK", 7)
    np.testing.assert_allclose(shell_weights(tessellation, members), whole, rtol=1e-12)


def test_rocksalt_is_ordered_as_far_as_its_faces_reach():
    """All neighbours are of the other element, their neighbours of the own, and so on: |1 - 1 / (1/2)| = 1."""
    vectors = 2.8 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
    rocksalt = crystal(vectors, np.array([[0.0] * 3, [0.5] * 3]), np.array([10, 16]))
    np.testing.assert_allclose(ordering_parameters(tessellate(rocksalt), np.eye(2)), [1, 1, 1])


def test_caesium_chloride_in_closed_form():
    """Eight hexagons lead to the other element, six squares to the own; edges are all of one length."""
    chloride = crystal(4 * np.eye(3), np.array([[0.0] * 3, [0.5] * 3]), np.array([54, 16]))
    hexagons, squares = 8 * 1.5 * math.sqrt(3), 6
    first, second, _ = ordering_parameters(tessellate(chloride), np.eye(2))
    assert first == pytest.approx(1 - 2 * squares / (hexagons + squares))
    largest = 1.5 * math.sqrt(3)
    own, other = squares / largest, hexagons / largest
    back = 8 + 6 / largest**2
    same = own**2 + other**2 - back
    assert second == pytest.approx(abs(1 - 2 * same / (same + 2 * own * other)))


def test_one_element_is_not_ordered():
    assert ordering_parameters(tessellate(CRYSTALS[2]), np.ones((4, 1))).tolist() == [0, 0, 0]
