"""Rows of a feature matrix with their property, and their standardization."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]

_ROWS_AT_A_TIME = 16_384  # bounds the float64 copies that exact sums need


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

    def take(self, indices: npt.NDArray[np.int64]) -> Rows:
        """Copies the rows at these positions, in this order."""
        return Rows(self.inputs[indices], self.target[indices])


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
        """Measures columns, shape ``(rows, columns)``, in double precision and bounded memory."""
        mean = values.mean(axis=0, dtype=np.float64)
        squares = np.zeros_like(mean)
        for start in range(0, len(values), _ROWS_AT_A_TIME):
            squares += np.square(values[start : start + _ROWS_AT_A_TIME] - mean).sum(axis=0)
        deviation = np.sqrt(squares / len(values))
        negligible = deviation <= 1e-6 * np.abs(mean)  # rounding of float32, no variation
        return cls(mean, np.where(negligible | (deviation == 0), 1.0, deviation), limit)

    @classmethod
    def identity(cls, columns: int) -> Standardization:
        """Changes nothing."""
        return cls(np.zeros(columns), np.ones(columns))

    def apply(self, values: npt.NDArray[np.floating]) -> Float32Array:
        """Standardizes columns, shape ``(rows, columns)``."""
        standardized = np.empty(values.shape, dtype=np.float32)
        for start in range(0, len(values), _ROWS_AT_A_TIME):
            block = slice(start, start + _ROWS_AT_A_TIME)
            standardized[block] = np.clip((values[block] - self.mean) / self.scale, -self.limit, self.limit)
        return standardized
