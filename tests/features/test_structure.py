from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from irnet_ray.crystal import crystal, from_pymatgen
from irnet_ray.errors import CrystalError
from irnet_ray.features.structure import LABELS, WARD_LABELS, structure_attributes
from irnet_ray.formula import SYMBOLS


def with_symmetry(group, lattice, species, positions):
    return Structure.from_spacegroup(group, lattice, species, positions).get_primitive_structure()


CELL = Lattice.from_parameters(4.1, 4.9, 5.7, 81, 97, 105)
STRUCTURES = {
    "rocksalt": with_symmetry("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5] * 3]),
    "CsCl": Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5] * 3]),
    "zincblende": with_symmetry("F-43m", Lattice.cubic(5.65), ["Ga", "As"], [[0, 0, 0], [0.25] * 3]),
    "fluorite": with_symmetry("Fm-3m", Lattice.cubic(5.46), ["Ca", "F"], [[0, 0, 0], [0.25] * 3]),
    "perovskite": Structure(
        Lattice.cubic(3.9),
        ["Sr", "Ti", "O", "O", "O"],
        [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]],
    ),
    "rutile": with_symmetry("P4_2/mnm", Lattice.tetragonal(4.59, 2.96), ["Ti", "O"], [[0] * 3, [0.305, 0.305, 0]]),
    "wurtzite": with_symmetry(
        "P6_3mc", Lattice.hexagonal(3.25, 5.2), ["Zn", "O"], [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.38]]
    ),
    "copper": Structure(Lattice.cubic(3.6), ["Cu"] * 4, [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]),
    "triclinic": Structure(
        CELL, ["Fe", "O", "S", "K"], [[0.02, 0.11, 0.07], [0.48, 0.41, 0.13], [0.33, 0.71, 0.59], [0.81, 0.27, 0.62]]
    ),
    "one atom": Structure(Lattice.from_parameters(2.7, 2.9, 3.1, 71, 83, 112), ["U"], [[0.3, 0.4, 0.5]]),
    "no values": Structure(CELL, ["Np", "Og", "He"], [[0, 0, 0], [0.5, 0.45, 0.2], [0.3, 0.8, 0.6]]),
    "layer": Structure(Lattice.hexagonal(2.51, 9), ["B", "N"], [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]]),
}


@pytest.fixture(scope="module")
def matminer():
    from matminer.featurizers.base import MultipleFeaturizer
    from matminer.featurizers.structure import (
        ChemicalOrdering,
        MaximumPackingEfficiency,
        SiteStatsFingerprint,
        StructuralHeterogeneity,
    )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=UserWarning)
        yield MultipleFeaturizer(
            [
                SiteStatsFingerprint.from_preset("CoordinationNumber_ward-prb-2017"),
                StructuralHeterogeneity(),
                ChemicalOrdering(),
                MaximumPackingEfficiency(),
                SiteStatsFingerprint.from_preset("LocalPropertyDifference_ward-prb-2017"),
            ]
        )


def assert_equal(computed, expected):
    wrong = np.flatnonzero(~(np.abs(computed - expected) <= 1e-6 * (1 + np.abs(expected))))
    assert {LABELS[label]: (computed[label], expected[label]) for label in wrong} == {}


def attributes(structure):
    return structure_attributes(from_pymatgen(structure))


def attribute(name, structure):
    return attributes(structure)[LABELS.index(name)]


def test_labels_are_matminers_in_its_order(matminer):
    assert tuple(matminer.feature_labels()) == LABELS
    assert len(LABELS) == 128


def test_two_labels_are_not_of_the_paper():
    assert set(LABELS) - set(WARD_LABELS) == {"range CN_VoronoiNN", "range neighbor distance variation"}
    assert len(WARD_LABELS) == 126


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_attribute_is_matminers(matminer, name):
    from matminer.utils import caching

    caching._get_all_nearest_neighbors.cache_clear()
    structure = STRUCTURES[name]
    assert ((structure.frac_coords >= 0) & (structure.frac_coords < 1)).all()  # else matminer errs
    assert_equal(attributes(structure), np.array(matminer.featurize(structure)))


def test_atoms_outside_of_the_cell_are_wrapped():
    """matminer fails, or returns other numbers, where a coordinate is 1.0 or below 0 by a rounding error."""
    structure = STRUCTURES["perovskite"].copy()
    expected = attributes(structure)
    for shift in ([1, 0, -2], [-1e-17, 0, 0], [0, 1 - 1e-16, 0]):
        moved = Structure(structure.lattice, structure.species, structure.frac_coords + shift)
        assert_equal(attributes(moved), expected)


COPPER = Structure(Lattice([[0, 1.8, 1.8], [1.8, 0, 1.8], [1.8, 1.8, 0]]), ["Cu"], [[0] * 3])
IRON = Structure(Lattice([[-1.4, 1.4, 1.4], [1.4, -1.4, 1.4], [1.4, 1.4, -1.4]]), ["Fe"], [[0] * 3])
POLONIUM = Structure(Lattice.cubic(3.35), ["Po"], [[0.2, 0.3, 0.4]])


@pytest.mark.parametrize(
    ("structure", "packing"),
    [
        (POLONIUM, math.pi / 6),
        (COPPER, math.pi / math.sqrt(18)),
        (IRON, math.pi * math.sqrt(3) / 8),
        (STRUCTURES["rocksalt"], math.pi / 6),
        (STRUCTURES["zincblende"], math.pi * math.sqrt(3) / 16),
    ],
)
def test_packing_in_closed_form(structure, packing):
    assert attribute("max packing efficiency", structure) == pytest.approx(packing)


