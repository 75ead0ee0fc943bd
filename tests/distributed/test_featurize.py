from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from irnet_ray.cache import Cache
from irnet_ray.distributed import featurize as module
from irnet_ray.distributed.featurize import compute_on_ray, compute_with_session
from irnet_ray.errors import DataError
from irnet_ray.features.featurizers import FEATURIZERS
from irnet_ray.features.representation import assemble
from irnet_ray.study.featurize import RowsInMemory, Work, compute_here, featurize_rows

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]

FORMULAS = ["NaCl", "Fe2O3", "Xx9", "SrTiO3", "LiFePO4", "Al", "CaF2", "ZnS"]


THREE_AT_A_TIME = dataclasses.replace(FEATURIZERS["composition"], rows_at_a_time=3)


def test_ray_data_computes_what_one_process_computes_unit_by_unit_in_order():
    work = Work(RowsInMemory("formula", FORMULAS), THREE_AT_A_TIME, np.arange(8))
    on_ray, here = list(compute_on_ray(work)), list(compute_here(work))
    assert [len(computed) for _, computed in on_ray] == [3, 3, 2]
    for (keys, computed), (expected_keys, expected) in zip(on_ray, here, strict=True):
        assert keys.equals(expected_keys)
        np.testing.assert_array_equal(computed.values, expected.values)
        assert computed.formulas.tolist() == expected.formulas.tolist()
        assert computed.failures.tolist() == expected.failures.tolist()


def test_only_missing_rows_are_computed(tmp_path):
    featurize_rows(RowsInMemory("formula", FORMULAS[:6]), "composition", Cache(tmp_path), compute_on_ray)
    stored = featurize_rows(RowsInMemory("formula", FORMULAS), "composition", Cache(tmp_path), compute_on_ray)
    assert stored.computed == 2
    expected = assemble("composition", FEATURIZERS["composition"].compute(FORMULAS, "formula"))
    np.testing.assert_array_equal(stored.read(0, 8).values, expected.values)


@dataclasses.dataclass(frozen=True)
class Broken:
    """A source that breaks while it is read."""

    form: str = "formula"

    def batches(self, rows):
        raise DataError("table.csv: cannot be read; repair the file")
        yield


def test_errors_of_the_source_arrive_as_they_are():
    with pytest.raises(DataError, match="repair the file"):
        list(compute_on_ray(Work(Broken(), THREE_AT_A_TIME, np.arange(3))))


def test_ray_is_not_asked_for_a_few_rows(monkeypatch):
    def refuse(_):
        raise AssertionError("Ray was asked")

    monkeypatch.setattr(module, "compute_on_ray", refuse)
    few = Work(RowsInMemory("formula", FORMULAS), THREE_AT_A_TIME, np.arange(8))
    assert sum(len(computed) for _, computed in compute_with_session(None)(few)) == 8
    with pytest.raises(AssertionError, match="Ray was asked"):
        list(compute_with_session("auto")(few))
