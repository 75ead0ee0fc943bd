"""Tables that users bring: CSV, Parquet or JSON lines with a column of formulas."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from irnet_ray.data.cards import OwnTable
from irnet_ray.data.curate import FORMULA
from irnet_ray.errors import DataError, suggestion

_FORMATS = (".csv", ".csv.gz", ".parquet", ".jsonl", ".jsonl.gz")
_MISSING = {"", "nan", "na", "n/a", "null", "none"}


def read_table(own: OwnTable) -> pd.DataFrame:
    """Reads a user's table.

    A formula is read as written, so that ``NaN`` is sodium nitride; in the columns of properties an empty
    field, ``NaN``, ``NA``, ``null`` and ``None`` are missing values.

    Args:
        own: Which file and which columns.

    Returns:
        Columns ``formula`` (text, empty where missing) and one for each property (float64); the index
        numbers the rows from 1, not counting a header.

    Raises:
        DataError: The file or a column is missing, or a value is not a number.
    """
    path = Path(own.path).expanduser()
    columns = _read_columns(path)
    data: dict[str, pd.Series[Any]] = {FORMULA: _text(_column(columns, own.formula, path))}
    for name in own.properties:
        data[name] = _numbers(_column(columns, own.column(name), path), path)
    table = pd.DataFrame(data)
    table.index = pd.RangeIndex(1, len(table) + 1)
    return table


def read_formulas(path: str, column: str) -> pd.Series[str]:
    """Reads only the formulas of a user's table, as written.

    Args:
        path: The file; its suffix tells the format.
        column: The column of formulas.

    Returns:
        The formulas, empty text where missing; the index numbers the rows from 1, not counting a header.

    Raises:
        DataError: The file or the column is missing.
    """
    file = Path(path).expanduser()
    formulas = _text(_column(_read_columns(file), column, file))
    formulas.index = pd.RangeIndex(1, len(formulas) + 1)
    return formulas


def _read_columns(path: Path) -> pd.DataFrame:
    """Reads the file as it is: text in CSV, typed values in the others."""
    if not path.name.endswith(_FORMATS):
        raise DataError(f"{path}: not a format that can be read; convert it to one of {', '.join(_FORMATS)}")
    try:
        if path.name.endswith(".parquet"):
            return pd.read_parquet(path)
        if path.name.endswith((".jsonl", ".jsonl.gz")):
            return _read_json_lines(path)
        return pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; correct the path of the table") from error
    except (ValueError, OSError, EOFError, zlib.error) as error:  # pyarrow's, pandas' and json's errors are ValueErrors
        reason = str(error).strip().splitlines()[0]
        raise DataError(f"{path}: cannot be read ({reason}); repair the file") from error


def _read_json_lines(path: Path) -> pd.DataFrame:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file if line.strip()]
    if not records:
        raise ValueError("it is empty")
    for row, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            raise DataError(f"{path}: row {row} is not a JSON object; write one object with its keys on each line")
    return pd.DataFrame(records)


def _column(columns: pd.DataFrame, name: str, path: Path) -> pd.Series[Any]:
    if name not in columns:
        raise DataError(f"{path}: no column '{name}'{suggestion(name, map(str, columns))}")
    return columns[name]


def _text(column: pd.Series[Any]) -> pd.Series[str]:
    """Converts a column to text, empty where a value is missing."""
    text: pd.Series[str] = column.astype(object).where(column.notna(), "").astype(str)
    return text


def _numbers(column: pd.Series[Any], path: Path) -> pd.Series[float]:
    """Converts a column to float64; a value that is neither a finite number nor missing raises."""
    if column.dtype == object:
        stripped = column.map(lambda value: value.strip() if isinstance(value, str) else value)
        is_missing = stripped.isna() | stripped.map(lambda value: str(value).lower() in _MISSING)
        column = stripped.mask(is_missing)
    else:
        is_missing = column.isna()
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64)
    wrong = np.flatnonzero(~np.isfinite(numbers) & ~is_missing)
    if len(wrong):
        place = f"{path}: column '{column.name}', row {wrong[0] + 1}"
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise DataError(
            f"{place}: {column.iloc[wrong[0]]!r} is not a finite number{more}; correct it or leave it empty"
        )
    return numbers
