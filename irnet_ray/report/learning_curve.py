"""The error of a model as a function of its training rows, and what it says of other numbers of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.optimize import leastsq

FloatArray = npt.NDArray[np.float64]

_DRAWS = 200
SIZES_FOR_A_FLOOR = 4
"""As many as the law has parameters, and one more; with fewer the floor is zero."""

_STEEPEST = 2.0
_UPPER = 0.975
_FIRST_SHARE = 0.1  # of the floor in the smallest error, to begin with


@dataclass(frozen=True)
class LearningCurve:
    """The law ``error = floor + scale * rows**-exponent``, fitted to a model's errors.

    Such laws hold over orders of magnitude (Hestness et al., 2017, arXiv:1712.00409).

    Attributes:
        draws: Parameters ``(floor, scale, exponent)`` of fits to errors drawn from their distributions, shape
            ``(draws, 3)``; the first row is the fit to the errors themselves.
        smallest: The fewest rows that it was fitted to.
        largest: The most.
    """

    draws: FloatArray
    smallest: int
    largest: int

    @property
    def floor(self) -> float:
        """The error that no number of rows would lower."""
        return float(self.draws[0, 0])

    @property
    def exponent(self) -> float:
        """How fast the rest falls."""
        return float(self.draws[0, 2])

    def at(self, rows: float) -> tuple[float, float, float]:
        """The error with so many training rows, and its 95% interval, as far as the law holds."""
        errors = self.all_at(rows)
        low, high = np.quantile(errors[1:], [0.025, 0.975])
        return float(errors[0]), float(low), float(high)

    def all_at(self, rows: float) -> FloatArray:
        """The error with so many training rows by each of the fits, shape ``(draws,)``."""
        floor, scale, exponent = self.draws.T
        errors: FloatArray = floor + scale * np.power(float(rows), -exponent)
        return errors


def fit_learning_curve(
    sizes: Sequence[int], errors: Sequence[float], deviations: Sequence[float], *, seed: int = 0
) -> LearningCurve:
    """Fits the law to the logarithms of errors, each with the weight that its uncertainty gives it.

    Args:
        sizes: Numbers of training rows, at least two; with fewer than four the floor is zero.
        errors: Test MAE at each of them.
        deviations: Standard deviations of their logarithms, above zero. Where the errors lie further from the law than
            these explain, as they do where recipes change with the rows, all are taken to be larger by as much.
        seed: Of the draws; curves that are compared must not share it.
    """
    rows, logarithms = np.asarray(sizes, dtype=np.float64), np.log(np.asarray(errors, dtype=np.float64))
    weights = 1 / np.asarray(deviations, dtype=np.float64)
    fitted = _fit(rows, logarithms, weights)
    scale = _misfit(rows, logarithms, weights, fitted) / weights
    noise = np.random.default_rng(seed).standard_normal((_DRAWS, len(rows))) * scale
    draws = [fitted, *(_fit(rows, drawn, weights) for drawn in logarithms + noise)]
    return LearningCurve(np.array(draws), int(rows.min()), int(rows.max()))


def _misfit(rows: FloatArray, logarithms: FloatArray, weights: FloatArray, fitted: tuple[float, float, float]) -> float:
    """By what the deviations are too small: the root of the reduced chi-square, but at least one.

    The few residuals that tell it make it uncertain itself; Student's t in place of the normal distribution says how
    much.
    """
    floor, scale, exponent = fitted
    residuals = (np.log(floor + scale * rows**-exponent) - logarithms) * weights
    degrees = max(len(rows) - (3 if len(rows) >= SIZES_FOR_A_FLOOR else 2), 1)
    ratio = float(np.sqrt((residuals**2).sum() / degrees))
    return ratio * float(stats.t.ppf(_UPPER, degrees) / stats.norm.ppf(_UPPER)) if ratio > 1 else 1.0


def _fit(rows: FloatArray, logarithms: FloatArray, weights: FloatArray) -> tuple[float, float, float]:
    """Floor, scale and exponent."""
    slope, intercept = np.polyfit(np.log(rows), logarithms, 1, w=weights)
    if slope >= 0:
        return 0.0, float(np.exp(np.average(logarithms, weights=weights**2))), 0.0
    if len(rows) < SIZES_FOR_A_FLOOR:
        return 0.0, float(np.exp(intercept)), float(-slope)
    least = float(np.exp(logarithms.min()))

    places = np.log(rows)

    def parts(parameters: FloatArray) -> tuple[float, FloatArray, float]:
        share, exponent = np.sin(parameters[0]) ** 2, _STEEPEST * np.sin(parameters[2]) ** 2
        return share, np.exp(parameters[1] - exponent * places), exponent

    def residuals(parameters: FloatArray) -> FloatArray:
        share, power, _ = parts(parameters)
        difference: FloatArray = (np.log(share * least + power) - logarithms) * weights
        return difference

    def derivatives(parameters: FloatArray) -> FloatArray:
        share, power, _ = parts(parameters)
        of_share, of_exponent = np.sin(2 * parameters[0]), _STEEPEST * np.sin(2 * parameters[2])
        columns = [np.full_like(power, least * of_share), power, -places * power * of_exponent]
        matrix: FloatArray = np.stack(columns, axis=1) * (weights / (share * least + power))[:, None]
        return matrix

    # Sines keep share and exponent within their bounds, so that the quickest of scipy's methods serves.
    start = [np.arcsin(_FIRST_SHARE**0.5), intercept, np.arcsin(min(-slope / _STEEPEST, 0.5) ** 0.5)]
    found, *_ = leastsq(residuals, start, Dfun=derivatives, full_output=True)  # which keeps it from warning
    share, _, exponent = parts(found)
    return float(share * least), float(np.exp(found[1])), float(exponent)
