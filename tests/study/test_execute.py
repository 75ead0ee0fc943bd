"""Trials in this one process: from a table to the files of a run."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import small_table
from rich.console import Console

from irnet_ray.distributed.launch import run_study
from irnet_ray.errors import ConfigurationError, FormulaError, RunError, TrainingError, UserError
from irnet_ray.features.composition import composition_attributes
from irnet_ray.formula import parse_all, reduced_formulas
from irnet_ray.model import checkpoint
from irnet_ray.model import fit as training
from irnet_ray.model.metrics import evaluate
from irnet_ray.report.status_text import status_table
from irnet_ray.study import execute as execution
from irnet_ray.study.featurize import compute_here
from irnet_ray.study.prepare import prepare
from irnet_ray.study.read import read_study
from irnet_ray.study.result import TIME_COLUMNS
from irnet_ray.study.run_directory import RunDirectory


def run_here(study_file, folder, *settings, **options):
    study = read_study(study_file, settings=settings)
    run = RunDirectory(str(folder))
    return run, run_study(study, run, console=Console(quiet=True), local=True, **options)


@pytest.fixture
def finished(study_file, tmp_path):
    return run_here(study_file, tmp_path / "run")


def without_times(results):
    return results.drop(columns=list(TIME_COLUMNS))


def test_every_trial_leaves_its_files(finished):
    run, results = finished
    assert len(results) == 3
    for trial_id, model in zip(results["trial_id"], results["model"], strict=True):
        names = {"DONE", "config.json", "predictions.parquet", "result.json"}
        assert set(run.storage.names(f"trials/{trial_id}")) == names | (
            {"history.csv"} if model != "random_forest" else set()
        )
    assert run.storage.exists("results.csv")
    assert len(run.storage.files("tensorboard")) >= 2


def test_results_follow_from_the_predictions(finished):
    run, results = finished
    for _, row in results.iterrows():
        predictions = run.predictions(row["trial_id"])
        test = predictions[predictions["part"] == "test"]
        metrics = evaluate(test["target"], test["prediction"])
        assert row["test_mae"] == pytest.approx(metrics.mae)
        assert row["test_p90"] == pytest.approx(metrics.p90)
        assert row["test_rows"] == len(test)


def test_predictions_name_materials_and_their_true_values(finished):
    run, results = finished
    table = small_table()
    reduced = reduced_formulas(parse_all(table["formula"].tolist()))
    known = set(zip(reduced, table["energy"].round(9), strict=True))
    predictions = run.predictions(results["trial_id"].iloc[0])
    assert set(zip(predictions["formula"], predictions["target"].round(9), strict=True)) <= known
    parts = predictions.groupby("part")["formula"].agg(set)
    assert not parts["test"] & parts["validation"]


def test_history_has_a_row_an_epoch(finished):
    run, results = finished
    network = results[results["model"] == "irnet"].iloc[0]
    history = run.history(network["trial_id"])
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["val_mae"].min() == pytest.approx(network["val_mae"])
    assert history["val_mae"].idxmin() + 1 == network["best_epoch"]


def test_a_second_run_trains_nothing(study_file, finished, monkeypatch):
    run, results = finished
    monkeypatch.setattr("irnet_ray.study.local.execute", lambda *_: pytest.fail("trained again"))
    _, again = run_here(study_file, run.uri)
    pd.testing.assert_frame_equal(again, results)


def test_only_what_is_missing_is_done(study_file, finished, monkeypatch):
    run, results = finished
    lost = results["trial_id"].iloc[1]
    run.storage.delete(f"trials/{lost}/DONE")
    done = []

    def note(trial, *arguments):
        done.append(trial.id)
        return execution.execute(trial, *arguments)

    monkeypatch.setattr("irnet_ray.study.local.execute", note)
    _, again = run_here(study_file, run.uri)
    assert done == [lost]
    pd.testing.assert_frame_equal(without_times(again), without_times(results))


def test_force_starts_over(study_file, finished):
    run, results = finished
    before = run.result(results["trial_id"].iloc[0])["provenance"]
    run.storage.write(f"trials/{results['trial_id'].iloc[0]}/result.json", json.dumps({"broken": 1}).encode())
    _, again = run_here(study_file, run.uri, force=True)
    pd.testing.assert_frame_equal(without_times(again), without_times(results))
    assert run.result(results["trial_id"].iloc[0])["provenance"]["torch"] == before["torch"]


def test_an_interrupted_trial_goes_on_from_its_checkpoint(study_file, tmp_path, finished, monkeypatch):
    _, undisturbed = finished
    starts = []
    complete_fit = training.fit

    def interrupted(*arguments, **options):
        starts.append(options["resume_from"])
        options = {**options, "checkpoint_seconds": 0.0}
        report = options.pop("report")

        def stop_after_two(epoch):
            report(epoch)
            if epoch.epoch == 3 and len(starts) == 1:
                raise KeyboardInterrupt

        return complete_fit(*arguments, report=stop_after_two, **options)

    monkeypatch.setattr(execution, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_here(study_file, tmp_path / "other")
    run, results = run_here(study_file, tmp_path / "other")
    assert starts[0] is None
    assert any(start is not None for start in starts[1:])
    pd.testing.assert_frame_equal(without_times(results), without_times(undisturbed))
    network = results[results["model"] == "plain"]["trial_id"].iloc[0]
    assert run.history(network)["epoch"].tolist() == [1, 2, 3]


def test_a_trial_whose_process_died_before_it_could_tell_is_not_done_again(study_file, finished, monkeypatch):
    run, _ = finished
    study = read_study(study_file)
    data = prepare(study.trials(), compute_here)
    monkeypatch.setattr(execution, "fit", None)
    monkeypatch.setattr(execution, "fit_and_predict", None)
    before = {path: run.storage.read(path) for path in run.storage.files("")}
    for trial in study.trials():
        outcome = execution.execute(trial, data[trial.matrix.canonical()], run, study.trainer)
        assert outcome.result == run.result(trial.id)
    assert {path: run.storage.read(path) for path in run.storage.files("")} == before


def test_a_trial_that_diverges_fails_and_the_study_goes_on(study_file, tmp_path, monkeypatch):
    def diverge(*_, **__):
        raise TrainingError("the loss is not finite in epoch 1 at learning rate 0.01")

    monkeypatch.setattr(execution, "fit", diverge)
    run, results = run_here(study_file, tmp_path / "run")
    assert results["model"].tolist() == ["random_forest"]
    assert set(run.failures().values()) == {"the loss is not finite in epoch 1 at learning rate 0.01"}


def test_a_baseline_that_reaches_its_limit_is_cut_and_tried_again_only_if_it_may_take_more(study_file, tmp_path):
    cut = ["models.forest.trees=100000", "trainer.limits.seconds=1"]
    run, results = run_here(study_file, tmp_path / "run", *cut)
    assert set(results["model"]) == {"plain", "irnet"}
    (forest,) = (trial for trial in read_study(study_file, settings=cut).trials() if trial.label == "random_forest")
    assert run.cuts() == {forest.id: "took more than its limit of 1 s; raise trainer.limits.seconds"}
    assert run.failures() == {}
    table = status_table(run).set_index("trial_id")
    assert table.loc[forest.id, "state"] == "cut: took more than its limit of 1 s; raise trainer.limits.seconds"
    before = run.storage.read(f"trials/{forest.id}/config.json")
    for limits, is_tried in (("seconds: 0.5", False), ("seconds: 1, gibibytes: 9", False), ("seconds: 1.5", True)):
        run_here(study_file, run.uri, *cut, f"trainer.limits={{{limits}}}")
        assert (run.storage.read(f"trials/{forest.id}/config.json") != before) == is_tried
    assert run.cuts() == {forest.id: "took more than its limit of 1.5 s; raise trainer.limits.seconds"}


def test_a_trial_that_cannot_go_on_fails_and_the_study_goes_on(study_file, tmp_path):
    run, _ = run_here(study_file, tmp_path / "run", "models.networks.shortcut=none")
    network = next(trial for trial in read_study(study_file).trials() if trial.label == "irnet-10")
    run.write_checkpoint(network.id, checkpoint.encode({"identity": {"architecture": "another one"}}))
    run, results = run_here(study_file, run.uri)
    assert set(results["model"]) == {"plain", "random_forest"}
    assert "architecture: the checkpoint was made with another one" in run.failures()[network.id]


@pytest.mark.parametrize("allocate", [torch.empty, np.empty])
def test_a_trial_that_runs_out_of_memory_fails_and_the_study_goes_on(study_file, tmp_path, monkeypatch, allocate):
    fit = execution.fit

    def fit_too_much(architecture, *arguments, **options):
        if architecture.shortcut == "layer":
            allocate(2**50)
        return fit(architecture, *arguments, **options)

    monkeypatch.setattr(execution, "fit", fit_too_much)
    run, results = run_here(study_file, tmp_path / "run")
    assert results["model"].tolist() == ["plain", "random_forest"]
    (message,) = run.failures().values()
    assert message.startswith("it ran out of memory; lower its batch_size or width")


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ("Xx2O3,1.0", FormulaError, r"row 253.*unknown element 'Xx'.*--skip-bad-rows"),
        ("Fe2O(3,1.0", FormulaError, r"row 253.*--skip-bad-rows"),
        ("Fe2O3,high", UserError, r"energy.*row 253.*'high'"),
    ],
)
def test_bad_rows_leave_nothing_behind(study_file, tmp_path, row, error, message):
    with study_file.with_name("table.csv").open("a") as file:
        file.write(f"{row}\n")
    with pytest.raises(error, match=message):
        run_here(study_file, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_bad_rows_are_dropped_on_request(study_file, tmp_path, finished):
    with study_file.with_name("table.csv").open("a") as file:
        file.write("Xx2O3,1.0\n")
    _, results = run_here(study_file, tmp_path / "other", "skip_bad_rows=true")
    columns = ["test_mae", "test_rows"]
    pd.testing.assert_frame_equal(results[columns], finished[1][columns])


def test_more_rows_than_there_are_is_refused(study_file, tmp_path):
    with pytest.raises(ConfigurationError, match=r"5,?000 asked, but the split has 204 training rows"):
        run_here(study_file, tmp_path / "run", "data.train_size=5000")
    assert not (tmp_path / "run").exists()


def test_force_does_not_delete_what_is_no_run(study_file, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("x")
    with pytest.raises(RunError, match="holds no run"):
        run_here(study_file, tmp_path / "thesis", force=True)
    assert (tmp_path / "thesis" / "chapter.tex").exists()


def test_shared_rows_hold_what_each_trial_needs(study_file):
    study = read_study(study_file, settings=["data.train_size=[50, 150]"])
    (data,) = prepare(study.trials(), compute_here).values()
    small, large = data.split.subset(50), data.split.subset(150)
    assert set(small.train) <= set(large.train)
    assert set(small.test) == set(large.test)
    rows = np.concatenate([large.train, large.validation, large.test])
    assert sorted(rows) == list(range(len(data.formulas)))
    expected = composition_attributes(parse_all(data.formulas.tolist())).astype(np.float32)
    np.testing.assert_array_equal(data.rows.inputs, expected)
    table = small_table()
    energies = dict(zip(reduced_formulas(parse_all(table["formula"].tolist())), table["energy"], strict=True))
    assert data.rows.target.tolist() == pytest.approx([energies[formula] for formula in data.formulas])
