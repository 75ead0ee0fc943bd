"""Computed features on disk: parts in Parquet, under a hash of the formulas and the representation.

A part holds the attributes of a range of rows, is written whole or not at all, and can be computed
anywhere; what is missing can therefore be computed by many processes, and after an interruption.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from irnet_ray.errors import StorageError
from irnet_ray.features import representation
from irnet_ray.formula import FloatArray, IntArray

ROWS_A_PART = 16_384


@dataclass(frozen=True)
class Part:
    """A range of rows.

    Attributes:
        start: The first row.
        formulas: Of the rows.
    """

    start: int
    formulas: Sequence[str]


class FeatureCache:
    """Features of a column of formulas in one representation.

    Args:
        root: The folder of all cached data.
        formulas: ``n`` formulas.
        name: Of the representation.

    Attributes:
        name: The representation's canonical name.
        folder: Where the parts lie.
        labels: Names of the columns.
    """

    def __init__(self, root: Path, formulas: Sequence[str], name: str) -> None:
        self._formulas = formulas
        self.name = representation.canonical_name(name)
        self.labels = representation.labels(name)
        self.folder = root / "features" / _key(formulas, self.name)

    def missing(self) -> list[Part]:
        """The parts that are not on disk."""
        starts = range(0, len(self._formulas), ROWS_A_PART)
        return [
            Part(start, self._formulas[start : start + ROWS_A_PART])
            for start in starts
            if not part_path(self.folder, start).exists()
        ]

    def load(self, rows: IntArray) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        """Reads some rows as a network wants them.

        Args:
            rows: Row numbers, rising, shape ``(m,)``.

        Returns:
            Attributes in the order of ``labels``, float32, shape ``(m, len(labels))``.
        """
        matrix = np.empty((len(rows), len(self.labels)), dtype=np.float32)
        bounds = np.searchsorted(rows, np.arange(0, len(self._formulas) + ROWS_A_PART, ROWS_A_PART))
        for number, (first, last) in enumerate(itertools.pairwise(bounds)):
            if first < last:
                table = pq.read_table(part_path(self.folder, number * ROWS_A_PART))
                wanted = rows[first:last] - number * ROWS_A_PART
                for column in range(len(self.labels)):
                    matrix[first:last, column] = table.column(column).to_numpy()[wanted]
        return matrix

    def tables(self) -> list[Path]:
        """Files of all parts in the order of their rows."""
        return [part_path(self.folder, start) for start in range(0, len(self._formulas), ROWS_A_PART)]


def compute_part(folder: Path, name: str, part: Part) -> None:
    """Computes a part and writes it in double precision.

    Args:
        folder: Where parts lie.
        name: Of the representation.
        part: Which rows.

    Raises:
        StorageError: The disk is full or read-only.
    """
    write_part(folder, part.start, representation.featurize(part.formulas, name), representation.labels(name))


def write_part(folder: Path, start: int, values: FloatArray, labels: Sequence[str]) -> None:
    """Writes a part whole or not at all."""
    path = part_path(folder, start)
    temporary = path.with_suffix(f".{uuid.uuid4().hex}.part")
    table = pa.table([pa.array(column) for column in values.T.copy()], names=list(labels))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            pq.write_table(table, temporary, compression="zstd", compression_level=1)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"cannot write features to '{folder}': {reason}; free space, or set IRNET_RAY_CACHE to another folder"
        ) from error


def part_path(folder: Path, start: int) -> Path:
    """File of the part that begins with a row."""
    return folder / f"part-{start:09d}.parquet"


def _key(formulas: Sequence[str], name: str) -> str:
    identity = json.dumps([representation.VERSION, _matminer_version(), name, ROWS_A_PART])
    digest = hashlib.sha256(identity.encode())
    digest.update("\n".join(formulas).encode())
    return digest.hexdigest()[:24]


@functools.cache
def _matminer_version() -> str:
    return metadata.version("matminer")
