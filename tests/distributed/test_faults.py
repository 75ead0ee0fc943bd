"""Processes that die amid a trial are replaced, and trials end as they would have."""

from __future__ import annotations

import threading
from contextlib import suppress

import pandas as pd
import psutil
import pytest
from busy import busiest_process
from long_trials import long_enough, nothing_repeated, wait_for_checkpoint
from rich.console import Console

from irnet_ray.distributed.launch import run_study
from irnet_ray.study.read import read_study
from irnet_ray.study.result import TIME_COLUMNS
from irnet_ray.study.run_directory import RunDirectory

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]


def kill_once(run, name):
    """Kills the busiest process of Ray's of a title as soon as a trial has a checkpoint; gives a thread and victims."""
    victims = []

    def wait_and_kill():
        wait_for_checkpoint(run)
        while not victims:
            with suppress(psutil.Error):  # a process has ended meanwhile
                busiest = busiest_process(name)
                busiest.kill()
                victims.append(busiest.pid)

    thread = threading.Thread(target=wait_and_kill, daemon=True)
    thread.start()
    return thread, victims


@pytest.mark.parametrize(("workers", "name"), [(1, "ray::ImplicitFunc"), (2, "ray::RayTrainWorker")])
def test_a_trial_whose_process_dies_goes_on_from_its_checkpoint(study_file, tmp_path, workers, name):
    study = read_study(study_file, settings=long_enough(workers))
    undisturbed = run_study(study, RunDirectory(str(tmp_path / "undisturbed")), console=Console(quiet=True))
    run = RunDirectory(str(tmp_path / "killed"))
    thread, victims = kill_once(run, name)
    with nothing_repeated(run):
        results = run_study(study, run, console=Console(quiet=True))
    thread.join(10)
    assert len(victims) == 1
    times = list(TIME_COLUMNS)
    pd.testing.assert_frame_equal(results.drop(columns=times), undisturbed.drop(columns=times), check_exact=True)
    (trial_id,) = results.loc[results["model"] == "irnet", "trial_id"]
    (trial,) = (trial for trial in study.trials() if trial.id == trial_id)
    assert run.history(trial_id)["epoch"].tolist() == list(range(1, trial.model.recipe.epochs + 1))
    assert run.failures() == {}


def test_a_trial_that_dies_again_and_again_fails_and_the_study_goes_on(study_file, tmp_path):
    study = read_study(study_file, settings=[*long_enough(1), "trainer.restarts=0"])
    run = RunDirectory(str(tmp_path / "killed"))
    thread, victims = kill_once(run, "ray::ImplicitFunc")
    results = run_study(study, run, console=Console(quiet=True))
    thread.join(10)
    assert len(victims) == 1
    assert len(results) == 1
    (message,) = run.failures().values()
    assert message.startswith(
        "its process ended 1 times without a result (The actor is dead because its worker process"
    )
    assert "\n" not in message
    again = run_study(study, run, console=Console(quiet=True))
    assert set(again["model"]) == {"irnet", "random_forest"}
