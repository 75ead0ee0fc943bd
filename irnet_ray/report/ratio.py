"""The ratio of two models' errors, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, variance

import numpy as np
import numpy.typing as npt
from scipy import stats

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_LEVEL = 0.95


@dataclass(frozen=True)
class Ratio:
    """Test MAE of one model over that of another.

    Attributes:
        effect: The ratio of the means over rows and seeds.
        low: Lower end of the 95% interval.
        high: Upper end.
        by_seed: The ratio with each seed that both models were trained with.
        row_deviation: Standard deviation of the logarithm of the ratio that is due to the test rows.
        seed_deviation: That which is due to the seeds; NaN where there is but one.
    """

    effect: float
    low: float
    high: float
    by_seed: Mapping[int, float]
    row_deviation: float
    seed_deviation: float

    @property
    def deviation(self) -> float:
        """Standard deviation of the logarithm of the ratio, of all that is known of it."""
        return math.hypot(self.row_deviation, 0.0 if math.isnan(self.seed_deviation) else self.seed_deviation)


def ratio_of(
    above: Mapping[int, FloatArray], below: Mapping[int, FloatArray], compositions: IntArray | None = None
) -> Ratio:
    """Compares two models by their absolute errors on the same rows.

    The logarithm of the ratio has two sources of chance: other test rows, and other seeds. The variance of the first is
    that of the rows' relative differences (the delta method), paired between the models, where rows of one composition
    are a draw together (Liang and Zeger, 1986); of the second that of the ratios of single seeds, over their number.
    A model that was trained once is compared with every seed of the other.
    The interval is Student's, with degrees of freedom by Welch (1947) and Satterthwaite (1946). With a single seed it
    covers the rows alone.

    Args:
        above: Absolute errors of the numerator by seed, each of shape ``(test rows,)``.
        below: Those of the denominator.
        compositions: The number of each row's composition, from 0, shape ``(test rows,)``; each row has its own if not
            given.
    """
    mean_above, mean_below = (np.mean(list(errors.values()), axis=0) for errors in (above, below))
    differences = mean_above / mean_above.mean() - mean_below / mean_below.mean()
    by_seed = _by_seed(*({seed: float(each.mean()) for seed, each in model.items()} for model in (above, below)))
    return _combine(float(mean_above.mean() / mean_below.mean()), by_seed, differences, compositions)


def quantile_ratio_of(
    above: Mapping[int, FloatArray],
    below: Mapping[int, FloatArray],
    fraction: float,
    compositions: IntArray | None = None,
) -> Ratio:
    """Compares a quantile of two models' absolute errors, as ``ratio_of`` does their means.

    What a row adds to a quantile's error is (Bahadur, 1966) whether it lies below, less the fraction, over the density
    there, which is estimated from the quantiles on both sides.

    Args:
        above: Absolute errors of the numerator by seed, each of shape ``(test rows,)``.
        below: Those of the denominator.
        fraction: Of the rows that lie below the quantile.
        compositions: As for ``ratio_of``.
    """
    quantiles = [{seed: float(np.quantile(each, fraction)) for seed, each in model.items()} for model in (above, below)]
    means = [fmean(each.values()) for each in quantiles]
    influences = [
        np.mean([_influence(each, fraction) for each in model.values()], axis=0) / mean
        for model, mean in zip((above, below), means, strict=True)
    ]
    return _combine(means[0] / means[1], _by_seed(*quantiles), influences[0] - influences[1], compositions)


def _influence(errors: FloatArray, fraction: float) -> FloatArray:
    """What each row adds to a quantile's error, times the number of rows."""
    width = min(len(errors) ** (-1 / 3), (1 - fraction) / 2, fraction / 2)
    low, middle, high = np.quantile(errors, [fraction - width, fraction, fraction + width])
    influence: FloatArray = (fraction - (errors <= middle)) * (high - low) / (2 * width)
    return influence


def ratio_of_means(above: Mapping[int, float], below: Mapping[int, float]) -> Ratio:
    """Compares numbers of which there is one for each seed, such as times; only seeds vary.

    Args:
        above: Of the numerator by seed.
        below: Of the denominator.
    """
    return _combine(fmean(above.values()) / fmean(below.values()), _by_seed(above, below), np.zeros(2))


def _combine(
    effect: float, by_seed: dict[int, float], influences: FloatArray, compositions: IntArray | None = None
) -> Ratio:
    """Makes the interval from the seeds' ratios and from what each row adds to the logarithm of the ratio."""
    parts = [_part_of_rows(influences, compositions)]
    if len(by_seed) > 1:
        parts.append((variance(map(math.log, by_seed.values())) / len(by_seed), len(by_seed) - 1))
    half = half_width(parts)
    return Ratio(
        effect=effect,
        low=effect * math.exp(-half),
        high=effect * math.exp(half),
        by_seed=by_seed,
        row_deviation=math.sqrt(parts[0][0]),
        seed_deviation=math.sqrt(parts[1][0]) if len(parts) > 1 else math.nan,
    )


def _part_of_rows(influences: FloatArray, compositions: IntArray | None) -> tuple[float, int]:
    """Variance of the influences' mean, and its degrees of freedom; where there is one composition, rows are draws."""
    draws = influences
    if compositions is not None and compositions.max() > 0:
        draws = np.bincount(compositions, weights=influences - influences.mean()).astype(np.float64)
    return float(draws.var(ddof=1)) * len(draws) / len(influences) ** 2, len(draws) - 1


def _by_seed(above: Mapping[int, float], below: Mapping[int, float]) -> dict[int, float]:
    """The ratio for each seed that both have, or that one has where the other has but one."""
    if len(below) == 1 < len(above):
        below = dict.fromkeys(above, fmean(below.values()))
    elif len(above) == 1 < len(below):
        above = dict.fromkeys(below, fmean(above.values()))
    return {seed: above[seed] / below[seed] for seed in sorted(above.keys() & below.keys())}


def half_width(parts: list[tuple[float, int]]) -> float:
    """Of the interval of a sum of independent parts, each with its variance and degrees of freedom."""
    total = sum(part for part, _ in parts)
    if total == 0:
        return 0.0
    degrees = total**2 / sum(part**2 / freedom for part, freedom in parts)
    return float(stats.t.ppf((1 + _LEVEL) / 2, degrees)) * math.sqrt(total)
