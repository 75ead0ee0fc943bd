"""The jobs of a cluster, reached through a tunnel: its dashboard listens to nobody outside."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from irnet_ray.errors import ConfigurationError

_DASHBOARD_PORT = 8265
_SECONDS = 90.0  # for finding the head and logging in
_GRACE_SECONDS = 5.0


@contextmanager
def reach(cluster: str) -> Iterator[str]:
    """Makes a cluster's dashboard answer on this machine.

    Args:
        cluster: The file from which ``ray up`` started it; or, where a tunnel stands already, its address, such as
            ``http://127.0.0.1:8265``.

    Returns:
        The address of the dashboard.

    Raises:
        ConfigurationError: There is no such file, or the cluster does not answer.
    """
    if cluster.startswith(("http://", "https://")):
        _check_private(cluster)
        yield cluster
        return
    if not Path(cluster).is_file():
        raise ConfigurationError(
            f"'{cluster}' is no file; name the file from which 'ray up' started the cluster, or an http:// address"
        )
    port = _free_port()
    with _tunnel(cluster, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _tunnel(file: str, port: int) -> Iterator[None]:
    """Lets Ray's own command find the head node and log in there."""
    program = "import sys; from ray.scripts.scripts import main; sys.exit(main())"
    options = [f"--port={port}", f"--remote-port={_DASHBOARD_PORT}"]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-c", program, "dashboard", *options, file],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            if not _answers(process, port):
                output.seek(0)
                reason = _reason(output.read().decode(errors="replace"))
                raise ConfigurationError(
                    f"'{file}': cannot reach the cluster ({reason}); is it up? "
                    f"'ray up --no-restart {file}' finds it again or starts it"
                )
            yield
        finally:
            _end(process)


def _check_private(address: str) -> None:
    """Refuses to send the token where others can read it.

    Raises:
        ConfigurationError: Says how to go there.
    """
    parts = urlsplit(address)
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ConfigurationError(
            f"'{address}': the token would cross the network for all to read; make a tunnel (ssh -L, or kubectl "
            "port-forward) and name http://127.0.0.1:PORT"
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Waits until the tunnel stands, or its process has ended."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
            return _is_ours(port)
        time.sleep(0.2)
    return False


def _is_ours(port: int) -> bool:
    """Whether nobody else took the port before the tunnel could, to be sent the token.

    Processes of other users have no number here, unless this one is root's; where nobody may look, it is believed.
    """
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return True
    listening = [each for each in connections if each.status == psutil.CONN_LISTEN and each.laddr[1:] == (port,)]
    return all(each.pid is not None for each in listening)


def _reason(output: str) -> str:
    """The line that tells most of what Ray's command printed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if "rror" in line or "not found" in line or "refused" in line]
    return (telling or lines or ["it tells nothing"])[-1]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the command and the ssh that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
            return
