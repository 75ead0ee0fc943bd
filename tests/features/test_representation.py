import numpy as np
import pytest

from irnet_ray.errors import ConfigurationError, FormulaError
from irnet_ray.features.composition import composition_attributes
from irnet_ray.features.elements import FRACTION_ELEMENTS
from irnet_ray.features.representation import (
    canonical_name,
    featurize,
    labels,
    parse_representation,
    unsupported_rows,
)
from irnet_ray.formula import parse_all

FORMULAS = ["NaCl", "Fe2O3", "Zn0.5Cd0.5S", "Pu"]


def test_a_union_has_one_canonical_order():
    assert parse_representation("fractions + composition") == ("composition", "fractions")
    assert canonical_name("fractions+composition") == "composition+fractions"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("compositon", "unknown representation 'compositon'; did you mean 'composition'?"),
        ("composition+", "unknown representation ''"),
        ("fractions+fractions", "names a part twice; name each part once"),
    ],
)
def test_a_wrong_representation_is_refused(name, message):
    with pytest.raises(ConfigurationError) as caught:
        parse_representation(name)
    assert message in str(caught.value)


@pytest.mark.parametrize(("name", "width"), [("composition", 145), ("fractions", 86), ("fractions+composition", 231)])
def test_columns_are_as_many_as_labels(name, width):
    assert len(set(labels(name))) == width
    assert featurize(FORMULAS, name).shape == (4, width)


def test_a_union_stands_side_by_side():
    union = featurize(FORMULAS, "fractions+composition")
    assert np.array_equal(union[:, :145], composition_attributes(parse_all(FORMULAS)))
    assert np.array_equal(union[:, 145:], featurize(FORMULAS, "fractions"))


def test_fractions_sum_to_one_and_stand_in_their_columns():
    table = featurize(FORMULAS, "fractions")
    assert np.allclose(table.sum(axis=1), 1)
    assert table[1, labels("fractions").index("fraction O")] == pytest.approx(0.6)
    assert table[1, labels("fractions").index("fraction Fe")] == pytest.approx(0.4)


def test_fractions_are_those_of_elemnet():
    assert len(FRACTION_ELEMENTS) == 86
    assert {"Kr", "Xe", "Tc", "Pm", "Ac", "Pu"} <= set(FRACTION_ELEMENTS)
    assert not {"He", "Ne", "Ar", "Po", "At", "Rn", "Fr", "Ra", "Am"} & set(FRACTION_ELEMENTS)


def test_an_element_without_a_column_is_named_with_its_row():
    with pytest.raises(FormulaError, match="row 1: element 'He' is none of the 86"):
        featurize(["NaCl", "HeO"], "fractions")


def test_a_bad_formula_is_named_with_its_row():
    with pytest.raises(FormulaError, match="row 2: 'Xx'"):
        featurize(["NaCl", "MgO", "Xx"], "composition")


def test_unsupported_rows_are_those_that_cannot_be_featurized():
    formulas = ["NaCl", "HeOXe", "MgO", "AmRa", "Pu"]
    bad = unsupported_rows(formulas, "composition+fractions")
    assert [(each.row, each.formula) for each in bad] == [(1, "HeOXe"), (3, "AmRa")]
    assert bad[0].reason == "element 'He' is none of the 86 of 'fractions'"
    assert unsupported_rows(formulas, "composition") == []
    supported = [formula for row, formula in enumerate(formulas) if row not in {each.row for each in bad}]
    assert featurize(supported, "fractions").shape == (3, 86)
