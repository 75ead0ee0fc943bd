"""The cache: where downloads and what has been computed are kept.

A sealed file is one whose name ends in a digest of its content; what has been altered since is never trusted.
"""

from __future__ import annotations

import hashlib
import logging
import os
import uuid
from pathlib import Path

from irnet_ray.errors import StorageError

VARIABLE = "IRNET_RAY_CACHE"
"""The environment variable that moves the cache."""

_LOGGER = logging.getLogger(__name__)
_DIGEST_BYTES = 16


def cache_directory() -> Path:
    """The folder named by ``IRNET_RAY_CACHE``, else ``irnet-ray`` in the user's cache folder.

    The user's cache folder is ``XDG_CACHE_HOME`` where that is set, else ``~/.cache``.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "irnet-ray"


def make_directory(path: Path) -> Path:
    """Makes a folder of the cache, with its parents, unless it is there.

    Raises:
        StorageError: The folder cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{path}: cannot be made ({error.strerror}); set {VARIABLE} to another folder") from error
    return path


def write_sealed(folder: Path, name: str, content: bytes) -> None:
    """Writes a file whole or not at all.

    Args:
        folder: Where; it is made if need be.
        name: Of the file, in front of the digest.
        content: Of the file, which is in Parquet format.

    Raises:
        StorageError: The disk is full or read-only, for example.
    """
    make_directory(folder)
    temporary = folder / f".{uuid.uuid4().hex}.part"
    try:
        try:
            temporary.write_bytes(content)
            os.replace(temporary, folder / f"{name}-{_digest(content)}.parquet")
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        problem = f"cannot write to '{folder}': {error.strerror or error}"
        raise StorageError(f"{problem}; free space, or set {VARIABLE} to another folder") from error


def read_sealed(path: Path) -> bytes | None:
    """Reads a file; ``None`` where it was not what had been written, and is deleted now.

    Raises:
        StorageError: It cannot be read or deleted.
    """
    try:
        content = path.read_bytes()
        if path.stem.rpartition("-")[2] == _digest(content):
            return content
        path.unlink()
    except OSError as error:
        problem = f"cannot read or delete '{path}': {error.strerror or error}"
        raise StorageError(f"{problem}; mend its rights, or set {VARIABLE} to another folder") from error
    _LOGGER.warning("'%s' was damaged and is deleted; what it held is computed again", path)
    return None


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()
