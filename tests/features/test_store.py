from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irnet_ray.cache import Cache
from irnet_ray.errors import StorageError
from irnet_ray.features import store as store_module
from irnet_ray.features.featurizers import FEATURIZERS
from irnet_ray.features.store import AttributeStore, PartWriter, row_keys

COMPOSITION = FEATURIZERS["composition"]
FORMULAS = ["NaCl", "Fe2O3", "SrTiO3", "Xx9", "LiFePO4", "Al", "CaF2", "ZnS"]


def write(root, formulas, featurizer=COMPOSITION):
    with PartWriter(AttributeStore(Cache(root), featurizer)) as writer:
        for start in range(0, len(formulas), 2):
            texts = formulas[start : start + 2]
            writer.append(row_keys(texts, "formula"), featurizer.compute(texts, "formula"))


def parts(root):
    return sorted((root / AttributeStore(Cache(root), COMPOSITION).folder).iterdir())


def test_rows_come_back_as_they_were_computed_in_any_order(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "ROWS_A_PART", 3)
    write(tmp_path, FORMULAS)
    assert len(parts(tmp_path)) == 2
    store = AttributeStore(Cache(tmp_path), COMPOSITION)
    order = [6, 3, 0, 0, 7, 5]
    wanted = [FORMULAS[row] for row in order]
    found = store.read(store.locate(row_keys(wanted, "formula")))
    expected = COMPOSITION.compute(wanted, "formula")
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.formulas.tolist() == expected.formulas.tolist()
    assert found.failures.tolist() == expected.failures.tolist() == [None, "unknown element 'Xx'", *[None] * 4]


def test_rows_that_are_missing_are_told_from_those_that_are_there(tmp_path):
    store = AttributeStore(Cache(tmp_path), COMPOSITION)
    assert store.locate(row_keys(FORMULAS, "formula")).tolist() == [-1] * len(FORMULAS)
    write(tmp_path, FORMULAS[:5])
    places = AttributeStore(Cache(tmp_path), COMPOSITION).locate(row_keys(FORMULAS[::-1], "formula"))
    assert places.tolist() == [-1, -1, -1, 4, 3, 2, 1, 0]


def test_parts_hold_double_precision_under_matminers_labels(tmp_path):
    write(tmp_path, FORMULAS)
    table = pq.read_table(parts(tmp_path)[0])
    assert table.column_names == ["key", "formula", "failure", *COMPOSITION.labels]
    assert {str(table.schema.field(label).type) for label in COMPOSITION.labels} == {"double"}


def test_what_waits_is_written_when_the_work_is_interrupted(tmp_path):
    def interrupted():
        with PartWriter(AttributeStore(Cache(tmp_path), COMPOSITION)) as writer:
            writer.append(row_keys(["NaCl"], "formula"), COMPOSITION.compute(["NaCl"], "formula"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert AttributeStore(Cache(tmp_path), COMPOSITION).locate(row_keys(["NaCl"], "formula")).tolist() == [0]


def test_a_part_is_written_after_some_seconds_at_the_latest(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "SECONDS_A_PART", 0.0)
    write(tmp_path, FORMULAS)
    assert len(parts(tmp_path)) == 4


def test_two_writers_do_not_overwrite_each_other(tmp_path):
    write(tmp_path, FORMULAS)
    write(tmp_path, FORMULAS)
    assert len(parts(tmp_path)) == 2
    assert AttributeStore(Cache(tmp_path), COMPOSITION).locate(row_keys(FORMULAS, "formula")).min() >= 0


def test_another_version_finds_nothing(tmp_path, monkeypatch):
    write(tmp_path, FORMULAS)
    newer = dataclasses.replace(COMPOSITION, version=COMPOSITION.version + 1)
    assert AttributeStore(Cache(tmp_path), newer).locate(row_keys(FORMULAS, "formula")).max() == -1
    monkeypatch.setattr(store_module.metadata, "version", lambda _: "another")
    assert AttributeStore(Cache(tmp_path), COMPOSITION).locate(row_keys(FORMULAS, "formula")).max() == -1


def test_what_an_interrupted_writer_left_is_not_read(tmp_path):
    write(tmp_path, FORMULAS)
    (whole,) = parts(tmp_path)
    whole.with_suffix(".part").write_bytes(whole.read_bytes()[:1000])
    assert AttributeStore(Cache(tmp_path), COMPOSITION).locate(row_keys(FORMULAS, "formula")).min() >= 0


def test_a_part_cut_short_is_deleted_and_its_rows_are_missing(tmp_path, caplog):
    write(tmp_path, FORMULAS)
    (whole,) = parts(tmp_path)
    whole.write_bytes(whole.read_bytes()[:1000])
    store = AttributeStore(Cache(tmp_path), COMPOSITION)
    assert store.locate(row_keys(FORMULAS, "formula")).max() == -1
    assert parts(tmp_path) == []
    assert f"{whole.name}' was damaged" in caplog.text


def test_no_altered_byte_is_trusted(tmp_path):
    write(tmp_path, FORMULAS)
    (whole,) = parts(tmp_path)
    content = whole.read_bytes()
    keys = row_keys(FORMULAS, "formula")
    for place in range(0, len(content), len(content) // 60):
        whole.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        store = AttributeStore(Cache(tmp_path), COMPOSITION)
        places = store.locate(keys)
        if (places >= 0).any():  # the keys are whole
            assert store.discard_damaged(places[places >= 0])
            with pytest.raises(StorageError, match=r"was damaged or deleted; run the same command again"):
                store.read(places[places >= 0])
        assert parts(tmp_path) == []


def test_what_is_whole_is_not_discarded(tmp_path):
    write(tmp_path, FORMULAS)
    store = AttributeStore(Cache(tmp_path), COMPOSITION)
    assert not store.discard_damaged(store.locate(row_keys(FORMULAS, "formula")))
    assert len(parts(tmp_path)) == 1


def test_a_file_without_a_digest_in_its_name_is_none_of_ours(tmp_path):
    write(tmp_path, FORMULAS)
    (whole,) = parts(tmp_path)
    other = whole.rename(whole.with_name("0123-abcd.parquet"))
    assert AttributeStore(Cache(tmp_path), COMPOSITION).locate(row_keys(FORMULAS, "formula")).max() == -1
    assert other.exists()


def test_a_full_disk_leaves_no_part(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(StorageError, match=r"No space left on device.*IRNET_RAY_CACHE"):
        write(tmp_path, FORMULAS)
    assert parts(tmp_path) == []


@given(st.lists(st.text(), max_size=20), st.sampled_from(["formula", "poscar", "cif"]))
def test_keys_depend_on_text_and_form_alone(texts, form):
    keys = row_keys(texts, form).to_pylist()
    assert keys == [row_keys([text], form).to_pylist()[0] for text in texts]
    assert len(set(keys)) == len(set(texts))
    assert not set(keys) & set(row_keys(texts, "json").to_pylist())
