"""Trials that last until something happens to them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from irnet_ray.errors import StorageError
from irnet_ray.model.checkpoint import decode
from irnet_ray.study.run_directory import RunDirectory

_SECONDS = 180.0


def long_enough(workers: int) -> list[str]:
    """Settings of a trial of the small study that lasts some seconds, and writes a checkpoint several times in each."""
    return [
        "models.networks={depth: 10, shortcut: layer, width: 0.03, recipe: {base: fast, epochs: 250, batch_size: 16}}",
        "trainer.checkpoint_seconds=0.2",
        f"trainer.workers={workers}",
    ]


def wait_for_checkpoint(run: RunDirectory, is_alive: Callable[[], bool] = lambda: True) -> None:
    """Waits until a trial of a run has a checkpoint.

    Args:
        run: Where it appears.
        is_alive: Whether it still may.
    """
    deadline = time.monotonic() + _SECONDS
    while not any(path.endswith("checkpoint.bin") for path in run.storage.files("trials")):
        assert is_alive(), "the run ended without a checkpoint"
        assert time.monotonic() < deadline, "no checkpoint is written"
        time.sleep(0.05)


@contextmanager
def nothing_repeated(run: RunDirectory) -> Iterator[None]:
    """Sees to it that no checkpoint of a trial is of an earlier epoch than one before it.

    What is done again after a fault is then at most what was done since the last checkpoint.
    """
    seen: dict[str, list[int]] = {}
    last: dict[str, bytes] = {}
    ended = threading.Event()

    def note(path: str) -> None:
        content = run.storage.read(f"trials/{path}") or b""
        if content != last.get(path):
            last[path] = content
            state = decode(content)
            if state is not None:
                seen.setdefault(path, []).append(len(state["history"]["epochs"]))

    def watch() -> None:
        while not ended.wait(0.1):
            with suppress(StorageError):  # it is the fault
                for path in run.storage.files("trials"):
                    if path.endswith("checkpoint.bin"):
                        note(path)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    assert any(len(set(epochs)) > 2 for epochs in seen.values())
    assert all(epochs == sorted(epochs) for epochs in seen.values())
