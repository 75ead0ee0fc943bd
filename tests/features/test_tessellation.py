from __future__ import annotations

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from irnet_ray.crystal import crystal, from_pymatgen
from irnet_ray.errors import CrystalError
from irnet_ray.features.tessellation import tessellate


def lattice_of(*vectors):
    """One atom at the points of a lattice."""
    return crystal(np.array(vectors, dtype=float), np.zeros((1, 3)), np.array([28]))


SIMPLE_CUBIC = lattice_of([3, 0, 0], [0, 3, 0], [0, 0, 3])
FCC = lattice_of([0, 2, 2], [2, 0, 2], [2, 2, 0])
BCC = lattice_of([-1, 1, 1], [1, -1, 1], [1, 1, -1])
HCP = crystal(
    np.array([[3, 0, 0], [-1.5, 1.5 * math.sqrt(3), 0], [0, 0, 3 * math.sqrt(8 / 3)]]),
    np.array([[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]),
    np.array([11, 11]),
)
DIAMOND = from_pymatgen(Structure.from_spacegroup("Fd-3m", Lattice.cubic(5.43), ["Si"], [[0, 0, 0]]))
FLUORITE = from_pymatgen(Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.46), ["Ca", "F"], [[0, 0, 0], [0.25] * 3]))
PEROVSKITE = from_pymatgen(
    Structure.from_spacegroup("Pm-3m", Lattice.cubic(3.9), ["Sr", "Ti", "O"], [[0] * 3, [0.5] * 3, [0.5, 0.5, 0]])
)
GRAPHENE = crystal(
    np.array([[2.46, 0, 0], [-1.23, 1.23 * math.sqrt(3), 0], [0, 0, 25.0]]),
    np.array([[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]]),
    np.array([5, 5]),
)
SKEW = np.array([[1, 0, 0], [9, 1, 0], [-7, 4, 1]])


def random_crystal(seed, atoms):
    """A crystal of low symmetry with atoms at least 1.2 angstrom apart."""
    generator = np.random.default_rng(seed)
    lattice = np.diag(generator.uniform(3, 5, 3)) + generator.uniform(-0.8, 0.8, (3, 3))
    lattice *= (12 * atoms / abs(np.linalg.det(lattice))) ** (1 / 3)
    images = np.array(list(itertools.product((-2, -1, 0, 1, 2), repeat=3)))
    positions: list[np.ndarray] = []
    while len(positions) < atoms:
        candidate = generator.random(3)
        others = np.array(positions).reshape(-1, 1, 3) + images
        if np.linalg.norm((others - candidate) @ lattice, axis=2).min(initial=9) > 1.2:
            positions.append(candidate)
    return crystal(lattice, np.array(positions), generator.integers(0, 80, atoms))


def skewed(whole):
    """The same crystal in a long and slanting cell."""
    return crystal(SKEW @ whole.lattice, whole.positions @ np.linalg.inv(SKEW), whole.elements)


LOW_SYMMETRY = [random_crystal(seed, atoms) for seed, atoms in ((0, 1), (1, 2), (2, 5), (3, 9))]
SYMMETRIC = [SIMPLE_CUBIC, FCC, BCC, HCP, DIAMOND, FLUORITE, PEROVSKITE]
EMPTY = [GRAPHENE, lattice_of([20, 0, 0], [0, 20, 0], [0, 0, 20]), lattice_of([2.5, 0, 0], [0, 2.5, 0], [0, 0, 300])]
CRYSTALS = [*LOW_SYMMETRY, *SYMMETRIC, *EMPTY, *map(skewed, [*LOW_SYMMETRY, FCC, PEROVSKITE, GRAPHENE])]


def face_table(tessellation):
    """Area of each face by site, neighbour and image."""
    keys = np.column_stack([tessellation.sites, tessellation.neighbours, tessellation.images]).tolist()
    table = {tuple(key): area for key, area in zip(keys, tessellation.areas.tolist(), strict=True)}
    assert len(table) == len(keys)
    return table


