"""One run at a time fills a directory.

On a disk the kernel keeps the lock, and lets it go when its holder dies, however it dies; on NFS the server does. A
bucket knows no locks: there the holder writes a file again and again, and who finds it watches for a while whether it
changes. Only durations are measured, with a clock that nobody sets.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from irnet_ray.errors import StorageError
from irnet_ray.storage import ELSEWHERE, Storage
from irnet_ray.study.lock_holder import LOCK, myself, refusal
from irnet_ray.study.run_lease import Lease

_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)
_TRIES, _WAIT_SECONDS = 100, 0.05  # while other runs that end delete the folder


@contextmanager
def only_run(storage: Storage, tell: Callable[[str], None]) -> Iterator[None]:
    """Keeps other runs off a directory, and leaves nothing in it.

    Args:
        storage: The directory; it need not exist.
        tell: Called with what there is to wait for.

    Raises:
        RunError: Another run fills the directory.
        StorageError: It cannot be written.
    """
    folder = storage.local_path
    if folder is None:
        with Lease(storage).held(tell):
            yield
        return
    # Path.exists raises where one may not look.
    made = [each for each in (folder, *folder.parents) if not os.path.exists(each)]
    try:
        file = _lock_file(folder)
        if file is None:
            with Lease(storage).held(tell):
                yield
            return
        with file:
            try:
                yield
            finally:
                with suppress(OSError):  # the disk fails, as whoever works on it tells
                    (folder / LOCK).unlink()
    finally:
        with suppress(OSError):  # there is a run in it
            for each in made:
                each.rmdir()


def _lock_file(folder: Path) -> IO[str] | None:
    """Locks the file of a folder; ``None`` where its file system has no locks.

    Raises:
        RunError: Another process has locked it.
        StorageError: It cannot be written.
    """
    while True:
        file = _open(folder)
        with ExitStack() as opened:
            opened.enter_context(file)
            try:
                if _lock(file, folder):
                    opened.pop_all()
                    return file
            except OSError as error:
                if error.errno not in _WITHOUT_LOCKS:
                    raise _unwritable(folder, error) from error
                return None  # what it holds may be the lease of a run that lives


def _open(folder: Path) -> IO[str]:
    """Opens the file of a folder, both of which are made if need be.

    Raises:
        StorageError: It cannot be written.
    """
    for attempt in range(_TRIES):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return (folder / LOCK).open("a+", encoding="utf-8")
        except FileNotFoundError as error:  # a run that ended has just deleted the folder
            gone = error
            time.sleep(_WAIT_SECONDS if attempt else 0.0)
        except OSError as error:
            raise _unwritable(folder, error) from error
    raise _unwritable(folder, gone) from gone


def _lock(file: IO[str], folder: Path) -> bool:
    """Locks an open file and writes who did; ``False`` if whoever had it deleted it.

    Raises:
        RunError: Another process has locked it.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(file.fileno()), (folder / LOCK).stat()):
            return False
    except BlockingIOError:
        file.seek(0)
        raise refusal(str(folder), file.read()) from None
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ESTALE):
            return False
        raise
    file.truncate(0)
    file.write(json.dumps(myself()))
    file.flush()
    os.fsync(file.fileno())
    return True


def _unwritable(folder: Path, error: OSError) -> StorageError:
    return StorageError(f"cannot write '{folder}/{LOCK}': {error.strerror}; {ELSEWHERE}")