def test_coordination_numbers_in_closed_form():
    assert attribute("mean CN_VoronoiNN", POLONIUM) == pytest.approx(6)
    assert attribute("minimum CN_VoronoiNN", COPPER) == pytest.approx(12)
    hexagon = 1.5 * math.sqrt(3)  # over the area of a square with the same edge
    assert attribute("maximum CN_VoronoiNN", IRON) == pytest.approx((8 * hexagon + 6) ** 2 / (8 * hexagon**2 + 6))
    assert attribute("range CN_VoronoiNN", STRUCTURES["rocksalt"]) == pytest.approx(0)


def test_heterogeneity_in_closed_form():
    assert attribute("max relative bond length", COPPER) == pytest.approx(1)
    assert attribute("mean neighbor distance variation", COPPER) == pytest.approx(0)
    shares = np.array([8 * 1.5 * math.sqrt(3), 6])
    shares /= shares.sum()
    distances = np.array([math.sqrt(3), 2])
    mean = shares @ distances
    expected = shares @ np.abs(distances - mean) / mean
    assert attribute("mean neighbor distance variation", IRON) == pytest.approx(expected)
    assert attribute("mean absolute deviation in relative cell size", STRUCTURES["CsCl"]) == pytest.approx(0)


def test_property_differences_in_closed_form():
    assert attribute("mean local difference in Number", STRUCTURES["rocksalt"]) == pytest.approx(17 - 11)
    other = 8 * 1.5 * math.sqrt(3) / (8 * 1.5 * math.sqrt(3) + 6)
    assert attribute("minimum local difference in Number", STRUCTURES["CsCl"]) == pytest.approx(other * (55 - 17))
    assert attribute("avg_dev local difference in Electronegativity", COPPER) == 0


def rotation(angles):
    """A rotation about z and one about x."""
    (a, b), (c, d) = np.cos(angles), np.sin(angles)
    return np.array([[a, -c, 0], [c, a, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, b, -d], [0, d, b]])


SKEWS = [[[1, 1, 0], [0, 1, 0], [0, 0, 1]], [[2, 1, 0], [1, 1, 0], [5, -3, 1]], [[1, 0, 0], [12, 1, 0], [-9, 7, 1]]]
INVARIANT = ["rocksalt", "perovskite", "rutile", "triclinic", "one atom", "no values", "layer"]


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(INVARIANT), st.tuples(*[st.floats(-3, 3)] * 3))
def test_translation_changes_nothing(name, shift):
    structure = STRUCTURES[name]
    moved = Structure(structure.lattice, structure.species, structure.frac_coords + shift)
    assert_equal(attributes(moved), attributes(structure))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(INVARIANT), st.tuples(*[st.floats(-4, 4)] * 2), st.booleans())
def test_rotation_and_reflection_change_nothing(name, angles, reflect):
    structure = STRUCTURES[name]
    turned = structure.lattice.matrix @ rotation(angles) * (-1 if reflect else 1)
    assert_equal(attributes(Structure(turned, structure.species, structure.frac_coords)), attributes(structure))


@pytest.mark.parametrize("name", INVARIANT)
def test_permutation_changes_nothing(name):
    structure = STRUCTURES[name]
    order = np.random.default_rng(0).permutation(len(structure))
    permuted = Structure.from_sites([structure[site] for site in order])
    assert_equal(attributes(permuted), attributes(structure))


@pytest.mark.parametrize("name", INVARIANT)
@pytest.mark.parametrize("size", [[2, 1, 1], [1, 2, 3]])
def test_a_supercell_is_the_same_crystal(name, size):
    assert_equal(attributes(STRUCTURES[name].make_supercell(size, in_place=False)), attributes(STRUCTURES[name]))


@pytest.mark.parametrize("name", INVARIANT)
@pytest.mark.parametrize("skew", SKEWS)
def test_another_cell_is_the_same_crystal(name, skew):
    structure = STRUCTURES[name]
    lattice = np.array(skew) @ structure.lattice.matrix
    positions = structure.frac_coords @ np.linalg.inv(skew)
    assert_equal(attributes(Structure(lattice, structure.species, positions)), attributes(structure))


@pytest.mark.parametrize(
    ("structure", "faces"),
    [
        (Structure(Lattice.hexagonal(2.46, 28), ["C"] * 2, [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]]), 5),
        (Structure(Lattice.cubic(25), ["Ar"], [[0.5] * 3]), 6),
    ],
    ids=["a layer", "an atom"],
)
def test_vacuum_is_divided_like_all_space(structure, faces):
    computed = attributes(structure)
    assert np.isfinite(computed).all()
    assert 2 < computed[LABELS.index("mean CN_VoronoiNN")] <= faces + 1e-9
    shortest = structure.distance_matrix[np.triu_indices(len(structure), 1)].min(initial=structure.lattice.a)
    packing = len(structure) * math.pi / 6 * shortest**3 / structure.volume
    assert computed[LABELS.index("max packing efficiency")] == pytest.approx(packing)


def test_every_element_has_attributes():
    for element in range(len(SYMBOLS)):
        whole = crystal(np.diag([4.0, 4.0, 4.5]), np.array([[0.0] * 3, [0.5] * 3]), np.array([element, 7]))
        assert np.isfinite(structure_attributes(whole)).all()


def test_overlapping_atoms_are_refused():
    with pytest.raises(CrystalError, match="atoms 1 and 2 overlap"):
        attributes(Structure(Lattice.cubic(4), ["Na", "Cl"], [[0, 0, 0], [0.01, 0, 0]]))
