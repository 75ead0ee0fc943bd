"""A lock on storage that knows none: a file that its holder writes again and again."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from irnet_ray.errors import RunError, StorageError
from irnet_ray.storage import Storage
from irnet_ray.study.lock_holder import LOCK, myself, refusal

_BEAT_SECONDS = 5.0
_SILENT_SECONDS = 20.0  # after so many without a change the holder is taken for dead
_SETTLING_SECONDS = 4.0  # two that take the lease at once have seen each other by then
_SIGNAL = signal.SIGUSR2


class _LostError(BaseException):
    """Another run took the lease."""


class Lease:
    """A lease on a directory.

    Args:
        storage: The directory.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._name = uuid.uuid4().hex
        self._beats = 0
        self._ended = threading.Event()
        self._is_main = False

    @contextmanager
    def held(self, tell: Callable[[str], None]) -> Iterator[None]:
        """Takes the lease, renews it, and gives it back.

        Args:
            tell: Called with what there is to wait for.

        Raises:
            RunError: Another run has it, or took it while this one could not be heard.
            StorageError: The storage cannot be written.
        """
        keeper = threading.Thread(target=self._keep, daemon=True)
        try:
            with self._ended_when_lost():
                try:
                    self._take(tell)
                    keeper.start()
                    yield
                finally:
                    self._ended.set()
                    if keeper.is_alive():
                        keeper.join()
                    with suppress(StorageError):  # it falls silent
                        if self._is_mine():
                            self._storage.delete(LOCK)
        except _LostError:
            raise self._refused() from None

    @contextmanager
    def _ended_when_lost(self) -> Iterator[None]:
        """Makes a signal end what the main thread does; not that of Ctrl-C, which Ray and shells keep from drivers."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def end(number: int, _: object) -> None:
            raise _LostError

        former = signal.signal(_SIGNAL, end)
        self._is_main = True
        try:
            yield
        finally:
            signal.signal(_SIGNAL, former)

    def _take(self, tell: Callable[[str], None]) -> None:
        found = self._read()
        if found is not None:
            tell(f"'{self._storage.uri}': waiting {_SILENT_SECONDS:.0f} s to see whether the run that began here lives")
            if self._changes(found):
                raise self._refused()
        while True:
            begun = time.monotonic()
            if self._read() != found:
                raise self._refused()
            found = self._beat()
            if time.monotonic() - begun < _SETTLING_SECONDS / 2:
                break  # a slower one might be unseen by who has settled before
        time.sleep(_SETTLING_SECONDS)
        if not self._is_mine():
            raise self._refused()

    def _read(self) -> bytes | None:
        """What the holder wrote last; an empty file was left by who tried to lock it."""
        return self._storage.read(LOCK) or None

    def _changes(self, found: bytes) -> bool:
        deadline = time.monotonic() + _SILENT_SECONDS
        while time.monotonic() < deadline:
            time.sleep(min(1.0, _SILENT_SECONDS / 4))
            if self._read() not in (found, None):
                return True
        return False

    def _beat(self) -> bytes:
        self._beats += 1
        content = json.dumps({**myself(), "name": self._name, "beats": self._beats}).encode()
        self._storage.write(LOCK, content)
        return content

    def _is_mine(self) -> bool:
        return f'"{self._name}"'.encode() in (self._storage.read(LOCK) or b"")

    def _keep(self) -> None:
        """Renews the lease; a failing bucket is tried again, and one that another run took ends this one."""
        while not self._ended.wait(_BEAT_SECONDS):
            with suppress(StorageError):
                if not self._is_mine():
                    if self._is_main:
                        os.kill(os.getpid(), _SIGNAL)
                    return
                self._beat()

    def _refused(self) -> RunError:
        return refusal(self._storage.uri, self._storage.read(LOCK))
