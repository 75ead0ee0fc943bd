"""One run at a time fills a directory.

On a disk and on NFS the kernel keeps the lock, and lets it go when its holder dies, however it dies. A bucket knows no
locks: there the holder writes a file again and again, and who finds it watches for a while whether it changes. Only
durations are measured, with a clock that nobody sets.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from irnet_ray.errors import RunError, StorageError
from irnet_ray.storage import ELSEWHERE, Storage

LOCK = "LOCK"
"""The file's name; it says who holds the lock."""

_BEAT_SECONDS = 5.0
_SILENT_SECONDS = 20.0  # after so many without a change the holder is taken for dead
_SETTLING_SECONDS = 2.0  # two that take a silent lock at once have seen each other by then
_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)

Tell = Callable[[str], None]


@contextmanager
def only_run(storage: Storage, tell: Tell) -> Iterator[None]:
    """Keeps other runs off a directory, and leaves nothing behind.

    Args:
        storage: The directory; it need not exist.
        tell: Called with what there is to wait for.

    Raises:
        RunError: Another run fills the directory.
        StorageError: It cannot be written.
    """
    folder = storage.local_path
    file = None if folder is None else _lock_file(folder, storage)
    if file is None:
        with _Lease(storage).held(tell):
            yield
        return
    assert folder is not None
    try:
        yield
    finally:
        (folder / LOCK).unlink(missing_ok=True)
        file.close()
        with suppress(OSError):  # there is a run in it
            folder.rmdir()


def _lock_file(folder: Path, storage: Storage) -> IO[str] | None:
    """Locks the file of a folder; ``None`` where its file system has no locks.

    Raises:
        RunError: Another process has locked it.
        StorageError: It cannot be written.
    """
    while True:
        file = _open(folder)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with file:
                raise _refusal(storage, file.read()) from None
        except OSError as error:
            file.close()
            if error.errno in _WITHOUT_LOCKS:
                return None
            raise StorageError(f"cannot lock '{folder}/{LOCK}': {error.strerror}; {ELSEWHERE}") from error
        if _is_at(file, folder / LOCK):
            file.truncate(0)
            file.write(json.dumps(_me()))
            file.flush()
            return file
        file.close()  # whoever had it deleted it meanwhile


def _open(folder: Path) -> IO[str]:
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = (folder / LOCK).open("a+", encoding="utf-8")
        except FileNotFoundError:  # a run that ended has just deleted the folder
            continue
        except OSError as error:
            raise StorageError(f"cannot write '{folder}/{LOCK}': {error.strerror}; {ELSEWHERE}") from error
        file.seek(0)
        return file


def _is_at(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _me() -> dict[str, str | int]:
    return {"host": socket.gethostname(), "process": os.getpid()}


def _refusal(storage: Storage, content: str | bytes) -> RunError:
    try:
        holder = json.loads(content)
        who = f"process {holder['process']} on {holder['host']}"
    except (ValueError, KeyError, TypeError):
        who = "another run"
    return RunError(f"'{storage.uri}' is being filled by {who}; wait for it, stop it, or {ELSEWHERE}")


class _Lease:
    """A lock on storage that knows none."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._name = uuid.uuid4().hex
        self._beats = 0
        self._ended = threading.Event()
        self._lost = False

    @contextmanager
    def held(self, tell: Tell) -> Iterator[None]:
        """Takes the lease, renews it, and gives it back.

        Raises:
            RunError: Another run has it, or took it while this one could not be heard.
        """
        self._take(tell)
        keeper = threading.Thread(target=self._keep, daemon=True)
        keeper.start()
        try:
            yield
        except KeyboardInterrupt:
            if self._lost:
                raise self._refused() from None
            raise
        finally:
            self._ended.set()
            keeper.join()
            if not self._lost:
                with suppress(StorageError):  # it falls silent
                    self._storage.delete(LOCK)

    def _take(self, tell: Tell) -> None:
        found = self._storage.read(LOCK)
        if found is not None:
            tell(f"'{self._storage.uri}': waiting {_SILENT_SECONDS:.0f} s to see whether the run that began here lives")
            if self._changes(found):
                raise self._refused()
        self._beat()
        time.sleep(_SETTLING_SECONDS)
        if not self._is_mine():
            raise self._refused()

    def _changes(self, found: bytes) -> bool:
        deadline = time.monotonic() + _SILENT_SECONDS
        while time.monotonic() < deadline:
            time.sleep(min(1.0, _SILENT_SECONDS / 4))
            if self._storage.read(LOCK) not in (found, None):
                return True
        return False

    def _beat(self) -> None:
        self._beats += 1
        content = {**_me(), "name": self._name, "beats": self._beats}
        self._storage.write(LOCK, json.dumps(content).encode())

    def _is_mine(self) -> bool:
        content = self._storage.read(LOCK)
        return content is None or f'"{self._name}"'.encode() in content

    def _keep(self) -> None:
        """Renews the lease; a failing bucket is tried again, and one that another run took ends this one."""
        while not self._ended.wait(_BEAT_SECONDS):
            with suppress(StorageError):
                if not self._is_mine():
                    self._lost = True
                    os.kill(os.getpid(), signal.SIGINT)
                    return
                self._beat()

    def _refused(self) -> RunError:
        return _refusal(self._storage, self._storage.read(LOCK) or b"")
