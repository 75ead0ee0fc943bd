from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import uuid

import numpy as np
import pandas as pd
import pytest

from irnet_ray.errors import ConfigurationError, RunError, StorageError
from irnet_ray.model.history import Epoch
from irnet_ray.model.metrics import evaluate
from irnet_ray.study.read import read_study
from irnet_ray.study.result import RESULT_COLUMNS, make_result
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.run_trials import check_owner, samples_of
from irnet_ray.study.space import Search
from irnet_ray.study.spec import Trainer

RATES = {"models.networks.recipe.learning_rate": {"choice": [1e-3, 1e-2]}}


@pytest.fixture
def study(study_file):
    return read_study(study_file)


@pytest.fixture
def run(tmp_path, study):
    directory = RunDirectory(str(tmp_path / "run"))
    directory.claim(study)
    return directory


def complete(run, trial, test_mae=0.1, rows=28, history=None):
    target = np.array([0.0, 1.0, 2.0])
    metrics = evaluate(target, target + test_mae)
    run.begin(trial, Trainer())
    result = make_result(
        trial,
        Trainer(),
        unit="eV/atom",
        rows=(150, 17, rows),
        validation=metrics,
        test=metrics,
        epochs=3,
        best_epoch=2,
        train_seconds=1.0,
        predict_seconds=0.1,
    )
    predictions = pd.DataFrame({"part": "test", "formula": "NaCl", "target": target, "prediction": target + test_mae})
    run.complete(trial.id, result, predictions, history)


def test_study_comes_back_as_it_was(run, study):
    assert run.study() == study


def test_what_is_written_is_read_back(run, study):
    trial = study.trials()[0]
    history = [Epoch(1, 5, 1e-3, 0.5, 0.4, 1.0), Epoch(2, 10, 1e-4, 0.3, 0.2, 2.0)]
    run.write_history(trial.id, history)
    complete(run, trial)
    assert run.finished() == {trial.id}
    assert run.history(trial.id)["val_mae"].tolist() == [0.4, 0.2]
    assert run.predictions(trial.id)["prediction"].tolist() == pytest.approx([0.1, 1.1, 2.1])
    assert run.result(trial.id)["test_mae"] == pytest.approx(0.1)


def test_results_have_a_row_for_each_finished_trial_in_the_order_of_the_grid(run, study):
    trials = study.trials()
    for trial in reversed(trials[:2]):
        complete(run, trial)
    run.write_results(trials)
    table = pd.read_csv(run.storage.local_path / "results.csv")
    assert tuple(table.columns) == RESULT_COLUMNS
    assert table["trial_id"].tolist() == [trial.id for trial in trials[:2]]
    assert table["depth"].tolist() == [10, 10]


@pytest.fixture
def finished(run, study):
    """A finished trial with all its files, and its folder."""
    trial = study.trials()[0]
    complete(run, trial, rows=3, history=[Epoch(1, 10, 1e-3, 0.5, 0.4, 1.0)])
    return trial.id, run.storage.local_path / "trials" / trial.id


FILES = ("history.csv", "predictions.parquet", "result.json", "DONE")


