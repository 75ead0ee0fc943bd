from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from irnet_ray.errors import StorageError
from irnet_ray.features import cache as cache_module
from irnet_ray.features.cache import FeatureCache, compute_part
from irnet_ray.features.representation import featurize, labels

FORMULAS = ["NaCl", "Fe2O3", "SrTiO3", "LiFePO4", "Al", "CaF2", "ZnS"]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(cache_module, "ROWS_A_PART", 3)


def filled(root, formulas=FORMULAS, name="composition+fractions"):
    cache = FeatureCache(root, formulas, name)
    for part in cache.missing():
        compute_part(cache.folder, cache.name, part)
    return cache


def test_rows_come_back_as_they_were_computed(tmp_path):
    cache = filled(tmp_path)
    expected = featurize(FORMULAS, "composition+fractions").astype(np.float32)
    np.testing.assert_array_equal(cache.load(np.arange(len(FORMULAS))), expected)
    np.testing.assert_array_equal(cache.load(np.array([1, 3, 6])), expected[[1, 3, 6]])


def test_parts_hold_double_precision_under_matminers_labels(tmp_path):
    cache = filled(tmp_path)
    tables = [pq.read_table(path) for path in cache.tables()]
    assert tuple(tables[0].column_names) == labels("composition+fractions")
    values = np.concatenate([np.column_stack([column.to_numpy() for column in table.columns]) for table in tables])
    np.testing.assert_array_equal(values, featurize(FORMULAS, "composition+fractions"))


def test_only_missing_parts_are_asked_for(tmp_path):
    cache = FeatureCache(tmp_path, FORMULAS, "composition")
    assert [(part.start, list(part.formulas)) for part in cache.missing()] == [
        (0, FORMULAS[:3]),
        (3, FORMULAS[3:6]),
        (6, FORMULAS[6:]),
    ]
    compute_part(cache.folder, cache.name, cache.missing()[1])
    assert [part.start for part in cache.missing()] == [0, 6]
    assert not filled(tmp_path, name="composition").missing()


def test_the_key_tells_formulas_and_representations_apart(tmp_path):
    folders = {
        FeatureCache(tmp_path, formulas, name).folder
        for formulas in (FORMULAS, FORMULAS[::-1], FORMULAS[:-1])
        for name in ("composition", "fractions", "composition+fractions")
    }
    assert len(folders) == 9
    one, other = (FeatureCache(tmp_path, FORMULAS, name) for name in ("composition+fractions", "fractions+composition"))
    assert one.folder == other.folder


def test_the_key_depends_on_the_version_of_the_features(tmp_path, monkeypatch):
    before = FeatureCache(tmp_path, FORMULAS, "composition").folder
    monkeypatch.setattr("irnet_ray.features.representation.VERSION", 10**6)
    assert FeatureCache(tmp_path, FORMULAS, "composition").folder != before


def test_a_full_disk_leaves_no_part(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    cache = FeatureCache(tmp_path, FORMULAS, "composition")
    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(StorageError, match=r"No space left on device.*IRNET_RAY_CACHE"):
        compute_part(cache.folder, cache.name, cache.missing()[0])
    assert list(cache.folder.iterdir()) == []
