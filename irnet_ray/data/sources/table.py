"""Tables that users bring: CSV, Parquet or JSON lines with a column of formulas or structures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from irnet_ray.data.cards import OwnTable
from irnet_ray.data.curate import FORMULA, STRUCTURE
from irnet_ray.data.sources.columns import as_text, stream_columns
from irnet_ray.errors import DataError

_MISSING = {"", "nan", "na", "n/a", "null", "none"}


def read_table(own: OwnTable) -> pd.DataFrame:
    """Reads a user's table.

    A formula is read as written, so that ``NaN`` is sodium nitride; in the columns of properties an empty
    field, ``NaN``, ``NA``, ``null`` and ``None`` are missing values.

    Args:
        own: Which file and which columns.

    Returns:
        Columns ``formula``, or ``structure`` if the table has structures (text, empty where missing), and
        one for each property (float64); the index numbers the rows from 1, not counting a header.

    Raises:
        DataError: The file or a column is missing, or a value is not a number.
    """
    path = Path(own.path).expanduser()
    name, column = (FORMULA, own.formula) if own.structure is None else (STRUCTURE, own.structure)
    columns = _read_columns(path, [column, *map(own.column, own.properties)])
    data: dict[str, pd.Series[Any]] = {name: _text(columns[column])}
    data |= {each: as_numbers(columns[own.column(each)], str(path)) for each in own.properties}
    table = pd.DataFrame(data)
    table.index = pd.RangeIndex(1, len(table) + 1)
    return table


def _read_columns(path: Path, names: Sequence[str]) -> dict[str, pd.Series[Any]]:
    """Reads columns as they stand in the file: text in CSV, typed values in the others."""
    values: dict[str, list[Any]] = {name: [] for name in names}
    for batch in stream_columns(path, names):
        for name, column in values.items():
            column.extend(batch[name])
    return {name: pd.Series(column, name=name, dtype=object) for name, column in values.items()}


def _text(column: pd.Series[Any]) -> pd.Series[str]:
    """Converts a column to text, empty where a value is missing."""
    return pd.Series([as_text(value) for value in column], dtype=object)


def as_numbers(column: pd.Series[Any], where: str) -> pd.Series[float]:
    """Converts a column to float64, with NaN for a missing value.

    Args:
        column: Text or typed values.
        where: What the message begins with.

    Raises:
        DataError: A value is neither a finite number nor missing.
    """
    stripped = column.map(lambda value: value.strip() if isinstance(value, str) else value)
    is_missing = stripped.isna() | stripped.map(lambda value: str(value).lower() in _MISSING)
    numbers = pd.to_numeric(stripped.mask(is_missing), errors="coerce").astype(np.float64)
    wrong = np.flatnonzero(~np.isfinite(numbers) & ~is_missing)
    if len(wrong):
        value, more = column.iloc[wrong[0]], f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        place = f"{where}: column '{column.name}', row {wrong[0] + 1}"
        raise DataError(f"{place}: {value!r} is not a finite number{more}; correct it or leave it empty")
    return numbers
