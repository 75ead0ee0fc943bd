"""Trials through Ray end as they do in one process."""

from __future__ import annotations

import pandas as pd
import pytest
import ray
from rich.console import Console
from worker_group import IRNET, together, trained

from irnet_ray.distributed.launch import run_study
from irnet_ray.distributed.resources import check_room, slots
from irnet_ray.distributed.session import session
from irnet_ray.errors import ConfigurationError, StorageError
from irnet_ray.study.featurize import compute_here
from irnet_ray.study.prepare import prepare
from irnet_ray.study.read import read_study
from irnet_ray.study.result import TIME_COLUMNS
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Trainer

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]


def run(study_file, folder, *settings, **options):
    study = read_study(study_file, settings=settings)
    directory = RunDirectory(str(folder))
    return directory, run_study(study, directory, console=Console(quiet=True), **options)


def test_results_equal_those_of_one_process(study_file, tmp_path):
    settings = ["seeds=[0,1]"]
    on_ray, results = run(study_file, tmp_path / "ray", *settings)
    here, expected = run(study_file, tmp_path / "here", *settings, local=True)
    times = list(TIME_COLUMNS)
    pd.testing.assert_frame_equal(results.drop(columns=times), expected.drop(columns=times), check_exact=True)
    for trial_id in results["trial_id"]:
        pd.testing.assert_frame_equal(on_ray.predictions(trial_id), here.predictions(trial_id), check_exact=True)
        columns = ["epoch", "step", "learning_rate", "train_mae", "val_mae"]
        pd.testing.assert_frame_equal(
            on_ray.history(trial_id)[columns], here.history(trial_id)[columns], check_exact=True
        )


def test_results_in_a_bucket_equal_those_on_a_disk(study_file, tmp_path, bucket):
    _, expected = run(study_file, tmp_path / "here", local=True)
    directory, results = run(study_file, f"{bucket}/{tmp_path.name}")
    times = list(TIME_COLUMNS)
    pd.testing.assert_frame_equal(results.drop(columns=times), expected.drop(columns=times), check_exact=True)
    assert directory.damages(results["trial_id"]) == {}
    _, again = run(study_file, f"{bucket}/{tmp_path.name}")
    pd.testing.assert_frame_equal(again, results)


def test_a_trial_that_diverges_fails_and_the_study_goes_on(study_file, tmp_path):
    diverging = "models.networks.recipe={base: fast, epochs: 3, learning_rate: 1.0e+30, standardize_target: false}"
    directory, results = run(study_file, tmp_path / "run", diverging)
    assert results["model"].tolist() == ["random_forest"]
    messages = set(directory.failures().values())
    assert all("the loss is not finite in epoch 1 at learning rate" in message for message in messages)
    assert len(directory.failures()) == 2


def test_baselines_within_limits_equal_those_of_one_process_and_what_takes_too_much_is_cut(study_file, tmp_path):
    baselines = "models={{ridge: {{kind: ridge, penalty: [1, 10]}}, trees: {{kind: extra_trees, trees: {}}}}}"
    limits = "trainer.limits={seconds: 3, gibibytes: 4}"
    on_ray, results = run(study_file, tmp_path / "ray", baselines.format([5, 100_000]), limits)
    _, expected = run(study_file, tmp_path / "here", baselines.format([5]), local=True)
    times = list(TIME_COLUMNS)
    pd.testing.assert_frame_equal(results.drop(columns=times), expected.drop(columns=times), check_exact=True)
    ours = results[results["model"].isin(["ridge", "extra_trees"])]
    assert ours["settings"].str.split(",").str[0].tolist() == ["penalty 1", "penalty 10", "trees 5"]
    assert list(on_ray.cuts().values()) == ["took more than its limit of 3 s; raise trainer.limits.seconds"]


