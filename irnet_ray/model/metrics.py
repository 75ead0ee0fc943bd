"""Errors of predictions, in the unit of the property."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Metrics:
    """Errors over a set of rows.

    Attributes:
        mae: Mean absolute error, in the property's unit.
        rmse: Root of the mean squared error, in the property's unit.
        r2: Coefficient of determination; NaN where the property does not vary.
        p90: 90th percentile of the absolute error (linear interpolation), in the property's unit.
    """

    mae: float
    rmse: float
    r2: float
    p90: float


def evaluate(target: npt.ArrayLike, prediction: npt.ArrayLike) -> Metrics:
    """Compares predictions with the truth.

    Args:
        target: True values, shape ``(rows,)``.
        prediction: Predicted values, shape ``(rows,)``.
    """
    true = np.asarray(target, dtype=np.float64)
    residual = np.asarray(prediction, dtype=np.float64) - true
    varies = (true != true[:1]).any()  # the rounded mean of equal values can differ from them
    spread = float(np.square(true - true.mean()).sum()) if varies else 0.0
    return Metrics(
        mae=float(np.abs(residual).mean()),
        rmse=float(np.sqrt(np.square(residual).mean())),
        r2=1.0 - float(np.square(residual).sum()) / spread if spread else float("nan"),
        p90=float(np.percentile(np.abs(residual), 90)),
    )
