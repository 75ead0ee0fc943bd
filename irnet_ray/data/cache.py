"""Where downloaded data is kept."""

from __future__ import annotations

import os
from pathlib import Path

from irnet_ray.errors import StorageError

VARIABLE = "IRNET_RAY_CACHE"
"""The environment variable that moves the cache."""


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
