"""Who wins on small and on big data (Figure 2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from irnet_ray.report.claims.finding import (
    Claim,
    Finding,
    Judged,
    Pair,
    judge_pair,
    missing,
)
from irnet_ray.report.claims.published import published_ratio
from irnet_ray.report.comparison import Point
from irnet_ray.report.paper import CROSSING_ROWS

_IRNET = Point("irnet", 17)

_BEATS_BASELINES = Claim(
    f"IRNet beats the best of the paper's ten above some {CROSSING_ROWS:,} rows", is_of_the_ten=True
)
_SMALL_DATA = Claim(
    "On some 10,000 rows and fewer the best of the paper's ten beats IRNet", side="above", is_of_the_ten=True
)

PairOf = Callable[[Judged], Pair | None]


def winners_on_big_data(run: Sequence[Judged]) -> list[Finding]:
    """IRNet-17 against the best baseline; the plain network is a placement of shortcuts."""
    big = [judged for judged in run if judged.is_big]
    return _judge_each(
        _BEATS_BASELINES, big, against_baselines, f"no IRNet-17 and baseline on {CROSSING_ROWS:,} rows or more"
    )


def winners_on_small_data(run: Sequence[Judged]) -> list[Finding]:
    """The IRNet of the lowest validation error against the best baseline; IRNet-17 where that error says nothing."""
    small = [judged for judged in run if not judged.is_big]
    absent = f"no IRNet and baseline on fewer than {CROSSING_ROWS:,} rows"
    return _judge_each(_SMALL_DATA, small, _best_irnet_against_baselines, absent)


def _judge_each(claim: Claim, run: Sequence[Judged], pair_of: PairOf, absent: str) -> list[Finding]:
    pairs = [(judged, pair) for judged in run if (pair := pair_of(judged)) is not None]
    findings = [judge_pair(claim, judged, pair, published_ratio(judged, pair)) for judged, pair in pairs]
    return findings or [missing(claim, f"the study has {absent}")]


def against_baselines(judged: Judged) -> Pair | None:
    """IRNet-17 and the best of the ten, if the study has both."""
    best = judged.best_or_planned_baseline
    return (_IRNET, best) if best and judged.comparison.plans(_IRNET) else None


def _best_irnet_against_baselines(judged: Judged) -> Pair | None:
    planned = judged.comparison.planned("irnet")
    best = judged.best_or_planned_baseline
    if not planned or best is None:
        return None
    if judged.comparison.trials[0].split.train_on_validation:
        return _IRNET if _IRNET in planned else planned[0], best
    return judged.comparison.best_network("irnet") or planned[0], best
