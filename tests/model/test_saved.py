from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from conftest import small_table

from irnet_ray import IRNetRegressor
from irnet_ray.errors import ConfigurationError, DataError, StorageError, UserError
from irnet_ray.model import checkpoint, saved
from irnet_ray.model.recipe import Recipe

TABLE = small_table()
NUMBERS = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=["a", "b", "c"])


def small(**parameters) -> IRNetRegressor:
    return IRNetRegressor(**{"depth": 10, "width": 0.05, "epochs": 3, **parameters})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "energies.irnet"


@pytest.fixture(scope="module")
def model():
    return small(members=2, random_state=3).fit(TABLE["formula"], TABLE["energy"])


def altered(model, path, **changes):
    """Writes the model's file with other values, and a digest that fits them."""
    model.save(path)
    path.write_bytes(checkpoint.encode({**checkpoint.decode(path.read_bytes()), **changes}))


def test_a_loaded_regressor_is_the_saved_one(model, path):
    model.save(path)
    loaded = IRNetRegressor.load(path)
    np.testing.assert_array_equal(loaded.predict(TABLE["formula"]), model.predict(TABLE["formula"]))
    assert loaded.get_params() == model.get_params()
    pd.testing.assert_frame_equal(loaded.history_, model.history_)
    np.testing.assert_array_equal(loaded.validation_rows_, model.validation_rows_)
    names = ("best_epoch_", "n_iter_", "seeds_", "representation_", "architecture_", "recipe_", "n_features_in_")
    assert [getattr(loaded, name) for name in names] == [getattr(model, name) for name in names]
    assert set(vars(loaded)) == set(vars(model))


def test_a_loaded_regressor_learns_again_in_the_same_way(model, path):
    model.save(path)
    again = IRNetRegressor.load(path).fit(TABLE["formula"], TABLE["energy"])
    np.testing.assert_array_equal(again.predict(["NaCl", "Fe2O3"]), model.predict(["NaCl", "Fe2O3"]))


def test_names_of_columns_are_kept(path):
    fitted = small().fit(NUMBERS, NUMBERS["a"], X_val=NUMBERS[:5], y_val=NUMBERS["a"][:5])
    fitted.save(path)
    loaded = IRNetRegressor.load(path)
    assert list(loaded.feature_names_in_) == ["a", "b", "c"]
    assert loaded.validation_rows_ is None
    np.testing.assert_array_equal(loaded.predict(NUMBERS), fitted.predict(NUMBERS))
    with pytest.raises(DataError, match="feature names"):
        loaded.predict(NUMBERS[["c", "b", "a"]])


def test_parameters_of_other_kinds_mean_the_same(path):
    recipe = Recipe.model_validate({"base": "paper", "epochs": 2})
    fitted = small(recipe=recipe, epochs=None, width=np.float64(0.05), members=np.int64(1))
    fitted.set_params(random_state=np.random.RandomState(0)).fit(NUMBERS, NUMBERS["a"]).save(path)
    loaded = IRNetRegressor.load(path)
    assert Recipe.model_validate(loaded.recipe) == recipe == loaded.recipe_
    assert (loaded.width, loaded.members, loaded.random_state) == (0.05, 1, None)


@pytest.mark.parametrize("length", [0, 20, 32, 40, 1000, -1])
def test_a_truncated_file_is_refused(model, path, length):
    model.save(path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataError, match=r"energies.irnet' is damaged, or no file of IRNetRegressor.save"):
        IRNetRegressor.load(path)


def test_an_altered_file_is_refused(model, path):
    model.save(path)
    content = path.read_bytes()
    for position in np.random.default_rng(0).integers(len(content), size=20):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        with pytest.raises(DataError, match="is damaged"):
            IRNetRegressor.load(path)


class Harmful:
    def __reduce__(self):
        return exec, ("raise AssertionError('code from the file was run')",)


@pytest.mark.parametrize("content", [b"no such file", pickle.dumps(Harmful(), protocol=2)], ids=["text", "pickle"])
def test_a_foreign_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(DataError, match="is damaged"):
        IRNetRegressor.load(path)


def test_code_in_a_file_is_not_run(path):
    path.write_bytes(checkpoint.encode({"format": Harmful()}))
    with pytest.raises(DataError, match="is damaged"):
        IRNetRegressor.load(path)


@pytest.mark.parametrize("state", [{"network": {}}, {"format": "another"}])
def test_a_checkpoint_is_no_saved_regressor(path, state):
    path.write_bytes(checkpoint.encode(state))
    with pytest.raises(DataError, match="is damaged"):
        IRNetRegressor.load(path)


@pytest.mark.parametrize("changes", [{"version": 2}, {"attributes_version": 0}])
def test_a_file_of_another_version_is_refused(model, path, changes):
    altered(model, path, **changes, written_by="9.9")
    with pytest.raises(DataError, match=r"was saved by irnet-ray 9.9, .* load it with that version"):
        IRNetRegressor.load(path)


def test_a_file_that_cannot_be_read_or_written(model, tmp_path):
    with pytest.raises(StorageError, match=r"cannot read .*nowhere.irnet': No such file"):
        IRNetRegressor.load(tmp_path / "nowhere.irnet")
    with pytest.raises(StorageError, match=r"cannot write .*: No such file"):
        model.save(tmp_path / "nowhere" / "energies.irnet")
    with pytest.raises(StorageError, match="cannot read"):
        IRNetRegressor.load(tmp_path)
    with pytest.raises(StorageError, match="cannot write"):
        model.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_place_in_which_no_file_can_be_is_told_in_one_line(model, tmp_path):
    (tmp_path / "file.txt").touch()
    with pytest.raises(StorageError, match="Not a directory; make room, or choose another path"):
        model.save(tmp_path / "file.txt" / "energies.irnet")


def test_a_file_is_replaced_whole_or_not_at_all(model, path, monkeypatch):
    model.save(path)
    before = path.read_bytes()

    def fail(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saved.os, "replace", fail)
    with pytest.raises(StorageError, match="No space left on device; make room"):
        model.save(path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_it_must_be_fitted_and_have_a_device(model, path):
    with pytest.raises(UserError, match="not fitted"):
        small().save(path)
    model.save(path)
    with pytest.raises(ConfigurationError, match="device: torch cannot use 'gpu' here"):
        IRNetRegressor.load(path, device="gpu")
