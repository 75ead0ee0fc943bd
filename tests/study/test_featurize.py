from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np
import pytest

from irnet_ray.cache import Cache
from irnet_ray.data.sources.rows import RowBatch
from irnet_ray.errors import DataError, StorageError
from irnet_ray.features import store
from irnet_ray.features.featurizers import FEATURIZERS
from irnet_ray.features.representation import assemble, featurizer
from irnet_ray.features.store import AttributeStore
from irnet_ray.study.featurize import RowsInMemory, Work, compute_here, featurize_rows

FORMULAS = ["NaCl", "Fe2O3", "NaCl", "Xx9", "LiFePO4", "Al", "NaCl", "ZnS", "He2Xe"]


@dataclass
class Counted:
    """Computes in this process, and notes what."""

    texts: list[str] = field(default_factory=list)

    def __call__(self, work):
        self.texts += [text for unit in work.units() for text in unit.texts]
        yield from compute_here(work)


@pytest.fixture(autouse=True)
def small_batches_and_parts(monkeypatch):
    monkeypatch.setattr("irnet_ray.study.featurize.ROWS_AT_A_TIME", 3)
    monkeypatch.setattr("irnet_ray.features.store.ROWS_A_PART", 3)


@pytest.mark.parametrize("name", ["composition", "fractions", "composition+fractions"])
def test_rows_are_those_of_the_featurizer_in_their_order(tmp_path, name):
    stored = featurize_rows(RowsInMemory("formula", FORMULAS), name, Cache(tmp_path), compute_here)
    expected = assemble(name, featurizer(name).compute(FORMULAS, "formula"))
    assert len(stored) == len(FORMULAS)
    np.testing.assert_array_equal(stored.read(0, 9).values, expected.values)
    np.testing.assert_array_equal(stored.read(2, 5).values, expected.values[2:5])
    assert stored.read(0, 9).failures.tolist() == expected.failures.tolist()


def test_equal_rows_are_computed_once_and_kept_ones_never(tmp_path):
    compute = Counted()
    first = featurize_rows(RowsInMemory("formula", FORMULAS), "composition", Cache(tmp_path), compute)
    assert compute.texts == ["NaCl", "Fe2O3", "Xx9", "LiFePO4", "Al", "ZnS", "He2Xe"]
    assert first.computed == 7
    compute = Counted()
    again = featurize_rows(RowsInMemory("formula", FORMULAS), "composition", Cache(tmp_path), compute)
    assert (compute.texts, again.computed) == ([], 0)


def test_added_rows_alone_are_computed_even_in_another_union(tmp_path):
    featurize_rows(RowsInMemory("formula", FORMULAS), "composition", Cache(tmp_path), compute_here)
    compute = Counted()
    more = RowsInMemory("formula", ["MgO", *FORMULAS, "CaO"])
    stored = featurize_rows(more, "composition+fractions", Cache(tmp_path), compute)
    assert compute.texts == ["MgO", "CaO"]
    expected = assemble("composition+fractions", FEATURIZERS["composition"].compute(more.texts, "formula"))
    np.testing.assert_array_equal(stored.read(0, 11).values, expected.values)


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path, monkeypatch):
    def interrupted(work):
        for number, result in enumerate(compute_here(work)):
            if number == 2:
                raise KeyboardInterrupt
            yield result

    pairs = dataclasses.replace(FEATURIZERS["composition"], rows_at_a_time=2)
    monkeypatch.setitem(FEATURIZERS, "composition", pairs)
    rows = RowsInMemory("formula", [f"Na{number}Cl" for number in range(1, 10)])
    with pytest.raises(KeyboardInterrupt):
        featurize_rows(rows, "composition", Cache(tmp_path), interrupted)
    compute = Counted()
    featurize_rows(rows, "composition", Cache(tmp_path), compute)
    assert compute.texts == rows.texts[4:]


def test_damaged_parts_are_computed_again_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "SECONDS_A_PART", 0.0)
    pairs = dataclasses.replace(FEATURIZERS["composition"], rows_at_a_time=2)
    monkeypatch.setitem(FEATURIZERS, "composition", pairs)
    rows = RowsInMemory("formula", [f"Na{number}Cl" for number in range(1, 10)])
    before = featurize_rows(rows, "composition", Cache(tmp_path), compute_here).read(0, 9).values
    first, second, *_ = sorted(tmp_path.rglob("*.parquet"))
    for path in (first, second):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(bytes(content))
    compute = Counted()
    stored = featurize_rows(rows, "composition", Cache(tmp_path), compute)
    assert sorted(compute.texts) == sorted(rows.texts[:4])
    assert stored.computed == 4
    np.testing.assert_array_equal(stored.read(0, 9).values, before)


def test_a_disk_that_keeps_nothing_as_it_was_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(AttributeStore, "discard_damaged", lambda self, places: True)
    with pytest.raises(StorageError, match=r"does not keep what is written; set IRNET_RAY_CACHE"):
        featurize_rows(RowsInMemory("formula", FORMULAS), "composition", Cache(tmp_path), compute_here)


def test_units_hold_the_wanted_rows_in_order_whatever_the_batches():
    texts = [f"Na{number}Cl" for number in range(1, 20)]
    positions = np.array([0, 3, 4, 5, 11, 18])
    (unit,) = Work(RowsInMemory("formula", texts), FEATURIZERS["composition"], positions).units()
    assert unit.texts == [texts[position] for position in positions]
    assert len(unit.keys) == 6


def test_progress_counts_what_is_computed(tmp_path):
    told = []
    featurize_rows(
        RowsInMemory("formula", FORMULAS), "composition", Cache(tmp_path), compute_here, lambda *each: told.append(each)
    )
    assert told == [(0, 7), (7, 7)]


@pytest.mark.parametrize("later", [["MgO", "NaCl"], ["NaCl"], ["NaCl", "MgO", "CaO"], ["NaCl", "CaO"]])
def test_a_source_that_is_another_when_it_is_read_again_is_noticed(tmp_path, later):
    stored = featurize_rows(RowsInMemory("formula", ["NaCl", "MgO"]), "composition", Cache(tmp_path), compute_here)
    assert len(stored.read_batch(0, ["NaCl", "MgO"])) == 2

    def read_again():
        stored.read_batch(0, later)
        stored.check_end(len(later))

    with pytest.raises(DataError, match="the source changed while it was read"):
        read_again()


def test_a_source_that_changes_meanwhile_is_noticed(tmp_path):
    class Changing:
        form = "formula"
        reads = 0

        def batches(self, rows):
            self.reads += 1
            yield RowBatch(1, None, ["NaCl", "MgO" if self.reads == 1 else "CaO"])

    with pytest.raises(DataError, match="the source changed while it was read"):
        featurize_rows(Changing(), "composition", Cache(tmp_path), compute_here)
