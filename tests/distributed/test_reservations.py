"""What died processes had set aside is free again; what living ones did is not."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import psutil
import pytest
import ray
from busy import busiest_process
from ray.util.placement_group import placement_group, placement_group_table, remove_placement_group
from rich.console import Console

from irnet_ray.distributed.launch import run_study
from irnet_ray.distributed.reservations import Reservations
from irnet_ray.study.read import read_study
from irnet_ray.study.run_directory import RunDirectory

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]


def states(*groups):
    return [placement_group_table(group)["state"] for group in groups]


def test_only_those_of_the_dead_are_freed():
    class Owner:
        def set_aside(self):
            group = placement_group([{"CPU": 0.25}])
            ray.get(group.ready())
            return group

    owners = [ray.remote(num_cpus=0)(Owner).remote() for _ in range(2)]
    of_dead, of_living = ray.get([owner.set_aside.remote() for owner in owners])
    of_driver = Owner().set_aside()
    try:
        ray.kill(owners[0])
        deadline = time.monotonic() + 30
        while states(of_dead) != ["REMOVED"] and time.monotonic() < deadline:
            Reservations().free_abandoned()
            time.sleep(0.1)
        assert states(of_dead, of_living, of_driver) == ["REMOVED", "CREATED", "CREATED"]
    finally:
        for group in (of_living, of_driver):
            remove_placement_group(group)


def test_a_trial_whose_workers_lose_what_starts_them(study_file, tmp_path):
    """Its resources are free for the next try."""
    study = read_study(study_file, settings=["trainer.workers=2"])
    run = RunDirectory(str(tmp_path / "run"))
    victims = []

    def wait_and_kill():
        while not victims:
            with suppress(psutil.Error, ValueError):  # there is none yet
                busiest_process("ray::RayTrainWorker")
                starter = busiest_process("ray::TrainController")
                starter.kill()
                victims.append(starter.pid)

    thread = threading.Thread(target=wait_and_kill, daemon=True)
    thread.start()
    results = run_study(study, run, console=Console(quiet=True))
    thread.join(10)
    assert len(victims) == 1
    assert run.failures() == {}
    assert len(results) == len(study.trials())
