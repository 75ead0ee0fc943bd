"""At how many training rows one model overtakes another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_DRAWS = 4000
_SEED = 0


@dataclass(frozen=True)
class Crossing:
    """The number of training rows above which a ratio of errors stays below 1.

    Attributes:
        rows: The estimate: 0 where the ratio is below 1 at all sizes, infinity where it is not at the largest.
        low: Lower end of its 95% interval.
        high: Upper end.
        smallest: The smallest size that was tried.
        largest: The largest.
    """

    rows: float
    low: float
    high: float
    smallest: int
    largest: int

    def bounds(self) -> tuple[float, float]:
        """Between which numbers it lies, as far as the sizes tell."""
        low = float(self.largest) if math.isinf(self.low) else self.low
        high = float(self.smallest) if self.high == 0 else self.high
        return low, high

    def words(self, rows: float) -> str:
        """Writes one of the three numbers."""
        if rows == 0:
            return f"fewer than {self.smallest:,}"
        return f"more than {self.largest:,}" if math.isinf(rows) else f"{float(f'{rows:.1e}'):,.0f}"

    def __str__(self) -> str:
        """The estimate with its interval: ``12,000 training rows (95% interval 8,900 to more than 100,000)``."""
        interval = f"95% interval {self.words(self.low)} to {self.words(self.high)}"
        return f"{self.words(self.rows)} training rows ({interval})"


def crossing_of(
    sizes: Sequence[int],
    ratios: Sequence[float],
    row_deviations: Sequence[float],
    seed_deviations: Sequence[float],
    degrees: Sequence[int],
) -> Crossing:
    """Estimates where a ratio of errors, as a function of the training rows, falls below 1 for good.

    Between sizes the logarithm of the ratio is a straight line in the logarithm of the rows. The interval is that of
    ratios drawn from their distributions: what is due to the test rows, which are the same at all sizes, moves all
    ratios together, log-normally; what is due to the seeds moves each by itself, by Student's t as few seeds tell it.

    Args:
        sizes: Numbers of training rows, ascending.
        ratios: At each of them.
        row_deviations: Standard deviations of their logarithms that are due to the test rows.
        seed_deviations: Those that are due to the seeds.
        degrees: Of freedom of each of these: the seeds less one.
    """
    places, means = np.log(np.asarray(sizes, dtype=np.float64)), np.log(np.asarray(ratios, dtype=np.float64))
    generator = np.random.default_rng(_SEED)
    of_rows = generator.standard_normal((_DRAWS, 1)) * np.asarray(row_deviations)
    of_seeds = generator.standard_t(np.asarray(degrees), (_DRAWS, len(sizes))) * np.asarray(seed_deviations)
    drawn = [_crossing(places, means + each) for each in of_rows + of_seeds]
    low, high = np.quantile(drawn, [0.025, 0.975], method="nearest")
    return Crossing(_crossing(places, means), float(low), float(high), min(sizes), max(sizes))


def _crossing(places: FloatArray, logarithms: FloatArray) -> float:
    above = np.flatnonzero(logarithms >= 0)
    if len(above) == 0:
        return 0.0
    last = above[-1]
    if last == len(places) - 1:
        return math.inf
    share = logarithms[last] / (logarithms[last] - logarithms[last + 1])
    return math.exp(places[last] + share * (places[last + 1] - places[last]))
