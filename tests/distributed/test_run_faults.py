"""The driver dies, storage does not answer, a node is lost, the clock jumps: nothing of a run is lost or done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pandas as pd
import pytest
from busy import busiest_process
from long_trials import long_enough, nothing_repeated, wait_for_checkpoint
from rich.console import Console

from irnet_ray.distributed.launch import run_study
from irnet_ray.study.read import read_study
from irnet_ray.study.result import TIME_COLUMNS
from irnet_ray.study.run_directory import RunDirectory

pytestmark = pytest.mark.ray

SETTINGS = long_enough(1)


@pytest.fixture
def study(study_file):
    return read_study(study_file, settings=SETTINGS)


@pytest.fixture
def undisturbed(study, tmp_path):
    run = RunDirectory(str(tmp_path / "undisturbed"))
    return without_times(run_study(study, run, console=Console(quiet=True), local=True))


def without_times(results):
    return results.drop(columns=list(TIME_COLUMNS))


@contextmanager
def started(study_file, tmp_path, *options, **environment):
    """Starts the study from the command line; gives its process and its run directory."""
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    command = [sys.executable, "-m", "irnet_ray", "run", study_file, "--storage", tmp_path, *settings, *options]
    process = subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    run = RunDirectory(str(tmp_path / "small"))
    try:
        wait_for_checkpoint(run, is_alive=lambda: process.poll() is None)
        yield process, run
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def check_whole(run, study, undisturbed):
    """All trials are there, each of their epochs once."""
    pd.testing.assert_frame_equal(without_times(run.results(study.trials())), undisturbed, check_exact=True)
    assert run.finished() == {trial.id for trial in study.trials()}
    assert run.failures() == {}
    network = undisturbed.loc[undisturbed["model"] == "irnet", "trial_id"].item()
    assert run.history(network)["epoch"].tolist() == list(range(1, 251))
    assert not [path for path in run.storage.files("") if path.endswith((".part", "LOCK"))]


@pytest.mark.parametrize(
    ("number", "code", "told"),
    [
        (signal.SIGINT, 128 + signal.SIGINT, "interrupted; the same command goes on from what is kept\n"),
        (signal.SIGTERM, 128 + signal.SIGTERM, "interrupted; the same command goes on from what is kept\n"),
        (signal.SIGKILL, -signal.SIGKILL, ""),
    ],
)
@pytest.mark.usefixtures("ray_session")
def test_a_driver_that_is_ended(study_file, study, tmp_path, undisturbed, number, code, told):
    with started(study_file, tmp_path) as (process, run), nothing_repeated(run):
        process.send_signal(number)
        _, complaint = process.communicate(timeout=30)
        assert process.returncode == code
        assert complaint == told
        assert run.finished() != {trial.id for trial in study.trials()}
        run_study(study, run, console=Console(quiet=True))
    check_whole(run, study, undisturbed)


@pytest.mark.usefixtures("ray_session")
def test_storage_that_does_not_answer_for_a_while(study, tmp_path, undisturbed, bucket_server):
    run = RunDirectory(f"{bucket_server.uri}/{tmp_path.name}/run")
    failed = []

    def fail_for_a_while():
        wait_for_checkpoint(run)
        with bucket_server.down_for(10.0):
            failed.append(run.uri)

    thread = threading.Thread(target=fail_for_a_while, daemon=True)
    thread.start()
    with nothing_repeated(run):
        run_study(study, run, console=Console(quiet=True))
    thread.join(30)
    assert failed
    check_whole(run, study, undisturbed)


@pytest.fixture
def nodes(monkeypatch):
    """A cluster of a head that trains nothing and two nodes of a core; its address, and what takes one that trains."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # simulated nodes ask for no token, unlike those of `ray start`

    memory = {"object_store_memory": 100 * 2**20}
    sigterm = signal.getsignal(signal.SIGTERM)  # a head that is started in this process takes it over
    quick = {"health_check_initial_delay_ms": 1000, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "_system_config": quick, **memory})
    try:
        both = [cluster.add_node(num_cpus=1, **memory) for _ in range(2)]
        cluster.wait_for_nodes()

        def lose_one():
            """Takes away the node whose raylet started what works hardest."""
            ancestors = {each.pid for each in busiest_process("ray::").parents()}
            (busy,) = (node for node in both if node.all_processes["raylet"][0].process.pid in ancestors)
            cluster.remove_node(busy, allow_graceful=False)

        yield cluster.address, lose_one
    finally:
        cluster.shutdown()
        signal.signal(signal.SIGTERM, sigterm)


def test_a_node_that_is_lost(study_file, study, tmp_path, undisturbed, nodes):
    address, lose_one = nodes
    with started(study_file, tmp_path, "--address", address) as (process, run), nothing_repeated(run):
        lose_one()
        output, complaint = process.communicate(timeout=240)
        assert process.returncode == 0, output + complaint
    check_whole(run, study, undisturbed)


@pytest.fixture
def little_memory(monkeypatch, workers):
    """The address of a cluster that ends a process once some GiB more than now are taken on this machine."""
    from ray._common.utils import get_system_memory
    from ray._private.utils import get_used_memory
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    limit = (get_used_memory() + (1 + workers) * 2**30) / get_system_memory()
    settings = {"memory_usage_threshold": limit, "memory_monitor_refresh_ms": 50}
    memory = {"object_store_memory": 100 * 2**20}
    sigterm = signal.getsignal(signal.SIGTERM)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "_system_config": settings, **memory})
    try:
        yield cluster.address
    finally:
        cluster.shutdown()
        signal.signal(signal.SIGTERM, sigterm)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_trial_that_runs_out_of_memory(study_file, tmp_path, little_memory, workers):
    """Ray ends its process, and the others finish."""
    command = [sys.executable, "-m", "irnet_ray", "run", study_file, "--storage", tmp_path, "--address", little_memory]
    settings = ["models.networks.width=12", "trainer.restarts=0", f"trainer.workers={workers}"]
    options = [part for setting in settings for part in ("--set", setting)]
    result = subprocess.run(
        list(map(str, [*command, *options])), check=False, capture_output=True, text=True, timeout=200
    )
    run = RunDirectory(str(tmp_path / "small"))
    assert result.returncode == 2, result.stdout + result.stderr
    failures = run.failures()
    assert len(failures) == 2, result.stdout + result.stderr
    for reason in failures.values():
        assert reason.endswith("(it ran out of memory; lower its batch_size or width, or train fewer at once)")
    assert len(run.finished()) == 1
    assert result.stderr == f"error: 2 trials failed; see 'irnet-ray status {run.uri}'\n"


def test_a_clock_that_jumps(study_file, study, tmp_path, undisturbed):
    """The clock of every Python process, Ray's among them, is a day fast in one second, two days slow in the next."""
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(
        "import time\nnow = time.time\ntime.time = lambda: now() + 86_400 * (1 if int(time.monotonic()) % 2 else -2)\n"
    )
    environment = {"PYTHONPATH": str(tmp_path / "clock")}
    with started(study_file, tmp_path, **environment) as (process, run), nothing_repeated(run):
        output, complaint = process.communicate(timeout=240)
        assert process.returncode == 0, output + complaint
    check_whole(run, study, undisturbed)
    for trial in study.trials():
        assert 0 < run.result(trial.id)["train_seconds"] < 3600
    names = list(tmp_path.glob("small/tensorboard/*/events.*"))
    assert names
    for events in names:  # they begin with the time
        assert abs(int(events.name.split(".")[3]) - time.time()) > 80_000
