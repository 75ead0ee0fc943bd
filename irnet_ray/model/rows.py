"""Rows of a feature matrix with their property, and their standardization."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
Total = Callable[[Float64Array], Float64Array]
"""Adds up an array over the processes that hold parts of the same rows."""

_ROWS_AT_A_TIME = 4096  # bounds the copies, in double precision, that selections and exact sums need


@dataclass(frozen=True)
class Rows:
    """Some materials as a network sees them.

    Attributes:
        inputs: Attributes, shape ``(rows, attributes)``.
        target: The property in its unit, shape ``(rows,)``.
    """

    inputs: Float32Array
    target: Float64Array

    def __len__(self) -> int:
        return len(self.target)

    @property
    def attributes(self) -> int:
        """Number of attributes."""
        return int(self.inputs.shape[1])

    def take(self, indices: npt.NDArray[np.int64]) -> Rows:
        """Copies the rows at these positions, in this order."""
        return Rows(self.inputs[indices], self.target[indices])

    def select(self, indices: npt.NDArray[np.int64]) -> Selection:
        """Names the rows at these positions, in this order, without a copy of their attributes."""
        return Selection(self, indices)

    def blocks(self) -> Iterator[Float32Array]:
        """Gives the attributes in blocks of rows, one after the other."""
        return slices(self.inputs)


@dataclass(frozen=True)
class Selection:
    """Some rows of a matrix that is kept once, however many trials learn from it.

    Attributes:
        rows: The whole matrix.
        positions: Of the rows that are meant, in their order.
    """

    rows: Rows
    positions: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def attributes(self) -> int:
        """Number of attributes."""
        return self.rows.attributes

    @property
    def inputs(self) -> Float32Array:
        """A copy of the attributes, shape ``(rows, attributes)``."""
        return self.rows.inputs[self.positions]

    @property
    def target(self) -> Float64Array:
        """The property in its unit, shape ``(rows,)``."""
        return self.rows.target[self.positions]

    def select(self, indices: npt.NDArray[np.int64]) -> Selection:
        """Names some of these rows, in this order, without a copy of their attributes."""
        return Selection(self.rows, self.positions[indices])

    def blocks(self) -> Iterator[Float32Array]:
        """Copies the attributes in blocks of rows, one after the other."""
        return (self.rows.inputs[part] for part in slices(self.positions))


AnyRows = Rows | Selection


@dataclass(frozen=True)
class Standardization:
    """Shift and scale of each column; a column that does not vary is only shifted.

    Attributes:
        mean: Shape ``(columns,)``.
        scale: Standard deviation (divided by the number of rows), or 1, shape ``(columns,)``.
        limit: Standardized values beyond it, in either direction, are set to it.
    """

    mean: Float64Array
    scale: Float64Array
    limit: float = np.inf

    @classmethod
    def of(cls, values: npt.NDArray[np.floating], limit: float = np.inf) -> Standardization:
        """Measures the columns of one array, shape ``(rows, columns)``."""
        return cls.of_blocks(lambda: slices(values), limit)

    @classmethod
    def of_blocks(
        cls,
        blocks: Callable[[], Iterable[npt.NDArray[np.floating]]],
        limit: float = np.inf,
        total: Total = lambda partial: partial,
    ) -> Standardization:
        """Measures columns in double precision and bounded memory.

        Args:
            blocks: Gives blocks of rows, shape ``(n, columns)`` each; called twice.
            limit: See the class.
            total: Adds up sums over the processes that hold other rows of the same set.
        """
        rows, mean = _count_and_mean(blocks, total)
        squares = total(_sum(np.square(block - mean).sum(axis=0) for block in blocks()))
        deviation = np.sqrt(squares / rows)
        negligible = deviation <= 1e-6 * np.abs(mean)  # rounding of float32, no variation
        return cls(mean, np.where(negligible | (deviation == 0), 1.0, deviation), limit)

    @classmethod
    def identity(cls, columns: int) -> Standardization:
        """Changes nothing."""
        return cls(np.zeros(columns), np.ones(columns))

    def apply(self, values: npt.NDArray[np.floating]) -> Float32Array:
        """Standardizes columns, shape ``(rows, columns)``."""
        standardized = np.empty(values.shape, dtype=np.float32)
        for block, part in zip(slices(standardized), slices(values), strict=True):
            block[:] = np.clip((part - self.mean) / self.scale, -self.limit, self.limit)
        return standardized


def slices(values: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """Gives views of an array's rows in blocks, one after the other."""
    return (values[start : start + _ROWS_AT_A_TIME] for start in range(0, len(values), _ROWS_AT_A_TIME))


def _count_and_mean(
    blocks: Callable[[], Iterable[npt.NDArray[np.floating]]], total: Total
) -> tuple[float, Float64Array]:
    rows, sums = 0, []
    for block in blocks():
        rows += len(block)
        sums.append(block.sum(axis=0, dtype=np.float64))
    count = float(total(np.array([float(rows)]))[0])
    return count, total(_sum(sums)) / count


def _sum(parts: Iterable[npt.NDArray[np.floating]]) -> Float64Array:
    return np.asarray(sum(parts, start=np.float64(0)), dtype=np.float64)
