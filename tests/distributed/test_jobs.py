"""Studies are sent to a cluster that lets in nobody without its token."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request

import pandas as pd
import pytest
from ray_head import running_head

from irnet_ray.study.result import TIME_COLUMNS

TOKEN = "a-token-of-more-than-thirty-two-letters"

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    """A head on this machine."""
    with running_head(tmp_path_factory.mktemp("head"), TOKEN) as running:
        yield running


def environment(home):
    """Of somebody with a home folder of their own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return {**kept, "HOME": str(home)}


def irnet_ray(*arguments, home, folder, timeout=240, **more):
    return subprocess.run(
        [sys.executable, "-m", "irnet_ray", *map(str, arguments)],
        env=environment(home) | more,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def connects(home, port):
    """Whether a program of somebody with such a home folder gets into the cluster."""
    program = (
        f"from irnet_ray.distributed.token import use_token; use_token(); import ray; ray.init('127.0.0.1:{port}')"
    )
    command = [sys.executable, "-c", program]
    finished = subprocess.run(command, env=environment(home), capture_output=True, timeout=120, check=False)
    return finished.returncode == 0


def test_a_study_that_was_sent_ends_as_one_that_ran_here(head, study_file, tmp_path):
    here = irnet_ray("run", study_file, "--local", home=tmp_path, folder=tmp_path)
    assert here.returncode == 0, here.stderr
    settings = ("--set", "models.networks.recipe.epochs=3")
    sent = irnet_ray(
        *("submit", study_file, "--cluster", head.dashboard, "--storage", tmp_path / "there", "--follow", *settings),
        home=head.home,
        folder=tmp_path,
    )
    assert sent.returncode == 0, sent.stdout + sent.stderr
    job = sent.stdout.split(":")[0]
    assert job.startswith("small-")
    assert f"sent; fills {tmp_path}/there/small" in sent.stdout
    assert "3 trials, 0 done" in sent.stdout
    tables = [
        pd.read_csv(tmp_path / runs / "small" / "results.csv").drop(columns=list(TIME_COLUMNS))
        for runs in ("runs", "there")
    ]
    pd.testing.assert_frame_equal(*tables)

    listed = irnet_ray("cluster", "jobs", head.dashboard, home=head.home, folder=tmp_path).stdout
    assert job in listed
    assert "succeeded" in listed
    assert f"{tmp_path}/there/small" in listed
    stopped = irnet_ray("cluster", "stop", head.dashboard, job, home=head.home, folder=tmp_path)
    assert stopped.stdout == f"{job}: had ended\n"

    sent = irnet_ray(
        *("submit", study_file, "--cluster", head.dashboard, "--storage", tmp_path / "again", "--follow", *settings),
        *("--reuse", tmp_path / "there" / "small"),
        home=head.home,
        folder=tmp_path,
    )
    assert sent.returncode == 0, sent.stdout + sent.stderr
    assert "3 trials, 0 done, 3 to take over from other runs" in sent.stdout


def test_a_run_that_the_cluster_cannot_see_is_not_taken_over_from(study_file, tmp_path):
    sent = irnet_ray(
        *("submit", study_file, "--cluster", "http://127.0.0.1:9", "--storage", "/runs", "--reuse", "runs/other"),
        home=tmp_path,
        folder=tmp_path,
    )
    assert sent.returncode == 2
    assert sent.stderr.startswith("error: --reuse 'runs/other': write a path of the cluster's nodes from its root")


def test_a_study_that_fails_there_fails_here(head, study_file, tmp_path):
    (tmp_path / "occupied").mkdir()
    (tmp_path / "occupied" / "small").write_text("a file")
    sent = irnet_ray(
        *("submit", study_file, "--cluster", head.dashboard, "--storage", tmp_path / "occupied", "--follow"),
        home=head.home,
        folder=tmp_path,
    )
    assert sent.returncode == 2
    assert "error: cannot write" in sent.stdout
    assert sent.stderr.startswith("error: job small-")


def test_without_the_token_nobody_is_let_in(head, study_file, tmp_path):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{head.dashboard}/api/jobs/", timeout=10)
    assert refused.value.code == 401
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text(TOKEN.replace("a-token", "no-token"))
    for home in (tmp_path, tmp_path / "nobody"):
        sent = irnet_ray(
            *("submit", study_file, "--cluster", head.dashboard, "--storage", tmp_path / "runs"),
            home=home,
            folder=tmp_path,
        )
        assert sent.returncode == 2, sent.stdout + sent.stderr
        assert "does not take this machine's token" in sent.stderr
        assert sent.stderr.count("\n") == 1
        command = ("run", study_file, "--address", f"127.0.0.1:{head.port}", "--storage", tmp_path / "runs")
        refused = irnet_ray(*command, home=home, folder=tmp_path)
        assert refused.returncode == 2, refused.stdout + refused.stderr
        *_, last = refused.stderr.splitlines()  # Ray warns first
        assert last.startswith("error: --address '127.0.0.1:")
        assert "put the token that the cluster was started with into" in last
    refused = irnet_ray(*command, home=tmp_path / "nobody", folder=tmp_path, RAY_AUTH_MODE="token")
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert "the cluster does not take this machine's token; put the token that" in refused.stderr
    assert not (tmp_path / "runs").exists()
    assert not connects(tmp_path / "nobody", head.port)
    assert connects(head.home, head.port)


def test_no_file_of_a_run_or_of_ray_holds_the_token(head, tmp_path):
    found = [
        path
        for path in head.home.rglob("*")
        if path.is_file() and path.stat().st_size < 10_000_000 and TOKEN.encode() in path.read_bytes()
    ]
    assert found == [head.home / ".ray" / "auth_token"]
    assert found[0].stat().st_mode & 0o077 == 0


def test_a_cluster_that_is_not_there_is_one_line(study_file, tmp_path):
    refused = irnet_ray(
        *("submit", study_file, "--cluster", "http://127.0.0.1:9", "--storage", "/runs"), home=tmp_path, folder=tmp_path
    )
    assert refused.returncode == 2
    assert "is it up?" in refused.stderr
    assert refused.stderr.count("\n") == 1
