"""A server of Google's storage on this machine."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

_PROGRAM = "import sys; from gcp_storage_emulator.__main__ import main; main(sys.argv[1:])"


@contextmanager
def serving() -> Iterator[str]:
    """Makes a bucket that every client of this process and its children finds; gives its URI.

    A process of its own, as pyarrow lets no thread of this one answer while it closes a file.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["start", "--host=127.0.0.1", f"--port={port}", "--in-memory", "--default-bucket=bucket"]
    server = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_until_it_answers(port)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("CLOUD_STORAGE_EMULATOR_ENDPOINT", f"http://127.0.0.1:{port}")
            yield "gs://anonymous@bucket"
    finally:
        server.kill()
        server.wait()


def _wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.1)
    raise TimeoutError("the server of Google's storage does not start")
