"""What featurizing writes: a table of attributes, and a side table of the rows that have none."""

from __future__ import annotations

import csv
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from irnet_ray.data.sources.rows import RowBatch
from irnet_ray.errors import DataError, StorageError
from irnet_ray.features.featurizers import Featurized

_FAILED_SUFFIX = ".failed.csv"


class FeatureOutput:
    """The table and the side table, which are put in their places when both are whole.

    Args:
        path: Of the table.
        labels: Names of the attributes.

    Attributes:
        path: Of the table.
        failures_path: Of the side table.
        rows: Number of rows in the table.
        failed: Number of rows in the side table.
    """

    def __init__(self, path: Path, labels: tuple[str, ...]) -> None:
        self.path = path
        self.failures_path = path.with_name(path.name.removesuffix(".parquet") + _FAILED_SUFFIX)
        self.rows = self.failed = 0
        self._labels = labels
        unique = uuid.uuid4().hex
        self._temporary = path.with_name(f".{path.name}.{unique}.part")
        self._temporary_failures = path.with_name(f".{self.failures_path.name}.{unique}.part")
        self._writer: pq.ParquetWriter | None = None
        self._side: IO[str] | None = None
        self._first_failure = ""

    def __enter__(self) -> FeatureOutput:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        for path in (self._temporary, self._temporary_failures):
            path.unlink(missing_ok=True)

    def _close(self) -> None:
        for file in (self._writer, self._side):
            if file is not None:
                file.close()
        self._writer = self._side = None

    def write(self, beside: dict[str, pa.Array], batch: RowBatch, featurized: Featurized) -> None:
        """Writes a batch: its good rows here, the failed ones there.

        Raises:
            StorageError: The disk is full or read-only.
        """
        good = pa.array(np.flatnonzero(~featurized.failed))
        attributes = [pa.array(column) for column in featurized.values.T.copy()]
        table = pa.table([*beside.values(), *attributes], names=[*beside, *self._labels]).take(good)
        ids = batch.ids or [""] * len(batch.texts)
        failed = [
            (batch.start + int(row), ids[row], str(featurized.failures[row]), batch.texts[row])
            for row in np.flatnonzero(featurized.failed)
        ]
        self._guarded(lambda: self._append(table, failed))
        self.rows += len(table)
        self.failed += len(failed)

    def _append(self, table: pa.Table, failed: list[tuple[int, str, str, str]]) -> None:
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._temporary, table.schema, compression="zstd", compression_level=1)
        self._writer.write_table(table)
        if failed and self._side is None:
            self._side = self._temporary_failures.open("w", newline="", encoding="utf-8")
            csv.writer(self._side).writerow(("row", "id", "reason", "text"))
            self._first_failure = f"row {failed[0][0]}: {failed[0][2]}"
        if self._side is not None:
            csv.writer(self._side).writerows(failed)

    def check(self, source: str, strict: bool) -> None:
        """Refuses a table without rows, and one that misses rows if that is not wanted.

        Raises:
            DataError: Names the first row that failed.
        """
        if not self.rows and not self.failed:
            raise DataError(f"'{source}' has no rows; give a source with some")
        if not self.rows:
            raise DataError(f"'{source}': none of {self.failed:,} rows can be used; {self._first_failure}")
        if self.failed and strict:
            more = f" (and {self.failed - 1:,} more)" if self.failed > 1 else ""
            raise DataError(
                f"'{source}': {self._first_failure}{more}; correct it, or leave such rows out: no --fail-on-bad-rows"
            )

    def commit(self) -> None:
        """Puts the tables in their place.

        Raises:
            StorageError: They cannot be written.
        """

        def replace() -> None:
            has_failures = self._side is not None
            self._close()
            if has_failures:
                os.replace(self._temporary_failures, self.failures_path)
            else:
                self.failures_path.unlink(missing_ok=True)  # that of an earlier run
            os.replace(self._temporary, self.path)

        self._guarded(replace)

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except OSError as error:
            raise StorageError(
                f"cannot write '{self.path}': {error.strerror or error}; choose another --output"
            ) from error
