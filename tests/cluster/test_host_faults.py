"""Hosts, drivers and networks fail; the study ends as if they had not, by itself or by being sent again."""

from __future__ import annotations

import re
import subprocess
import time

import pandas as pd
import pytest
import yaml
from conftest import small_table, study_content
from laptop import results_of, wait_until
from long_trials import nothing_repeated

from irnet_ray.study.run_directory import RunDirectory

pytestmark = pytest.mark.hosts

_EPOCHS = 300
_SETTINGS = [
    "models.networks.depth=[10, 17]",
    f"models.networks.recipe.epochs={_EPOCHS}",
    "models.networks.recipe.batch_size=16",
    "trainer.checkpoint_seconds=0.5",
]


@pytest.fixture(scope="module")
def options(laptop):
    """Of a study of four networks and a forest that takes a minute or so."""
    small_table().to_csv(laptop.home / "table.csv", index=False)
    (laptop.home / "faults.yaml").write_text(yaml.safe_dump(study_content()))
    return [laptop.home / "faults.yaml", *(part for each in _SETTINGS for part in ("--set", each))]


@pytest.fixture(scope="module")
def undisturbed(laptop, options):
    """The study's results where nothing happens."""
    laptop.run("irnet-ray", "run", *options, "--local", "--storage", laptop.home / "undisturbed")
    return results_of(laptop.home / "undisturbed" / "small")


@pytest.fixture
def sent(laptop, hosts, options, undisturbed, request):
    """The study under way on the cluster, with a checkpoint; gives its run directory, its job and how to send it."""
    wait_until(lambda: laptop.nodes() == len(hosts), 300)  # the one before may have started it anew
    run = laptop.shared / request.node.name / "small"
    storage = f"/shared/{request.node.name}"
    send = ("irnet-ray", "submit", *options, "--cluster", laptop.file, "--storage", storage)
    job = laptop.succeed(*send).split(":")[0]
    deadline = time.monotonic() + 180
    while not list(run.glob("trials/*/checkpoint.bin")):
        assert time.monotonic() < deadline, laptop.run("irnet-ray", "cluster", "jobs", laptop.file).stdout
        time.sleep(0.2)
    assert len(list(run.glob("trials/*/DONE"))) < len(undisturbed)
    return run, job, send


def end(laptop, job):
    """Waits until a job has ended."""
    return laptop.run("irnet-ray", "cluster", "follow", laptop.file, job)


def succeed(finished):
    """A job that ended well."""
    assert finished.returncode == 0, finished.stdout + finished.stderr


def assert_whole(run, undisturbed):
    """Every trial is there once, and came to what it comes to otherwise."""
    pd.testing.assert_frame_equal(results_of(run), undisturbed)
    assert len(list(run.glob("trials/*/DONE"))) == len(undisturbed)
    assert not list(run.glob("trials/*/error.txt"))
    assert not list(run.rglob("*.part"))
    for history in run.glob("trials/*/history.csv"):
        assert pd.read_csv(history)["epoch"].tolist() == list(range(1, _EPOCHS + 1))
    assert not (run / "LOCK").exists()


def restart(laptop, host):
    """Boots a host that crashed, and starts the cluster anew."""
    host.boot()
    laptop.succeed("ray", "up", "--yes", laptop.file)


def test_a_worker_host_that_dies(laptop, hosts, sent, undisturbed):
    run, job, _ = sent
    with nothing_repeated(RunDirectory(str(run))):
        wait_until(lambda: hosts[2].trains, 60)
        hosts[2].crash()
        succeed(end(laptop, job))
    assert_whole(run, undisturbed)
    restart(laptop, hosts[2])


def test_a_host_without_network_for_half_a_minute(laptop, hosts, sent, undisturbed):
    run, job, _ = sent
    with nothing_repeated(RunDirectory(str(run))):
        wait_until(lambda: hosts[1].trains, 60)
        with hosts[1].unplugged():
            time.sleep(30)
        succeed(end(laptop, job))
    assert_whole(run, undisturbed)
    laptop.succeed("ray", "up", "--yes", laptop.file)


def test_the_head_host_dies(laptop, hosts, sent, undisturbed):
    run, _, send = sent
    with nothing_repeated(RunDirectory(str(run))):
        hosts[0].crash()
        restart(laptop, hosts[0])
        succeed(laptop.run(*send, "--follow"))
    assert_whole(run, undisturbed)


def test_a_driver_that_is_killed(laptop, sent, undisturbed):
    run, job, send = sent
    with nothing_repeated(RunDirectory(str(run))):
        subprocess.run(["pkill", "-KILL", "-f", "-n", f"irnet_ray run study.yaml .*{run.parent.name}"], check=True)
        assert end(laptop, job).returncode == 2
        finished = laptop.run(*send, "--follow")
        succeed(finished)
    assert re.search(r"5 trials, \d done", finished.stdout)
    assert_whole(run, undisturbed)


def test_a_disk_that_fills_up(laptop, disk, sent, undisturbed):
    run, job, send = sent
    with nothing_repeated(RunDirectory(str(run))):
        with disk.full():
            finished = end(laptop, job)
        assert finished.returncode == 2
        assert re.search(
            r"error: cannot write '/shared/.*: No space left on device; free or unlock it", finished.stdout
        )
        succeed(laptop.run(*send, "--follow"))
    assert_whole(run, undisturbed)


def test_a_study_that_is_stopped_and_sent_again(laptop, sent, undisturbed):
    run, job, send = sent
    laptop.succeed("irnet-ray", "cluster", "stop", laptop.file, job)
    assert "the same command goes on" in end(laptop, job).stdout
    succeed(laptop.run(*send, "--follow"))
    assert_whole(run, undisturbed)


def test_a_second_run_of_the_same_directory_is_refused(laptop, sent, undisturbed):
    run, job, send = sent
    second = laptop.run(*send, "--follow")
    assert second.returncode == 2
    assert "is being filled by process" in second.stdout
    assert end(laptop, job).returncode == 0
    assert_whole(run, undisturbed)


def test_storage_that_the_hosts_do_not_share_is_refused(laptop, study_file):
    refused = laptop.run(
        "irnet-ray", "submit", study_file, "--cluster", laptop.file, "--storage", "/tmp/runs", "--follow"
    )
    assert refused.returncode == 2
    assert re.search(r"--storage: irnet-2, irnet-3 cannot see '/tmp/runs/small'", refused.stdout)
