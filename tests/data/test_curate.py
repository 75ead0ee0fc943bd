import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irnet_ray.data.curate import (
    bounds,
    curate,
    drop_elements,
    drop_missing,
    keep_lowest,
    median_of_duplicates,
    reduce_composition,
    sigma_cut,
    without_elements,
)
from irnet_ray.data.steps import (
    Bounds,
    DropElements,
    DropMissing,
    KeepLowest,
    MedianOfDuplicates,
    ReduceComposition,
    SigmaCut,
)
from irnet_ray.errors import FormulaError


def table(formulas, **properties):
    columns = {"formula": pd.Series(formulas, dtype=object), **properties}
    return pd.DataFrame(columns).set_index(pd.RangeIndex(1, len(formulas) + 1))


formulas = st.sampled_from(["NaCl", "Na2Cl2", "Fe2O3", "O3Fe2", "Fe", "O2", "NaN", "Ca(OH)2", "MgO"])
values = st.floats(-100, 100)
tables = st.lists(st.tuples(formulas, values), min_size=1, max_size=40).map(
    lambda rows: table([row[0] for row in rows], energy=[row[1] for row in rows])
)


def test_drop_missing_keeps_rows_with_a_formula_and_some_property():
    given_table = table(["NaCl", "", " ", "NaN", "MgO"], a=[1.0, 1, 1, np.nan, np.nan], b=[np.nan, 1, 1, 2, np.nan])
    assert drop_missing(given_table)["formula"].tolist() == ["NaCl", "NaN"]


def test_reduce_composition_makes_equal_compositions_equal():
    reduced = reduce_composition(table(["Na2Cl2", "ClNa", "Na0.5Cl0.5"], a=[1.0, 2, 3]))
    assert reduced["formula"].tolist() == ["NaCl"] * 3


def test_a_bad_formula_is_named_by_its_row_and_can_be_skipped():
    bad = table(["NaCl", "Xx2", "MgO", "Qq"], a=[1.0, 2, 3, 4])
    with pytest.raises(FormulaError) as caught:
        reduce_composition(bad)
    expected = "row 2: 'Xx2': unknown element 'Xx' (and 1 more); correct it, or drop such rows with --skip-bad-rows"
    assert str(caught.value) == expected
    kept, report = curate(bad, [DropMissing(), ReduceComposition()], skip_bad_rows=True)
    assert kept.index.tolist() == [1, 3]
    assert [step.dropped for step in report.steps] == [0, 2]


def test_rows_keep_their_number_when_earlier_rows_are_dropped():
    with pytest.raises(FormulaError, match=r"^row 3: "):
        curate(table(["", "NaCl", "Xx"], a=[1.0, 2, 3]), [DropMissing(), ReduceComposition()])


def test_compounds_of_an_element_are_dropped_and_those_of_its_namesakes_kept():
    kept = without_elements(table(["HeSiO2", "HfO2", "HCl", "He", "CHeF"], a=[1.0] * 5), ["He", "F"])
    assert kept["formula"].tolist() == ["HfO2", "HCl"]


def test_drop_elements_drops_molecules_of_one_element_too():
    assert drop_elements(table(["Fe", "O2", "FeO", "Co", "CO"], a=[1.0] * 5))["formula"].tolist() == ["FeO", "CO"]


def test_bounds_are_exclusive_and_drop_what_is_missing():
    kept = bounds(table(["NaCl"] * 5, a=[-20, -19.9, 4.9, 5, np.nan]), "a", -20, 5)
    assert kept["a"].tolist() == [-19.9, 4.9]


def test_sigma_cut_is_computed_once():
    a = np.array([0.0] * 98 + [10.0, 1000.0])
    assert len(sigma_cut(table(["NaCl"] * 100, a=a), "a", 5)) == 99


def test_keep_lowest_takes_the_whole_row():
    kept = keep_lowest(table(["NaCl", "MgO", "NaCl"], a=[1.0, 2, -1], b=[7.0, 8, 9]), "a")
    assert kept.to_dict("list") == {"formula": ["MgO", "NaCl"], "a": [2.0, -1.0], "b": [8.0, 9.0]}


def test_median_of_duplicates_skips_missing_values():
    made = median_of_duplicates(table(["NaCl", "MgO", "NaCl", "NaCl"], a=[1.0, 5, 2, 9], b=[np.nan, 1, 4, 6]))
    assert made.to_dict("list") == {"formula": ["NaCl", "MgO"], "a": [2.0, 5.0], "b": [5.0, 1.0]}


def test_the_order_of_the_steps_is_the_order_of_the_card():
    rows = table(["NaCl", "Na2Cl2", "Fe", "MgO"], a=[-30.0, 1, 1, 1])
    lowest_first = [ReduceComposition(), KeepLowest(column="a"), Bounds(column="a", low=-20, high=5)]
    kept, report = curate(rows, [*lowest_first, DropElements()])
    assert kept["formula"].tolist() == ["MgO"]
    assert [step.dropped for step in report.steps] == [0, 1, 1, 1]
    assert curate(rows, [lowest_first[0], lowest_first[2], lowest_first[1]])[0]["formula"].tolist() == [
        "NaCl",
        "Fe",
        "MgO",
    ]


@pytest.mark.parametrize("formulas", [[], ["Xx"], ["Fe"]])
def test_nothing_left_is_no_mistake_of_curation(formulas):
    steps = [DropMissing(), ReduceComposition(), DropElements(), KeepLowest(column="a"), MedianOfDuplicates()]
    kept, report = curate(table(formulas, a=[1.0] * len(formulas)), steps, skip_bad_rows=True)
    assert (len(kept), report.rows_kept) == (0, 0)


def test_the_report_is_a_table():
    _, report = curate(table(["NaCl", "Fe"], a=[1.0, 2]), [DropElements(), SigmaCut(column="a", deviations=5)])
    assert str(report).splitlines() == [
        "rows read                                     2",
        "drop_elements                                -1",
        "sigma_cut (a, 5 standard deviations)          0",
        "rows kept                                     1",
    ]


@given(tables)
def test_every_dropped_row_is_counted(rows):
    steps = [DropMissing(), ReduceComposition(), DropElements(), KeepLowest(column="energy")]
    kept, report = curate(rows, [*steps, Bounds(column="energy", low=-50, high=50)])
    assert report.rows_read == len(rows)
    assert report.rows_kept == len(kept)
    assert all(step.dropped >= 0 for step in report.steps)


@given(tables)
def test_keep_lowest_leaves_each_composition_once_with_its_minimum(rows):
    reduced = reduce_composition(rows)
    kept = keep_lowest(reduced, "energy").set_index("formula")["energy"]
    assert kept.to_dict() == reduced.groupby("formula")["energy"].min().to_dict()


@given(tables, st.randoms())
def test_curation_does_not_depend_on_the_order_of_the_rows(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    steps = [ReduceComposition(), MedianOfDuplicates(), Bounds(column="energy", low=-50, high=50)]
    first, _ = curate(rows, steps)
    second, _ = curate(rows.iloc[order], steps)
    assert first.set_index("formula")["energy"].to_dict() == second.set_index("formula")["energy"].to_dict()


@given(tables)
def test_curating_twice_changes_nothing(rows):
    steps = [DropMissing(), ReduceComposition(), DropElements(), KeepLowest(column="energy")]
    once, _ = curate(rows, steps)
    twice, report = curate(once, steps)
    pd.testing.assert_frame_equal(once, twice)
    assert not any(step.dropped for step in report.steps)
