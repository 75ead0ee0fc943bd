"""The command line, as a user meets it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml
from commands import assert_refused, succeed
from conftest import small_table

from irnet_ray.storage import Storage
from irnet_ray.study.read import read_study
from irnet_ray.study.result import RESULT_COLUMNS, TIME_COLUMNS
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.run_lock import only_run


def test_run_fills_the_documented_directory_and_prints_a_table(invoke, study_file, tmp_path):
    output = succeed(invoke("run", study_file, "--local"))
    run = tmp_path / "runs" / "small"
    assert tuple(pd.read_csv(run / "results.csv").columns) == RESULT_COLUMNS
    assert (run / "report" / "index.html").stat().st_size > 1000
    assert (run / "study.yaml").exists()
    assert str(run / "report" / "index.html") in output
    assert "irnet" in output
    assert output.count("test MAE") == 3
    documented = (Path(__file__).parents[1] / "docs" / "stored-data.md").read_text()
    for path in run.rglob("*"):
        if path.is_file() and "tensorboard" not in path.parts:
            assert path.stem in documented, f"{path.name} is not documented"
            assert path.suffix in documented


def test_run_again_trains_nothing_and_keeps_the_results(invoke, study_file, tmp_path):
    succeed(invoke("run", study_file, "--local"))
    before = (tmp_path / "runs" / "small" / "results.csv").read_bytes()
    output = succeed(invoke("run", study_file, "--local"))
    assert "3 trials, 3 done" in output
    assert "test MAE" not in output.replace("test MAE (", "")
    assert (tmp_path / "runs" / "small" / "results.csv").read_bytes() == before


def test_status_and_report_need_no_table(invoke, study_file):
    succeed(invoke("run", study_file, "--local"))
    study_file.with_name("table.csv").unlink()
    assert succeed(invoke("status", "runs/small")).count("done") == 3
    assert "report: " in succeed(invoke("report", "runs/small"))


def test_a_changed_table_is_another_study(invoke, study_file):
    succeed(invoke("run", study_file, "--local"))
    with study_file.with_name("table.csv").open("a") as file:
        file.write("MgO,1.0\n")
    assert_refused(invoke("run", study_file, "--local"), "no trial in common", "--force")


def test_storage_and_settings_are_taken(invoke, study_file, tmp_path):
    succeed(invoke("run", study_file, "--local", "--storage", "elsewhere", "--set", "models.networks.shortcut=layer"))
    results = pd.read_csv(tmp_path / "elsewhere" / "small" / "results.csv")
    assert results["model"].tolist() == ["irnet", "random_forest"]


def test_plan_prints_each_trial_with_its_parameters(invoke, study_file, tmp_path):
    trials = json.loads(succeed(invoke("plan", study_file, "--format", "json")))
    expected = read_study(study_file).trials()
    assert [trial["trial_id"] for trial in trials] == [trial.id for trial in expected]
    assert [trial["n_parameters"] for trial in trials] == [trial.count_parameters() for trial in expected]
    assert trials[0]["configuration"]["model"]["recipe"]["epochs"] == 3
    assert not (tmp_path / "runs").exists()
    table = succeed(invoke("plan", study_file))
    assert all(trial.id in table for trial in expected)
    assert "3 trials, 0 done" in table
    assert "patience" not in table
    patient = succeed(invoke("plan", study_file, "--set", "models.networks.recipe.patience=2"))
    assert "at most, as patience ends trainings earlier" in patient


def test_status_tells_what_is_done_failed_and_begun(invoke, study_file, tmp_path):
    succeed(invoke("run", study_file, "--local"))
    first, second, third = (trial.id for trial in read_study(study_file).trials())
    run = RunDirectory(str(tmp_path / "runs" / "small"))
    run.storage.delete(f"trials/{first}/DONE")
    run.storage.delete(f"trials/{second}/DONE")
    run.fail(second, "the loss is not finite")
    rows = {row["trial_id"]: row for row in json.loads(succeed(invoke("status", "runs/small", "--format", "json")))}
    assert rows[first]["state"] == "begun"
    assert (rows[first]["epoch"], rows[first]["epochs_planned"]) == (3, 3)
    assert rows[second]["state"] == "failed: the loss is not finite"
    assert rows[third]["state"] == "done"
    assert rows[third]["test_mae"] == pytest.approx(run.result(third)["test_mae"], rel=1e-3)
    assert first in succeed(invoke("status", "runs/small"))


def test_a_damaged_trial_is_told_by_status_and_report(invoke, study_file, tmp_path):
    succeed(invoke("run", study_file, "--local"))
    first, *others = (trial.id for trial in read_study(study_file).trials())
    (tmp_path / "runs" / "small" / "trials" / first / "result.json").write_text('{"trial_id": "half')
    assert "damaged: its result.json is damaged" in succeed(invoke("status", "runs/small"))
    succeed(invoke("report", "runs/small"))
    assert pd.read_csv(tmp_path / "runs" / "small" / "results.csv")["trial_id"].tolist() == others
    assert "its result.json is damaged" in (tmp_path / "runs/small/report/index.html").read_text()


def test_a_damaged_trial_is_done_again_and_no_other(invoke, study_file, tmp_path):
    succeed(invoke("run", study_file, "--local"))
    run = tmp_path / "runs" / "small"
    before = pd.read_csv(run / "results.csv").drop(columns=list(TIME_COLUMNS))
    first, *others = (trial.id for trial in read_study(study_file).trials())
    predictions = run / "trials" / first / "predictions.parquet"
    predictions.write_bytes(predictions.read_bytes()[:-100])
    written = {trial_id: (run / "trials" / trial_id / "DONE").stat().st_mtime_ns for trial_id in others}
    output = succeed(invoke("run", study_file, "--local"))
    assert "3 trials, 2 done" in output
    assert f"trial {first}: its predictions.parquet is damaged" in output
    assert "it is done again" in output
    pd.testing.assert_frame_equal(pd.read_csv(run / "results.csv")[before.columns], before)
    assert {trial_id: (run / "trials" / trial_id / "DONE").stat().st_mtime_ns for trial_id in others} == written
    shutil.copytree(run / "trials" / first, run / "trials" / "backup")
    (run / "trials" / "backup" / "result.json").write_text("{}")
    assert "3 trials, 3 done" in succeed(invoke("run", study_file, "--local"))
    assert (run / "trials" / "backup" / "DONE").exists()


def test_report_is_rebuilt_from_the_files(invoke, study_file, tmp_path):
    succeed(invoke("run", study_file, "--local"))
    page = tmp_path / "runs" / "small" / "report" / "index.html"
    before = page.read_bytes()
    page.unlink()
    succeed(invoke("report", "runs/small"))
    assert page.read_bytes() == before


def test_failed_trials_end_a_run_with_exit_code_2(invoke, study_file):
    diverging = "models.networks.recipe={base: fast, epochs: 1, learning_rate: 1.0e+30, standardize_target: false}"
    result = invoke("run", study_file, "--local", "--set", diverging)
    assert_refused(result, "2 trials failed")


@pytest.mark.parametrize("style", ["table", "json"])
def test_data_list_names_every_dataset(invoke, style):
    output = succeed(invoke("data", "list", "--format", style))
    for name in ("oqmd", "mp_formation_energy", "aflow_energy", "matbench_expt_gap", "ricci_transport"):
        assert name in output


def test_data_show_tells_units_source_licence_and_citation(invoke):
    output = succeed(invoke("data", "show", "oqmd"))
    for part in ("formation_enthalpy (eV/atom)", "341,594", "341,443", "crabnet", "CC BY 4.0", "Kirklin"):
        assert part in output


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("data", "show", "oqdm"), ("did you mean 'oqmd'?",)),
        (("data", "fetch", "nothing"), ("unknown dataset 'nothing'",)),
        (("plan", "none.yaml"), ("none.yaml", "No such file")),
        (("status", "nowhere"), ("holds no run",)),
        (("report", "nowhere"), ("holds no run",)),
        (("monitor", "nowhere"), ("holds no run",)),
    ],
)
def test_mistakes_end_in_one_line(invoke, arguments, parts):
    assert_refused(invoke(*arguments), *parts)


@pytest.mark.parametrize("command", ["status", "report"])
def test_a_study_where_its_run_is_wanted_is_no_run(invoke, study_file, command):
    assert_refused(invoke(command, study_file), "study.yaml' holds no run", "start one with 'irnet-ray run'")


def test_a_gpu_that_is_not_there_is_refused(invoke, study_file, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert_refused(
        invoke("run", study_file, "--local", "--set", "trainer.gpus_per_worker=1"), "trainer.gpus_per_worker"
    )
    assert not (tmp_path / "runs").exists()


def test_run_counts_the_rows_that_it_drops(invoke, study_file):
    with study_file.with_name("table.csv").open("a") as file:
        file.write("Xx2O3,1.0\n,2.0\n")
    assert_refused(invoke("run", study_file, "--local"), "unknown element 'Xx'")
    output = succeed(invoke("run", study_file, "--local", "--skip-bad-rows"))
    assert "252 of 254 rows kept; dropped 1 by drop_missing, 1 by reduce_composition" in output


def test_failures_of_trials_that_left_the_study_do_not_count(invoke, study_file, tmp_path):
    succeed(invoke("run", study_file, "--local"))
    RunDirectory(str(tmp_path / "runs" / "small")).fail("0123456789ab", "an earlier grid")
    succeed(invoke("run", study_file, "--local"))


@pytest.mark.parametrize(
    ("arguments", "part"), [(("rnu",), "did you mean 'run'?"), (("run", "x.yaml", "--locl"), "--local")]
)
def test_misspelt_commands_and_options_name_the_nearest(invoke, arguments, part):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert part in result.stderr


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"data": {"property": "energie"}}, ("did you mean 'energy'?",)),
        ({"data": {"dataset": {"formula": "formule"}}}, ("no column 'formule'", "did you mean 'formula'?")),
        ({"data": {"train_size": 100_000}}, ("100,000 asked", "204 training rows")),
        ({"models": {"networks": {"dept": 17}}}, ("unknown key 'dept'; did you mean 'depth'?",)),
    ],
)
def test_bad_studies_leave_nothing_behind(invoke, study_file, tmp_path, change, parts):
    from irnet_ray.study.read import merge

    study_file.write_text(yaml.safe_dump(merge(yaml.safe_load(study_file.read_text()), change)))
    for command in (("run", "--local"), ("plan",)):
        assert_refused(invoke(command[0], study_file, *command[1:]), *parts)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("value", ["1.0", "nan", ""])
def test_a_property_to_learn_nothing_from_is_refused(invoke, study_file, tmp_path, value):
    table = small_table().assign(energy=value)
    table.to_csv(study_file.with_name("table.csv"), index=False)
    assert_refused(invoke("run", study_file, "--local"), "energy")
    assert not (tmp_path / "runs").exists()


def test_a_directory_of_another_study_is_refused(invoke, study_file):
    succeed(invoke("run", study_file, "--local"))
    result = invoke("run", study_file, "--local", "--set", "data.train_size=99")
    assert_refused(result, "belongs to another study", "--force")
    succeed(invoke("run", study_file, "--local", "--set", "data.train_size=99", "--force"))


def test_a_killed_run_goes_on_and_ends_as_an_undisturbed_one(study_file, tmp_path, invoke):
    undisturbed = ("--local", "--storage", tmp_path / "undisturbed", "--set", "seeds=[0,1,2]")
    succeed(invoke("run", study_file, *undisturbed))
    command = [sys.executable, "-m", "irnet_ray", "run", str(study_file), "--local", "--set", "seeds=[0,1,2]"]
    process = subprocess.Popen(command, cwd=tmp_path, env=os.environ, stdout=subprocess.DEVNULL)
    trials = tmp_path / "runs" / "small" / "trials"
    deadline = time.monotonic() + 120
    while not list(trials.glob("*/DONE")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = {path: path.stat().st_mtime_ns for path in trials.glob("*/DONE")}
    succeed(invoke("run", study_file, "--local", "--set", "seeds=[0,1,2]"))
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert len(list(trials.glob("*/DONE"))) == 9
    times = list(TIME_COLUMNS)
    before, after = (
        pd.read_csv(folder / "small" / "results.csv").drop(columns=times)
        for folder in (tmp_path / "undisturbed", tmp_path / "runs")
    )
    pd.testing.assert_frame_equal(before, after, check_exact=True)


def test_a_second_run_of_the_same_directory_is_refused_while_the_first_one_lives(invoke, study_file, tmp_path):
    with only_run(Storage(str(tmp_path / "runs" / "small")), print):
        assert_refused(invoke("run", study_file, "--local"), "is being filled by process", "choose another --storage")
    assert "3 trials, 0 done" in succeed(invoke("run", study_file, "--local"))
    assert not (tmp_path / "runs" / "small" / "LOCK").exists()


def test_ctrl_c_ends_in_one_line(study_file, tmp_path):
    epochs = "models.networks.recipe={base: fast, epochs: 100000, batch_size: 32}"
    command = [sys.executable, "-m", "irnet_ray", "run", str(study_file), "--local", "--set", epochs]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    trials = tmp_path / "runs" / "small" / "trials"
    while not list(trials.glob("*/config.json")) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGINT
    assert complaint == "interrupted; the same command goes on from what is kept\n"


def test_monitor_starts_tensorboard_on_the_run(invoke, study_file, tmp_path, monkeypatch):
    succeed(invoke("run", study_file, "--local"))
    called = []
    monkeypatch.setattr("os.execv", lambda program, arguments: called.append(arguments))
    succeed(invoke("monitor", "runs/small", "--port", "7007"))
    folder = called[0][called[0].index("--logdir") + 1]
    assert Path(folder) == tmp_path / "runs" / "small" / "tensorboard"
    assert len(list(Path(folder).iterdir())) == 2
    assert called[0][-1] == "7007"
