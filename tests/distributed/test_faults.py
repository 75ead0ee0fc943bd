"""Processes that die amid a trial are replaced, an interrupted study goes on, and trials end as they would have."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pandas as pd
import psutil
import pytest
from rich.console import Console

from irnet_ray.distributed.launch import run_study
from irnet_ray.study.read import read_study
from irnet_ray.study.result import TIME_COLUMNS
from irnet_ray.study.run_directory import RunDirectory

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]


def long_enough(workers):
    """Settings of a trial that lasts until it is killed."""
    return [
        "models.networks={depth: 10, shortcut: layer, width: 0.03, recipe: {base: fast, epochs: 250, batch_size: 16}}",
        "trainer.checkpoint_seconds=0.2",
        f"trainer.workers={workers}",
    ]


def busiest_process(name):
    """The process of this one's offspring that works, of those with a title like this; others wait for work."""
    found = [each for each in psutil.Process().children(recursive=True) if name in " ".join(each.cmdline())]
    before = [each.cpu_times().user for each in found]
    time.sleep(0.3)
    used = [each.cpu_times().user - earlier for each, earlier in zip(found, before, strict=True)]
    return found[used.index(max(used))]


def kill_once(run, name):
    """Kills the busiest process of Ray's of a title as soon as a trial has a checkpoint; gives a thread and victims."""
    victims = []

    def wait_and_kill():
        while not any(path.endswith("checkpoint.bin") for path in run.storage.files("trials")):
            time.sleep(0.05)
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


def test_an_interrupted_study_says_how_to_go_on_and_does(study_file, tmp_path):
    settings = long_enough(1)
    study = read_study(study_file, settings=settings)
    undisturbed = run_study(study, RunDirectory(str(tmp_path / "undisturbed")), console=Console(quiet=True))
    options = [part for setting in settings for part in ("--set", setting)]
    command = [sys.executable, "-m", "irnet_ray", "run", str(study_file), "--storage", str(tmp_path), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    run = RunDirectory(str(tmp_path / "small"))
    while process.poll() is None and not any("checkpoint.bin" in path for path in run.storage.files("trials")):
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert complaint == "interrupted; the same command goes on from what is kept\n"
    assert run.finished() != {trial.id for trial in study.trials()}
    results = run_study(study, run, console=Console(quiet=True))
    times = list(TIME_COLUMNS)
    pd.testing.assert_frame_equal(results.drop(columns=times), undisturbed.drop(columns=times), check_exact=True)
