"""Whether a deeper network errs less than a shallower one, by what was measured on the nearest numbers of rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean, variance

from irnet_ray.report.ratio import half_width

Errors = Mapping[int, Mapping[int, float]]
"""Test MAE by number of training rows and seed."""

_DEVIATION_OF_SEEDS = 0.02  # of an error, where there is one seed each; docs/recipes.md has one to two percent
_AS_GOOD_AS_KNOWN = 1000  # degrees of freedom


def is_lower(deeper: Errors, shallower: Errors, rows: float) -> bool:
    """Whether the whole 95% interval of the ratio of two networks' errors lies below one.

    Between two sizes the logarithm of the ratio is a straight line in the logarithm of the rows, and beyond all sizes
    it stays what it was at the last. A law for each network would not do: where recipes change with the rows, what
    lies beside the law is much alike in both, and larger than what is between them.

    Args:
        deeper: Its errors.
        shallower: Those of the other network.
        rows: Training rows.
    """
    sizes = sorted(deeper.keys() & shallower.keys())
    ratios = {size: _ratio(deeper[size], shallower[size]) for size in sizes}
    shares = [(size, share) for size, share in _shares(sizes, rows).items() if share > 0]
    logarithm = sum(share * ratios[size][0] for size, share in shares)
    return logarithm + half_width([(share**2 * ratios[size][1], ratios[size][2]) for size, share in shares]) < 0


def _ratio(deeper: Mapping[int, float], shallower: Mapping[int, float]) -> tuple[float, float, int]:
    """Logarithm of a ratio, the variance of its mean over seeds, and the degrees of freedom of that."""
    effect = math.log(fmean(deeper.values()) / fmean(shallower.values()))
    common = [math.log(deeper[seed] / shallower[seed]) for seed in deeper.keys() & shallower.keys()]
    if len(common) < 2:
        parts = sum(_DEVIATION_OF_SEEDS**2 / len(each) for each in (deeper, shallower))
        return effect, parts, _AS_GOOD_AS_KNOWN
    return effect, variance(common) / len(common), len(common) - 1


def _shares(sizes: list[int], rows: float) -> dict[int, float]:
    """How much each size counts."""
    if not sizes:
        return {}
    below = max((size for size in sizes if size <= rows), default=sizes[0])
    above = min((size for size in sizes if size > rows), default=sizes[-1])
    if above <= below:
        return {below: 1.0}
    share = math.log(rows / below) / math.log(above / below)
    return {below: 1 - share, above: share}
