"""Columns of tables that users bring, a batch of rows at a time: CSV, Parquet and JSON lines."""

from __future__ import annotations

import gzip
import itertools
import json
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from irnet_ray.errors import DataError, suggestion

TABLE_SUFFIXES = (".csv", ".csv.gz", ".parquet", ".jsonl", ".jsonl.gz")
"""How the names of tables end."""

ROWS_A_BATCH = 4096
"""Rows that are held in memory at a time, unless asked otherwise."""

Columns = dict[str, list[Any]]
"""For each column the values of a batch of rows: text in CSV, typed values in the others."""

_ROWS_WITH_ALL_KEYS = 100  # of JSON lines; keys that appear only later are found when they are asked for
_ROWS_TO_PEEK = 64
_BROKEN = (ValueError, OSError, EOFError, zlib.error, RecursionError)  # pyarrow's and pandas' errors are ValueErrors


def is_table(path: Path) -> bool:
    """Whether the name is that of a table."""
    return path.name.endswith(TABLE_SUFFIXES)


def column_names(path: Path) -> list[str]:
    """Names of a table's columns; of JSON lines the keys of the first hundred rows.

    Raises:
        DataError: The file is missing or broken, or no table.
    """
    with in_one_line(path):
        return _format(path)[0](path)


def stream_columns(path: Path, columns: Sequence[str], rows: int = ROWS_A_BATCH) -> Iterator[Columns]:
    """Reads columns of a table, holding one batch of rows in memory.

    Args:
        path: The file; its suffix tells the format.
        columns: Names of columns. In JSON lines a key that a row lacks is a missing value.
        rows: Rows of a batch.

    Yields:
        The values of each column as they stand in the file.

    Raises:
        DataError: The file is missing or broken, or a column does not exist; in JSON lines the latter is
            known at the end.
    """
    with in_one_line(path):
        yield from _format(path)[1](path, list(dict.fromkeys(columns)), rows)


def as_text(value: Any) -> str:
    """A value of a table as text: empty where it is missing, JSON where it is an object or a list."""
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def first_value(path: Path, column: str) -> str:
    """The first value of a column that is not missing, as text.

    Raises:
        DataError: The file is missing or broken, the column does not exist, or no row has a value.
    """
    has_rows = False
    for batch in stream_columns(path, [column], _ROWS_TO_PEEK):
        has_rows = has_rows or bool(batch[column])
        for value in batch[column]:
            if as_text(value).strip():
                return as_text(value)
    problem = f"column '{column}' is empty in every row; name another" if has_rows else "holds no rows; add some"
    raise DataError(f"{path}: {problem}")


@contextmanager
def in_one_line(path: Path) -> Iterator[None]:
    """Turns what readers of a broken file raise into one line.

    Raises:
        DataError: Says what is wrong with the file.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; correct the path") from error
    except _BROKEN as error:
        lines = str(error).strip().splitlines()
        reason = lines[0] if lines else type(error).__name__
        raise DataError(f"{path}: cannot be read ({reason}); repair the file") from error


def _format(
    path: Path,
) -> tuple[Callable[[Path], list[str]], Callable[[Path, list[str], int], Iterator[Columns]]]:
    """The readers of a file's column names and of its columns."""
    if path.name.endswith(".parquet"):
        return _parquet_names, _stream_parquet
    if path.name.endswith((".jsonl", ".jsonl.gz")):
        return _json_names, _stream_json
    if path.name.endswith((".csv", ".csv.gz")):
        return _csv_names, _stream_csv
    raise DataError(f"{path}: not a format that can be read; convert it to one of {', '.join(TABLE_SUFFIXES)}")


def _require(columns: Sequence[str], known: Sequence[str], path: Path) -> None:
    for name in columns:
        if name not in known:
            raise DataError(f"{path}: no column '{name}'{suggestion(name, known)}")


def _csv_names(path: Path) -> list[str]:
    return [str(name) for name in pd.read_csv(path, dtype=str, nrows=0, index_col=False).columns]


def _stream_csv(path: Path, columns: list[str], rows: int) -> Iterator[Columns]:
    _require(columns, _csv_names(path), path)
    # All columns are parsed: with usecols pandas would not mind rows that have more fields than the header.
    with pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False, chunksize=rows) as chunks:
        for chunk in chunks:
            if not isinstance(chunk.index, pd.RangeIndex):  # pandas took the first column for row labels
                raise ValueError("rows have more fields than the header")
            yield {name: chunk[name].tolist() for name in columns}


def _parquet_names(path: Path) -> list[str]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return list(file.schema_arrow.names)


def _stream_parquet(path: Path, columns: list[str], rows: int) -> Iterator[Columns]:
    import pyarrow.parquet as pq

    # Read in pieces of 1 MiB: by default pyarrow would read a row group, often the whole file, at once.
    with pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
        _require(columns, file.schema_arrow.names, path)
        for batch in file.iter_batches(batch_size=rows, columns=columns):
            yield {name: batch.column(name).to_pylist() for name in columns}


def _json_names(path: Path) -> list[str]:
    first = list(itertools.islice(_json_records(path), _ROWS_WITH_ALL_KEYS))
    if not first:
        raise ValueError("it is empty")
    return list(dict.fromkeys(key for record in first for key in record))


def _stream_json(path: Path, columns: list[str], rows: int) -> Iterator[Columns]:
    seen: dict[str, None] = {}
    every = _json_records(path)
    while records := list(itertools.islice(every, rows)):
        seen.update(dict.fromkeys(key for record in records for key in record))
        yield {name: [record.get(name) for record in records] for name in columns}
    if not seen:
        raise ValueError("it is empty")
    _require(columns, list(seen), path)


def _json_records(path: Path) -> Iterator[dict[str, Any]]:
    row = 0
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig") as file:
        for line in file:
            if not line.strip():
                continue
            row += 1
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError(f"{path}: row {row} cannot be read ({error}); repair the file") from error
            if not isinstance(record, dict):
                raise DataError(f"{path}: row {row} is not a JSON object; write one object with its keys on each line")
            yield record
