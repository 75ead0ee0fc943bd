import numpy as np
import pytest

from irnet_ray.errors import ConfigurationError
from irnet_ray.features import structure
from irnet_ray.features.composition import composition_attributes
from irnet_ray.features.elements import FRACTION_ELEMENTS
from irnet_ray.features.representation import (
    assemble,
    canonical_name,
    featurizer,
    labels,
    needs_structures,
    parse_representation,
)
from irnet_ray.formula import parse_all

FORMULAS = ["NaCl", "Fe2O3", "Zn0.5Cd0.5S", "Pu"]
ROCKSALT = "NaCl\n1.0\n0 2.82 2.82\n2.82 0 2.82\n2.82 2.82 0\nNa Cl\n1 1\ndirect\n0 0 0\n0.5 0.5 0.5\n"


def featurize(texts, name, form="formula"):
    return assemble(name, featurizer(name).compute(texts, form))


def test_a_union_has_one_canonical_order():
    assert parse_representation("fractions + composition") == ("composition", "fractions")
    assert canonical_name("fractions+structure+composition") == "composition+structure+fractions"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("compositon", "unknown representation 'compositon'; did you mean 'composition'?"),
        ("composition+", "unknown representation ''"),
        ("fractions+fractions", "names a part twice; name each part once"),
        ("structure+structure_matminer", "'structure_matminer' holds 'structure'; name one of them"),
    ],
)
def test_a_wrong_representation_is_refused(name, message):
    with pytest.raises(ConfigurationError) as caught:
        parse_representation(name)
    assert message in str(caught.value)


@pytest.mark.parametrize(("name", "width"), [("composition", 145), ("fractions", 86), ("fractions+composition", 231)])
def test_columns_are_as_many_as_labels(name, width):
    assert len(set(labels(name))) == width
    assert featurize(FORMULAS, name).values.shape == (4, width)


def test_structure_has_126_columns_and_a_union_of_all_357():
    assert len(labels("structure")) == 126
    assert len(labels("structure_matminer")) == 128
    assert len(set(labels("composition+structure+fractions"))) == 357
    assert [needs_structures(name) for name in ("composition+fractions", "structure", "composition+structure")] == [
        False,
        True,
        True,
    ]


def test_a_union_stands_side_by_side():
    union = featurize(FORMULAS, "fractions+composition").values
    assert np.array_equal(union[:, :145], composition_attributes(parse_all(FORMULAS)))
    assert np.array_equal(union[:, 145:], featurize(FORMULAS, "fractions").values)


def test_a_union_with_structures_takes_the_composition_from_them():
    union = featurize([ROCKSALT], "composition+structure+fractions", "poscar")
    assert union.formulas.tolist() == ["NaCl"]
    assert np.array_equal(union.values[:, :145], composition_attributes(parse_all(["NaCl"])))
    whole = featurize([ROCKSALT], "structure_matminer", "poscar").values[0]
    expected = [whole[structure.LABELS.index(label)] for label in structure.WARD_LABELS]
    assert union.values[0, 145:271].tolist() == expected
    assert union.values[0, 271:].sum() == pytest.approx(1)


def test_fractions_sum_to_one_and_stand_in_their_columns():
    table = featurize(FORMULAS, "fractions").values
    assert np.allclose(table.sum(axis=1), 1)
    assert table[1, labels("fractions").index("fraction O")] == pytest.approx(0.6)
    assert table[1, labels("fractions").index("fraction Fe")] == pytest.approx(0.4)


def test_fractions_are_those_of_elemnet():
    assert len(FRACTION_ELEMENTS) == 86
    assert {"Kr", "Xe", "Tc", "Pm", "Ac", "Pu"} <= set(FRACTION_ELEMENTS)
    assert not {"He", "Ne", "Ar", "Po", "At", "Rn", "Fr", "Ra", "Am"} & set(FRACTION_ELEMENTS)


def test_an_element_without_a_fraction_fails_alone():
    result = featurize(["NaCl", "HeOXe", "MgO", "Xx", "AmRa"], "composition+fractions")
    assert result.failures.tolist() == [
        None,
        "element 'He' is none of the 86 of 'fractions'",
        None,
        "unknown element 'Xx'",
        "element 'Am' is none of the 86 of 'fractions'",
    ]
    assert np.isnan(result.values).all(axis=1).tolist() == [False, True, False, True, True]
    assert featurize(["HeOXe"], "composition").failures.tolist() == [None]


@pytest.mark.parametrize("name", ["composition", "structure", "fractions", "composition+structure+fractions"])
def test_rows_that_all_fail_make_a_table_of_nothing(name):
    result = featurize(["", "garbage"], name, "cif")
    assert result.failed.all()
    assert result.values.shape == (2, len(labels(name)))
    assert np.isnan(result.values).all()
