"""The cache: where downloads and what has been computed are kept, on a disk or in a bucket.

What has been computed lies in sealed files, whose names end in a digest of their content: what has been altered since
is never trusted.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import re
from pathlib import Path

from irnet_ray.errors import StorageError
from irnet_ray.storage import PATIENCE_SECONDS, Storage, join

VARIABLE = "IRNET_RAY_CACHE"
"""The environment variable that moves the cache."""

_LOGGER = logging.getLogger(__name__)
_DIGEST_BYTES = 16
_DOWNLOADS = "downloads"
_SEALED = re.compile(rf"-[0-9a-f]{{{2 * _DIGEST_BYTES}}}\.parquet$")


class Cache:
    """A cache.

    Args:
        place: A folder, or a URI such as ``s3://bucket/cache``; unless given, what ``IRNET_RAY_CACHE`` names, else
            ``irnet-ray`` in the user's cache folder (``XDG_CACHE_HOME`` where that is set, else ``~/.cache``).

    Attributes:
        downloads: The folder of what was fetched; always on a disk, where it can be read in pieces.
    """

    def __init__(self, place: str | Path | None = None) -> None:
        chosen = str(place or os.environ.get(VARIABLE) or _users_folder())
        disk = _users_folder() if "://" in chosen else Path(chosen).expanduser()
        self._uri = chosen if "://" in chosen else str(disk)
        self.downloads = disk / _DOWNLOADS

    @functools.cached_property
    def storage(self) -> Storage:
        """Of what has been computed.

        Raises:
            StorageError: There is no such kind of storage.
        """
        return Storage(self._uri, otherwise=f"set {VARIABLE} to another folder", patience=PATIENCE_SECONDS)

    def write_sealed(self, path: str, content: bytes) -> None:
        """Writes a Parquet file whole or not at all.

        Args:
            path: Of the file, without digest and suffix.
            content: Of the file.

        Raises:
            StorageError: The disk is full or read-only, for example.
        """
        self.storage.write(f"{path}-{_digest(content)}.parquet", content)

    def read_sealed(self, path: str) -> bytes | None:
        """Reads a file; ``None`` where there is none, or it is not what was written and is deleted now.

        Raises:
            StorageError: It cannot be read or deleted.
        """
        content = self.storage.read(path)
        if content is not None and Path(path).stem.rpartition("-")[2] != _digest(content):
            self.storage.delete(path)
            _LOGGER.warning("'%s' was damaged and is deleted; it is computed again", join(self.storage.uri, path))
            return None
        return content

    def sealed(self, folder: str, prefix: str = "") -> list[str]:
        """Paths of the sealed files in a folder whose names begin so, sorted.

        Raises:
            StorageError: The folder cannot be read.
        """
        names = self.storage.names(folder)
        return [f"{folder}/{name}" for name in names if name.startswith(prefix) and _SEALED.search(name)]


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


def _users_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "irnet-ray"


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()
