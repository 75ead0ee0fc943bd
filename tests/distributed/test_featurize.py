from __future__ import annotations

import numpy as np
import pytest

from irnet_ray.distributed.featurize import compute_missing
from irnet_ray.errors import FormulaError, StorageError
from irnet_ray.features import cache as cache_module
from irnet_ray.features.cache import FeatureCache
from irnet_ray.features.representation import featurize

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]

FORMULAS = ["NaCl", "Fe2O3", "SrTiO3", "LiFePO4", "Al", "CaF2", "ZnS"]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(cache_module, "ROWS_A_PART", 3)


def test_ray_data_computes_what_one_process_computes(tmp_path):
    cache = FeatureCache(tmp_path, FORMULAS, "composition+fractions")
    compute_missing(cache)
    assert not cache.missing()
    expected = featurize(FORMULAS, "composition+fractions").astype(np.float32)
    np.testing.assert_array_equal(cache.load(np.arange(len(FORMULAS))), expected)


def test_what_is_there_is_not_computed_again(tmp_path):
    cache = FeatureCache(tmp_path, FORMULAS, "composition")
    compute_missing(cache)
    before = [path.stat().st_mtime_ns for path in cache.tables()]
    cache.tables()[1].unlink()
    compute_missing(cache)
    after = [path.stat().st_mtime_ns for path in cache.tables()]
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1] > before[1]


def test_errors_of_workers_arrive_as_they_are(tmp_path):
    with pytest.raises(FormulaError, match="'Xx'"):
        compute_missing(FeatureCache(tmp_path, ["NaCl", "Xx2"], "composition"))
    (tmp_path / "features").write_text("a file where a folder should be")
    with pytest.raises(StorageError, match="cannot write features"):
        compute_missing(FeatureCache(tmp_path, FORMULAS, "composition"))
