"""A Ray head with a token, of its own and on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_SECONDS = 120.0


@dataclass(frozen=True)
class Head:
    """A head that runs.

    Attributes:
        home: The home folder that holds its token.
        port: Of the cluster's address.
        dashboard: The address of its dashboard.
        process: The command that keeps it.
    """

    home: Path
    port: int
    dashboard: str
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_head(folder: Path, token: str) -> Iterator[Head]:
    """Starts a head and takes it away with all that it started, and nothing else of Ray on this machine."""
    (folder / ".ray").mkdir(parents=True)
    file = folder / ".ray" / "auth_token"
    file.write_text(token)
    file.chmod(0o600)
    port, dashboard = free_port(), free_port()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # on which its jobs find Python
    ours = {"HOME": str(folder), "PATH": path, "RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}
    program = "import sys; from ray.scripts.scripts import main; sys.exit(main())"
    options = [f"--port={port}", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}", "--num-cpus=2"]
    options += [f"--ray-client-server-port={free_port()}", f"--dashboard-agent-listen-port={free_port()}"]
    options += ["--object-store-memory=100000000", f"--temp-dir={folder}/ray"]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", program, "start", "--head", "--block", "--node-ip-address=127.0.0.1", *options],
            env={**os.environ, **ours},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        head = Head(folder, port, f"http://127.0.0.1:{dashboard}", process)
        _wait_for(head)
        yield head
    finally:
        _end(process)


def _wait_for(head: Head) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline and head.process.poll() is None:
        try:
            urllib.request.urlopen(f"{head.dashboard}/api/version", timeout=1)
        except urllib.error.HTTPError:
            return  # it wants the token
        except OSError:
            time.sleep(0.3)
        else:
            return
    raise AssertionError((head.home / "output").read_text())


def _end(process: subprocess.Popen[bytes]) -> None:
    offspring = []
    with suppress(psutil.NoSuchProcess):
        offspring = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    for each in offspring:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    process.kill()
    process.wait()