def test_a_run_that_cannot_be_written_ends_the_study(study_file, tmp_path):
    directory = RunDirectory(str(tmp_path / "run"))
    study = read_study(study_file)
    directory.claim(study)
    (tmp_path / "run" / "trials").mkdir()
    for trial in study.trials():
        (tmp_path / "run" / "trials" / trial.id).write_text("a file where a folder should be")
    with pytest.raises(StorageError, match=r"cannot (read|write) '.*trials/.*: (Not a directory|File exists); free"):
        run_study(study, directory, console=Console(quiet=True))


def test_a_trial_larger_than_the_cluster_is_refused(study_file, tmp_path):
    with pytest.raises(ConfigurationError, match=r"trainer\.cpus_per_worker: a trial of 1 x 1000 CPU"):
        run(study_file, tmp_path / "run", "trainer.cpus_per_worker=1000")
    with (
        pytest.raises(ConfigurationError, match=r"trainer\.gpus_per_worker"),
        session(None, Trainer(gpus_per_worker=1)),
    ):
        pass
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("trainer", "expected"),
    [
        (Trainer(), 8),
        (Trainer(cpus_per_worker=3), 2),
        (Trainer(workers=2, cpus_per_worker=2), 2),
        (Trainer(gpus_per_worker=1), 3),
        (Trainer(workers=3, gpus_per_worker=1), 1),
        (Trainer(trials_at_once=5), 5),
    ],
)
def test_slots_count_the_trials_that_run_at_a_time(monkeypatch, trainer, expected):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0, "GPU": 3.0})
    assert slots(trainer) == expected


def test_a_worker_larger_than_every_node_is_refused(monkeypatch):
    nodes = [{"Alive": True, "Resources": {"CPU": 4.0}}, {"Alive": True, "Resources": {"CPU": 4.0}}]
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0})
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    assert check_room(Trainer(workers=2, cpus_per_worker=4), may_grow=False) is None
    with pytest.raises(ConfigurationError, match=r"a worker of 6 CPU does not fit into any node .* has 4; lower it"):
        check_room(Trainer(cpus_per_worker=6), may_grow=False)


def test_gpus_that_are_to_come_are_waited_for_where_a_cluster_grows(monkeypatch):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0})
    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True, "Resources": {"CPU": 8.0}}])
    with pytest.raises(
        ConfigurationError, match=r"gpus_per_worker: .* on a cluster that grows .* set trainer.trials_at_once"
    ):
        check_room(Trainer(gpus_per_worker=1), may_grow=True)
    growing = Trainer(gpus_per_worker=1, trials_at_once=4)
    assert check_room(growing, may_grow=True) == (
        "trainer.gpus_per_worker: a trial of 1 x 1 GPU does not fit into a cluster of 0"
    )
    with pytest.raises(ConfigurationError, match=r"does not fit into a cluster of 0; lower it"):
        check_room(growing, may_grow=False)


def test_batches_too_small_for_the_workers_are_refused_before_anything_starts(study_file, tmp_path):
    settings = ["trainer.workers=3", "models.networks.recipe.batch_size=4"]
    with pytest.raises(ConfigurationError, match=r"trial \w+ \(plain-10\): batch_size: 4 of 150 training rows leave"):
        run(study_file, tmp_path / "run", *settings)
    assert not (tmp_path / "run").exists()


def test_two_workers_train_a_network_together(study_file, tmp_path):
    network = f"models.networks={{architecture: {IRNET}, depth: null, shortcut: null}}"
    settings = ["trainer.workers=2", network, "seeds=3"]
    directory, results = run(study_file, tmp_path / "run", *settings)
    assert set(results["model"]) == {"irnet", "random_forest"}
    trial, _ = read_study(study_file, settings=settings).trials()
    assert directory.result(trial.id)["provenance"]["trainer"]["workers"] == 2
    (data,) = prepare([trial], compute_here).values()
    split = data.split.subset(trial.train_size)
    rows = [data.rows.take(part) for part in (split.train, split.validation)]
    expected, _ = together(2, trained, trial.model.recipe, *rows, False)
    found = directory.history(trial.id).drop(columns="seconds")
    pd.testing.assert_frame_equal(
        found, pd.DataFrame(expected["history"]).drop(columns="seconds"), rtol=1e-12, check_dtype=False
    )