@pytest.mark.parametrize("name", FILES)
def test_an_altered_byte_of_a_finished_trial_is_noticed_wherever_it_is(run, finished, name):
    trial_id, folder = finished
    assert run.damages([trial_id]) == {}
    content = (folder / name).read_bytes()
    for place in range(0, len(content), 1 + len(content) // 50):
        (folder / name).write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert list(run.damages([trial_id])) == [trial_id]
    (folder / name).write_bytes(content)
    assert run.damages([trial_id]) == {}


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_is_noticed_and_the_trial_can_be_done_again(run, finished, name):
    trial_id, folder = finished
    with (folder / name).open("r+b") as file:
        file.truncate(20)
    assert list(run.damages([trial_id])) == [trial_id]
    run.forget(trial_id)
    assert run.finished() == set()
    assert run.damages([trial_id]) == {}


@pytest.mark.parametrize("name", FILES[:-1])
def test_a_file_that_is_lost_is_noticed(run, finished, name):
    trial_id, folder = finished
    (folder / name).unlink()
    assert name in run.damages([trial_id])[trial_id]


def test_only_the_trials_that_are_asked_for_are_looked_at(run, finished):
    trial_id, folder = finished
    shutil.copytree(folder, folder.with_name("copy"))
    assert list(run.damages([trial_id])) == []
    assert list(run.damages(["copy"])) == ["copy"]


def test_a_stopped_trial_with_a_damaged_history_can_be_done_again(run, study):
    trial = study.trials()[0]
    run.begin(trial, Trainer())
    run.stop(trial.id, "stopped by asha")
    run.storage.write(f"trials/{trial.id}/history.csv", b"epoch")
    assert "history.csv" in run.damages([trial.id])[trial.id]
    run.forget(trial.id)
    assert run.stopped() == {}


def test_a_property_without_variance_is_no_damage(run, study):
    trial = study.trials()[0]
    complete(run, trial, rows=3)
    result = {**run.result(trial.id), "test_r2": float("nan")}
    run.complete(trial.id, result, run.predictions(trial.id))
    assert run.damages([trial.id]) == {}


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum on this machine")
def test_a_common_tool_can_check_a_finished_trial(finished):
    _, folder = finished
    check = ["sha256sum", "--check", "--strict", "DONE"]
    assert subprocess.run(check, cwd=folder, stdout=subprocess.DEVNULL, check=False).returncode == 0
    (folder / "history.csv").write_bytes(b"epoch")
    assert subprocess.run(check, cwd=folder, capture_output=True, check=False).returncode == 1


def test_a_trial_without_done_is_not_finished(run, study):
    trial = study.trials()[0]
    complete(run, trial)
    run.storage.delete(f"trials/{trial.id}/DONE")
    assert run.finished() == set()


def test_checkpoint_goes_when_the_trial_is_done(run, study):
    trial = study.trials()[0]
    run.write_checkpoint(trial.id, b"state")
    assert run.read_checkpoint(trial.id) == b"state"
    complete(run, trial)
    assert run.read_checkpoint(trial.id) is None


def test_failures_are_told_and_forgotten_at_the_next_attempt(run, study):
    trial = study.trials()[0]
    run.fail(trial.id, "the loss is not finite")
    assert run.failures() == {trial.id: "the loss is not finite"}
    run.begin(trial, Trainer())
    assert run.failures() == {}


def test_a_trial_that_is_done_did_not_fail(run, study):
    trial = study.trials()[0]
    complete(run, trial)
    run.fail(trial.id, "its process ended 3 times without a result")  # it ended before it could tell
    assert run.failures() == {}
    complete(run, trial)
    assert not run.storage.exists(f"trials/{trial.id}/error.txt")


def test_an_empty_done_proves_nothing(run, study):
    trial = study.trials()[0]
    complete(run, trial)
    run.storage.write(f"trials/{trial.id}/DONE", b"")
    assert run.damages([trial.id]) == {trial.id: "its DONE is damaged"}
    assert run.result_if_done(trial.id) is None


@pytest.mark.parametrize("content", [b"", b"{", b'{"trainer"', b"[]", b"null"])
def test_small_files_that_are_garbled_prove_nothing(run, study, content):
    trial = study.trials()[0]
    run.begin(trial, Trainer())
    run.write_checkpoint(trial.id, b"state")
    for name in ("config.json", "sample.json"):
        run.storage.write(f"trials/{trial.id}/{name}", content)
    run.check_trainer([trial], Trainer(workers=2))  # the checkpoint says who made it
    search = Search.model_validate({"algorithm": "random", "samples": 1, "space": RATES})
    assert samples_of(run, study.model_copy(update={"search": search})) == []


def test_what_a_killed_run_had_begun_to_write_is_no_obstacle(tmp_path, study):
    directory = RunDirectory(str(tmp_path / "run"))
    directory.storage.write(f"study.yaml.{uuid.uuid4().hex}.part", b"name: sm")
    check_owner(directory, study, study.trials())
    directory.claim(study)
    assert directory.storage.files("") == {"study.yaml"}


def test_directory_of_another_study_is_refused(run, study_file):
    other = read_study(study_file, settings=["data.train_size=99"])
    with pytest.raises(RunError, match=r"belongs to another study.*--force"):
        check_owner(run, other, other.trials())
    renamed = read_study(study_file, settings=["name=other"])
    with pytest.raises(RunError, match="belongs to another study"):
        check_owner(run, renamed, renamed.trials())


def test_a_grown_grid_goes_on(run, study_file):
    grown = read_study(study_file, settings=["seeds=[0,1]"])
    check_owner(run, grown, grown.trials())
    run.claim(grown)
    assert run.study() == grown


def test_a_folder_that_holds_something_else_is_refused(tmp_path, study):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("x")
    with pytest.raises(RunError, match="holds no run"):
        check_owner(RunDirectory(str(tmp_path / "thesis")), study, study.trials())


def test_clearing_deletes_our_files_only(run, study):
    complete(run, study.trials()[0])
    (run.storage.local_path / "notes.txt").write_text("mine")
    run.claim(study, clear=True)
    assert run.finished() == set()
    assert run.storage.names() == ["notes.txt", "study.yaml"]


def test_no_run_is_one_line(tmp_path):
    with pytest.raises(RunError, match="holds no run"):
        RunDirectory(str(tmp_path)).study()


def test_an_altered_study_is_one_line(run):
    run.storage.write("study.yaml", b"name: [")
    with pytest.raises(ConfigurationError, match=r"study\.yaml: not valid YAML"):
        run.study()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_directory_is_one_line(tmp_path, study):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(StorageError, match="Permission denied"):
        RunDirectory(str(tmp_path / "run")).claim(study)


def test_configuration_names_the_trial(run, study):
    trial = study.trials()[0]
    run.begin(trial, Trainer())
    configuration = json.loads(run.storage.read(f"trials/{trial.id}/config.json"))
    assert configuration["trial_id"] == trial.id
    assert configuration["train_size"] == 150
