"""The transport properties of Ricci et al. (2017), which come with an installed matminer."""

from __future__ import annotations

import importlib.util
import tarfile
from pathlib import Path

import pandas as pd

from irnet_ray.data.cards import TransportSource
from irnet_ray.data.curate import FORMULA
from irnet_ray.errors import DataError

_ARCHIVE = Path("utils", "data_files", "mp_transport", "transport_database.tar.xz")
_MEMBER = "transport_database.csv"
_FORMULA_COLUMN = "pretty_formula"


def transport_path() -> Path:
    """Finds the archive in the installed matminer, without importing matminer.

    Raises:
        DataError: matminer, or the archive in it, is missing.
    """
    package = importlib.util.find_spec("matminer")
    folders = (package and package.submodule_search_locations) or []
    for folder in folders:
        if (Path(folder) / _ARCHIVE).exists():
            return Path(folder) / _ARCHIVE
    raise DataError(f"matminer's {_ARCHIVE.name} is missing; install matminer again, in a version that has it")


def read_transport(source: TransportSource) -> pd.DataFrame:
    """Reads the table out of the archive, without extracting it.

    Args:
        source: Which columns hold which properties.

    Returns:
        Columns ``formula`` and one for each property; the index numbers the rows from 1.

    Raises:
        DataError: The archive is missing or not what it was.
    """
    path = transport_path()
    columns = {_FORMULA_COLUMN: FORMULA} | {column: name for name, column in source.columns.items()}
    missing_values = {column: [""] for column in source.columns.values()}
    try:
        with tarfile.open(path) as archive:
            file = archive.extractfile(_MEMBER)
            if file is None:
                raise KeyError(f"{_MEMBER} is not a file")
            table = pd.read_csv(file, usecols=list(columns), keep_default_na=False, na_values=missing_values)
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); install matminer again") from error
    table.index = pd.RangeIndex(1, len(table) + 1)
    return table.rename(columns=columns)[[FORMULA, *source.columns]]
