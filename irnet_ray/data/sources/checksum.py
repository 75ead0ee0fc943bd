"""Checksums of files that are downloaded, or that others change."""

from __future__ import annotations

import hashlib
from pathlib import Path

from irnet_ray.errors import DataError


def sha256_of(path: Path) -> str:
    """The file's sha256 in hexadecimal digits.

    Raises:
        DataError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; correct the path of the table") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); repair the file") from error


def verify(path: Path, expected: str, repair: str) -> None:
    """Compares a file with its checksum.

    Raises:
        DataError: The file is another one, with the repair.
    """
    found = sha256_of(path)
    if found != expected:
        raise DataError(f"{path.name}: sha256 is {found}, expected {expected}; {repair}")