def scipy_table(whole):
    """The same by Qhull, from the atoms in seven cells each way."""
    from scipy.spatial import Voronoi

    images = np.array(list(itertools.product(range(-3, 4), repeat=3)))
    points = ((whole.positions + images[:, None]) @ whole.lattice).reshape(-1, 3)
    home = len(images) // 2
    diagram = Voronoi(points)
    table = {}
    for pair, ring in zip(diagram.ridge_points, diagram.ridge_vertices, strict=True):
        for one, other in (pair, pair[::-1]):
            if one // len(whole) == home:
                corners = diagram.vertices[ring] - diagram.vertices[ring[0]]
                area = np.linalg.norm(np.cross(corners[:-1], corners[1:]).sum(axis=0)) / 2
                table[one % len(whole), other % len(whole), *images[other // len(whole)].tolist()] = area
    return table


def assert_same_faces(one, other):
    """Equal but for faces that rounding makes or takes away."""
    assert max(abs(one.get(key, 0.0) - other.get(key, 0.0)) for key in one | other) < 1e-6


@pytest.mark.parametrize("whole", CRYSTALS)
def test_faces_lie_between_atoms_and_their_neighbours(whole):
    found = tessellate(whole)
    there = (whole.positions[found.neighbours] + found.images) @ whole.lattice
    here = (whole.positions @ whole.lattice)[found.sites]
    np.testing.assert_allclose(np.linalg.norm(there - here, axis=1), found.distances, rtol=1e-9)


@pytest.mark.parametrize("whole", CRYSTALS)
def test_every_face_has_two_sides(whole):
    table = face_table(tessellate(whole))
    assert_same_faces(table, {(j, i, -a, -b, -c): area for (i, j, a, b, c), area in table.items()})


@pytest.mark.parametrize("whole", CRYSTALS)
def test_cells_fill_space(whole):
    found = tessellate(whole)
    assert found.areas @ found.distances / 6 == pytest.approx(whole.volume, rel=1e-9)


@pytest.mark.parametrize("whole", CRYSTALS)
def test_faces_are_grouped_by_site(whole):
    found = tessellate(whole)
    np.testing.assert_array_equal(found.sites, np.repeat(np.arange(len(whole)), np.diff(found.starts)))
    assert np.diff(found.starts).min() >= 4


@pytest.mark.parametrize("whole", [*LOW_SYMMETRY, *SYMMETRIC[:4]])
def test_another_library_finds_the_same_faces(whole):
    assert_same_faces(face_table(tessellate(whole)), scipy_table(whole))


def test_simple_cubic_in_closed_form():
    found = tessellate(SIMPLE_CUBIC)
    assert sorted(map(tuple, found.images.tolist())) == sorted(
        [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
    )
    np.testing.assert_allclose(found.areas, 9)
    np.testing.assert_allclose(found.distances, 3)


def test_fcc_in_closed_form():
    found = tessellate(FCC)
    assert len(found.areas) == 12
    np.testing.assert_allclose(found.areas, 16 * math.sqrt(2) / 8)
    np.testing.assert_allclose(found.distances, 2 * math.sqrt(2))


def test_bcc_in_closed_form():
    found = tessellate(BCC)
    order = np.argsort(found.areas)
    edge = 2 * math.sqrt(2) / 4  # of the truncated octahedron, in a cube of edge 2
    np.testing.assert_allclose(found.areas[order], [edge**2] * 6 + [1.5 * math.sqrt(3) * edge**2] * 8)
    np.testing.assert_allclose(found.distances[order], [2.0] * 6 + [math.sqrt(3)] * 8)


def test_another_choice_of_cell_counts_images_in_its_own_vectors():
    table = face_table(tessellate(FCC))
    back = {(i, j, *(np.array(image) @ SKEW).tolist()): area for (i, j, *image), area in face_table(
        tessellate(skewed(FCC))
    ).items()}  # fmt: skip
    assert_same_faces(table, back)


@pytest.mark.parametrize("whole", [PEROVSKITE, HCP, LOW_SYMMETRY[2]])
@pytest.mark.parametrize("shift", [-1e-17, 1e-17, -1e-12, 1e-13, -1e-9, 0.5])
def test_atoms_on_the_border_of_the_cell_stay_where_they_are(whole, shift):
    moved = crystal(whole.lattice, whole.positions + shift, whole.elements)
    wraps = np.rint(whole.positions + shift - moved.positions).astype(int)
    table = {
        (i, j, *(wraps[i] - wraps[j] + image).tolist()): area
        for (i, j, *image), area in face_table(tessellate(moved)).items()
    }
    assert_same_faces(face_table(tessellate(whole)), table)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ([0.1, 0.2, 0.3], "atoms 1 and 3 overlap: 0.00 angstrom apart, less than 0.5"),
        ([1.1, 0.2, -0.7], "atoms 1 and 3 overlap: 0.00 angstrom apart, less than 0.5"),
        ([0.1001, 0.2, 0.3], "atoms 1 and 3 overlap: 0.00 angstrom apart, less than 0.5"),
        ([0.2, 0.2, 0.3], "atoms 1 and 3 overlap: 0.40 angstrom apart, less than 0.5"),
    ],
)
def test_atoms_that_overlap_are_refused(second, message):
    positions = np.array([[0.1, 0.2, 0.3], [0.6, 0.7, 0.8], second])
    with pytest.raises(CrystalError) as caught:
        tessellate(crystal(4 * np.eye(3), positions, np.array([10, 16, 10])))
    assert str(caught.value) == message


@pytest.mark.parametrize("edge", [1e-12, 1e-3, 0.3])
def test_a_cell_smaller_than_an_atom_is_refused(edge):
    with pytest.raises(CrystalError, match=r"atom 1 overlaps with its own image"):
        tessellate(crystal(edge * np.eye(3), np.zeros((1, 3)), np.array([10])))


def test_an_atom_that_overlaps_with_its_own_image_is_refused():
    with pytest.raises(CrystalError, match=r"atom 1 overlaps with its own image: 0\.30 angstrom apart"):
        tessellate(lattice_of([0.3, 0, 0], [0, 3, 0], [0, 0, 3]))


def lose_a_cell(cells):
    return cells[1:]


def move_a_site(cells):
    return [{**cells[0], "site": [0.5, 0.5, 0.5]}, *cells[1:]]


def lose_a_face(cells):
    return [{**cells[0], "faces": cells[0]["faces"][1:]}, *cells[1:]]


def swap_neighbours(cells):
    """Lets a face of the first cell, which all lead to the second, lead back to the first."""
    first, *others = cells[0]["faces"]
    return [{**cells[0], "faces": [{**first, "adjacent_cell": 0}, *others]}, *cells[1:]]


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lose_a_cell, "lacks the cell of an atom"),
        (move_a_site, "has moved an atom"),
        (lose_a_face, "cells fill 61.* of 64 cubic angstrom"),
        (swap_neighbours, "a face without a neighbour behind it"),
    ],
)
def test_a_tessellation_that_went_wrong_is_noticed(monkeypatch, harm, message):
    from pyvoro2 import _core

    compute = _core.compute_periodic_standard
    monkeypatch.setattr(_core, "compute_periodic_standard", lambda *arguments: harm(compute(*arguments)))
    with pytest.raises(CrystalError, match=message) as caught:
        tessellate(crystal(4 * np.eye(3), np.array([[0.1] * 3, [0.6] * 3]), np.array([54, 16])))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("whole", [DIAMOND, FLUORITE, PEROVSKITE])
def test_nothing_is_printed(capfd, whole):
    tessellate(whole)
    assert capfd.readouterr() == ("", "")


def test_standard_error_works_afterwards(capfd):
    import os

    tessellate(DIAMOND)
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_a_closed_stderr_is_no_obstacle():
    code = (
        "import os; os.close(2)\n"
        "from irnet_ray.features.tessellation import tessellate\n"
        "from irnet_ray.crystal import crystal\n"
        "import numpy as np\n"
        "print(len(tessellate(crystal(4 * np.eye(3), np.zeros((1, 3)), np.array([10]))).sites))"
    )
    finished = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=False)
    assert finished.stdout == "6\n"
