"""What another run has done is not done again."""

from __future__ import annotations

import json

import pandas as pd
import pytest
import yaml
from commands import assert_refused, succeed

from irnet_ray.study.run_directory import RunDirectory

FIRST = ("--local", "--storage", "first")
SECOND = ("--local", "--storage", "second", "--reuse", "first/small")
SEEDS = ("--set", "seeds=[0, 1]")


@pytest.fixture
def first(invoke, study_file, tmp_path):
    """A run of the study's three trials."""
    succeed(invoke("run", study_file, *FIRST))
    return RunDirectory(str(tmp_path / "first" / "small"))


@pytest.fixture
def done(monkeypatch):
    """The ids of the trials that are done from now on."""
    from irnet_ray.study import local

    execute, ids = local.execute, []

    def note(trial, *arguments):
        ids.append(trial.id)
        return execute(trial, *arguments)

    monkeypatch.setattr(local, "execute", note)
    return ids


def results(folder):
    return pd.read_csv(folder / "small" / "results.csv")


def test_only_what_the_other_run_lacks_is_done(invoke, study_file, tmp_path, first, done):
    output = succeed(invoke("run", study_file, *SECOND, *SEEDS))
    assert "6 trials, 0 done, 3 to take over from other runs" in output
    second = RunDirectory(str(tmp_path / "second" / "small"))
    assert not set(done) & first.finished()
    assert second.finished() == first.finished() | set(done)
    assert len(done) == 3
    before, after = results(tmp_path / "first"), results(tmp_path / "second")
    taken = after[after["trial_id"].isin(before["trial_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(taken, before, check_exact=True)
    assert second.storage.files("tensorboard") >= first.storage.files("tensorboard")
    assert second.damages(second.finished()) == {}


@pytest.mark.parametrize(("setting", "value"), [("workers", 2), ("bfloat16", True)])
def test_nothing_is_taken_that_is_damaged_or_computed_otherwise(
    invoke, study_file, tmp_path, first, done, setting, value
):
    damaged, other = results(tmp_path / "first").query("model != 'random_forest'")["trial_id"]
    first.storage.write(f"trials/{damaged}/predictions.parquet", b"PAR1 half a file")
    configuration = json.loads(first.storage.read(f"trials/{other}/config.json"))
    configuration["trainer"][setting] = value
    first.storage.write(f"trials/{other}/config.json", json.dumps(configuration).encode())
    assert "1 to take over" in succeed(invoke("run", study_file, *SECOND))
    assert set(done) == {damaged, other}


def test_networks_of_one_run_are_all_computed_alike(invoke, study_file, first, done):
    refused = invoke("run", study_file, *FIRST, *SEEDS, "--set", "trainer.bfloat16=true")
    assert_refused(refused, "trainer.bfloat16: networks of the run were trained with False")
    assert done == []
    succeed(invoke("run", study_file, *FIRST, *SEEDS, "--set", "trainer.synchronized_batch_norm=true"))
    assert len(done) == 3  # of one worker it is the same


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"trainer": null}'])
def test_a_network_whose_workers_nobody_knows_is_not_taken(invoke, study_file, tmp_path, first, done, content):
    network = results(tmp_path / "first").query("model != 'random_forest'")["trial_id"].iloc[0]
    first.storage.write(f"trials/{network}/config.json", content)
    assert "2 to take over" in succeed(invoke("run", study_file, *SECOND))
    assert done == [network]


@pytest.mark.parametrize("name", ["first/small", "first/small/", "first/../first/small", "file://{}/first/small"])
def test_a_run_is_not_cleared_to_take_over_from_itself(invoke, study_file, tmp_path, first, name):
    finished, itself = first.finished(), name.format(tmp_path)
    assert_refused(invoke("run", study_file, *FIRST, "--reuse", itself, "--force"), "is the run itself")
    assert first.finished() == finished


def test_what_was_begun_is_replaced(invoke, study_file, tmp_path, first, done):
    second = RunDirectory(str(tmp_path / "second" / "small"))
    second.claim(first.study())
    (trial_id, *_) = first.finished()
    second.fail(trial_id, "it diverged")
    second.write_checkpoint(trial_id, b"half")
    succeed(invoke("run", study_file, *SECOND))
    assert done == []
    assert second.failures() == {}
    assert set(second.storage.names(f"trials/{trial_id}")) == set(first.storage.names(f"trials/{trial_id}"))


def test_a_run_is_started_over_with_what_another_has(invoke, study_file, tmp_path, first, done):
    succeed(invoke("run", study_file, "--local", "--storage", "second"))
    done.clear()
    first.forget(min(first.finished()))
    succeed(invoke("run", study_file, *SECOND, "--force"))
    assert len(done) == 1


def test_nothing_is_cleared_or_taken_where_the_data_are_bad(invoke, study_file, tmp_path, first):
    succeed(invoke("run", study_file, "--local", "--storage", "second", "--set", "seeds=1"))
    second = RunDirectory(str(tmp_path / "second" / "small"))
    before = {path: second.storage.read(path) for path in second.storage.files("")}
    with (tmp_path / "table.csv").open("a") as table:
        table.write("NotAFormula,1.0\n")
    result = invoke("run", study_file, *SECOND, "--force", "--set", "seeds=[0, 1]")
    assert_refused(result, "NotAFormula")
    assert {path: second.storage.read(path) for path in second.storage.files("")} == before


def test_what_is_no_run_is_refused(invoke, study_file, tmp_path):
    assert_refused(invoke("run", study_file, *SECOND), "--reuse", "first/small' holds no run")
    assert not (tmp_path / "second").exists()


def test_searches_are_refused(invoke, study_file, tmp_path, first):
    content = yaml.safe_load(study_file.read_text())
    content["models"]["networks"]["shortcut"] = "layer"
    del content["models"]["forest"]
    rates = {"models.networks.recipe.learning_rate": {"choice": [1e-3, 1e-2]}}
    content["search"] = {"algorithm": "random", "samples": 2, "space": rates}
    study_file.write_text(yaml.safe_dump(content))
    assert_refused(invoke("run", study_file, *SECOND), "--reuse: a search draws its trials as it goes")
    assert not (tmp_path / "second").exists()
