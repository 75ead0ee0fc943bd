"""Runs and computed features in a bucket, from beginning to end."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from commands import assert_refused, succeed
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from irnet_ray.cache import Cache
from irnet_ray.study.result import TIME_COLUMNS
from irnet_ray.study.run_directory import RunDirectory


@pytest.fixture
def runs(request, tmp_path, monkeypatch):
    """The URI of a folder for runs; features lie in the bucket as well."""
    bucket = request.getfixturevalue(getattr(request, "param", "bucket"))
    monkeypatch.setenv("IRNET_RAY_CACHE", f"{bucket}/{tmp_path.name}/cache")
    return f"{bucket}/{tmp_path.name}/runs"


def read_results(uri):
    content = RunDirectory(uri).storage.read("results.csv")
    return pd.read_csv(io.BytesIO(content)).drop(columns=list(TIME_COLUMNS))


@pytest.mark.parametrize("runs", ["bucket", "google_bucket"], indirect=True)
def test_a_study_in_a_bucket_ends_as_on_a_disk_and_goes_on_there(invoke, study_file, runs, tmp_path):
    succeed(invoke("run", study_file, "--local"))
    command = ("run", study_file, "--local", "--storage", runs)
    output = succeed(invoke(*command))
    assert f"report: {runs}/small/report/index.html" in output
    run = RunDirectory(f"{runs}/small")
    on_disk = pd.read_csv(tmp_path / "runs" / "small" / "results.csv").drop(columns=list(TIME_COLUMNS))
    pd.testing.assert_frame_equal(read_results(run.uri), on_disk)
    assert len({path.split("/")[0] for path in run.storage.files("tensorboard")}) == 2
    assert (
        len(Cache().sealed(next(iter(sorted(f"features/{name}" for name in Cache().storage.names("features")))))) == 1
    )
    assert not list(tmp_path.glob("s3*"))

    lost, *_ = run.finished()
    run.forget(lost)
    assert "3 trials, 2 done" in succeed(invoke(*command))
    pd.testing.assert_frame_equal(read_results(run.uri), on_disk)
    assert succeed(invoke("status", run.uri)).count("done") == 3
    assert "report: " in succeed(invoke("report", run.uri))


def test_monitor_of_a_bucket_says_what_reads_it(invoke, study_file, runs, monkeypatch):
    succeed(invoke("run", study_file, "--local", "--storage", runs))
    called = []
    monkeypatch.setattr("os.execv", lambda program, arguments: called.append(arguments))
    succeed(invoke("monitor", f"{runs}/small"))
    assert called[0][called[0].index("--logdir") + 1] == f"{runs}/small/tensorboard"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert_refused(invoke("monitor", f"{runs}/small"), "reads s3:// by boto3; 'pip install boto3'")


def test_tensorboard_reads_curves_out_of_a_bucket(invoke, study_file, runs):
    succeed(invoke("run", study_file, "--local", "--storage", runs))
    trial, *_ = sorted({path.split("/")[0] for path in RunDirectory(f"{runs}/small").storage.files("tensorboard")})
    events = EventAccumulator(f"{runs}/small/tensorboard/{trial}")
    events.Reload()
    assert "mae/validation" in events.Tags()["scalars"]
