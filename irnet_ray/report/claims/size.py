"""What the number of training rows does: who wins on small and on big data, and where that changes (Figure 2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from irnet_ray.report.claims.finding import (
    Claim,
    Finding,
    Judged,
    Pair,
    Place,
    Verdict,
    judge_pair,
    missing,
    place_of,
    what_is_lacking,
    why_not,
)
from irnet_ray.report.claims.published import published_ratio
from irnet_ray.report.comparison import Point
from irnet_ray.report.crossing import Crossing, crossing_of
from irnet_ray.report.paper import CROSSING_ROWS, DEEPER_ROWS
from irnet_ray.report.series import FEWEST_SIZES, series_of, series_words
from irnet_ray.report.wording import capitalized, distinct, number

_NEAR = 3.0  # a crossing within this factor of the paper's counts as the same
_IRNET = Point("irnet", 17)

_BEATS_BASELINES = Claim(
    f"IRNet beats the best of the paper's ten above some {CROSSING_ROWS:,} rows", is_of_the_ten=True
)
_SMALL_DATA = Claim(
    "On some 10,000 rows and fewer the best of the paper's ten beats IRNet", side="above", is_of_the_ten=True
)
_CROSSING = Claim(f"IRNet overtakes the best of the paper's ten at some {CROSSING_ROWS:,} rows", is_of_the_ten=True)
_DEEPER = Claim("48 layers beat 17 on big data only")

PairOf = Callable[[Judged], Pair | None]


def winners_on_big_data(run: Sequence[Judged]) -> list[Finding]:
    """IRNet-17 against the best baseline; the plain network is a placement of shortcuts."""
    big = [judged for judged in run if judged.is_big]
    return _judge_each(
        _BEATS_BASELINES, big, _against_baselines, f"no IRNet-17 and baseline on {CROSSING_ROWS:,} rows or more"
    )


def winners_on_small_data(run: Sequence[Judged]) -> list[Finding]:
    """The IRNet of the lowest validation error against the best baseline."""
    small = [judged for judged in run if not judged.is_big]
    absent = f"no IRNet and baseline on fewer than {CROSSING_ROWS:,} rows"
    return _judge_each(_SMALL_DATA, small, _best_irnet_against_baselines, absent)


def _judge_each(claim: Claim, run: Sequence[Judged], pair_of: PairOf, absent: str) -> list[Finding]:
    pairs = [(judged, pair) for judged in run if (pair := pair_of(judged)) is not None]
    findings = [judge_pair(claim, judged, pair, published_ratio(judged, pair)) for judged, pair in pairs]
    return findings or [missing(claim, f"the study has {absent}")]


def _against_baselines(judged: Judged) -> Pair | None:
    best = judged.best_or_planned_baseline
    return (_IRNET, best) if best and judged.comparison.plans(_IRNET) else None


def _best_irnet_against_baselines(judged: Judged) -> Pair | None:
    planned = judged.comparison.planned("irnet")
    best = judged.best_or_planned_baseline
    return (judged.comparison.best_network("irnet") or planned[0], best) if planned and best else None


def _deeper_against_shallower(judged: Judged) -> Pair | None:
    pair = (Point("irnet", 48), _IRNET)
    return pair if all(judged.comparison.plans(point) for point in pair) else None


def crossings(run: Sequence[Judged]) -> list[Finding]:
    """Where IRNet-17 overtakes the best baseline, and where 48 layers overtake 17."""
    return [
        *_crossings(run, _CROSSING, _against_baselines, _judge_crossing),
        *_crossings(run, _DEEPER, _deeper_against_shallower, _judge_depth),
    ]


def _crossings(
    run: Sequence[Judged],
    claim: Claim,
    pair_of: PairOf,
    judge: Callable[[Claim, Sequence[Judged], Sequence[Pair]], Finding],
) -> list[Finding]:
    pairs = [(judged, pair) for judged in run if (pair := pair_of(judged)) and not why_not(judged, pair)]
    series = series_of(pairs, lambda member: member[0].comparison)
    findings = [judge(claim, [judged for judged, _ in members], [pair for _, pair in members]) for members in series]
    absent = f"it takes {FEWEST_SIZES} numbers of training rows of the same data, with all that is compared finished"
    return findings or [missing(claim, absent)]


def _crossing_of(run: Sequence[Judged], pairs: Sequence[Pair]) -> Crossing:
    """Where the ratios of pairs fall below 1; of a single seed, seeds are taken to vary as much as they do anywhere."""
    ratios = [judged.evidence.ratio(*pair) for judged, pair in zip(run, pairs, strict=True)]
    largest = max((each.seed_deviation for each in ratios if not math.isnan(each.seed_deviation)), default=0.0)
    return crossing_of(
        [judged.comparison.train_rows or 0 for judged in run],
        [ratio.effect for ratio in ratios],
        [ratio.row_deviation for ratio in ratios],
        [largest if math.isnan(ratio.seed_deviation) else ratio.seed_deviation for ratio in ratios],
        [max(len(ratio.by_seed) - 1, 1) for ratio in ratios],
    )


def _judge_crossing(claim: Claim, run: Sequence[Judged], pairs: Sequence[Pair]) -> Finding:
    """Whether the crossing is near the paper's, as far as the sizes tell at which all of the ten have a result.

    Where those are too few, all sizes tell what they can: of what has no result anything may put the crossing higher.
    """
    members = list(zip(run, pairs, strict=True))
    whole = [member for member in members if not member[0].absent_baselines]
    members = whole if len(whole) >= FEWEST_SIZES else members
    run, pairs = [judged for judged, _ in members], [pair for _, pair in members]
    absent = max(judged.absent_baselines for judged in run)
    crossing = _crossing_of(run, pairs)
    near, far = CROSSING_ROWS / _NEAR, CROSSING_ROWS * _NEAR
    low, high = crossing.bounds()
    high = math.inf if absent else high
    verdict: Verdict = "inconclusive"
    if near <= low and high <= far:
        verdict = "reproduced"
    elif high < near or low > far:
        verdict = "contradicted"
    words = f"; up to {absent} of the ten have no result and may put it higher" if absent else ""
    sentence = (
        f"IRNet-17 errs less than the best of the paper's ten {_from(crossing)}, by {len(run)} sizes from "
        f"{crossing.smallest:,} to {crossing.largest:,} rows{_optimistic(run)}{words}"
    )
    criterion = f"crossing within {near:,.0f} and {far:,.0f} rows"
    return _of_crossing(
        claim, verdict, crossing, run, pairs, sentence=sentence, criterion=criterion, paper=CROSSING_ROWS
    )


def _judge_depth(claim: Claim, run: Sequence[Judged], pairs: Sequence[Pair]) -> Finding:
    """Whether the deeper network loses on the fewest rows and wins on the most, on both sides of the paper's number."""
    sizes = [judged.comparison.train_rows or 0 for judged in run]
    if not sizes[0] < DEEPER_ROWS <= sizes[-1]:
        return missing(claim, f"it takes sizes on both sides of {DEEPER_ROWS:,} rows", _place(run, pairs))
    first, last = (run[end].evidence.ratio(*pairs[end]) for end in (0, -1))
    verdict: Verdict = "inconclusive"
    if first.low > 1 and last.high < 1:
        verdict = "reproduced"
    elif first.high < 1 or last.low > 1:
        verdict = "contradicted"
    ends = " and ".join(
        f"{number(ratio.effect)} at {rows:,} ({number(ratio.low)} to {number(ratio.high)})"
        for ratio, rows in ((first, sizes[0]), (last, sizes[-1]))
    )
    crossing = _crossing_of(run, pairs)
    sentence = f"the error of 48 layers over that of 17 is {ends}; it is below 1 {_from(crossing)}{_optimistic(run)}"
    criterion = "ratio above 1 at the fewest rows and below 1 at the most"
    return _of_crossing(claim, verdict, crossing, run, pairs, sentence=sentence, criterion=criterion)


def _from(crossing: Crossing) -> str:
    """From which number of rows on; a crossing beyond the largest size was not seen."""
    return f"at {crossing}, if at all" if math.isinf(crossing.rows) else f"from {crossing} on"


def _of_crossing(
    claim: Claim,
    verdict: Verdict,
    crossing: Crossing,
    run: Sequence[Judged],
    pairs: Sequence[Pair],
    *,
    sentence: str,
    criterion: str,
    paper: float | None = None,
) -> Finding:
    lacking = _lacking(run, pairs)
    return Finding(
        claim=claim.text,
        place=_place(run, pairs),
        verdict="missing" if lacking else verdict,
        sentence=f"{capitalized(sentence)}.{lacking}",
        criterion=criterion,
        paper=paper,
        words=tuple(map(crossing.words, (crossing.rows, crossing.low, crossing.high))),
        effect=_finite(crossing.rows),
        low=_finite(crossing.low),
        high=_finite(crossing.high),
        seeds=min(judged.seeds(point) for judged, pair in zip(run, pairs, strict=True) for point in pair),
    )


def _place(run: Sequence[Judged], pairs: Sequence[Pair]) -> Place:
    return place_of(run[0], distinct(point for pair in pairs for point in pair), series_words(run[0].comparison))


def _optimistic(run: Sequence[Judged]) -> str:
    return " (of optimistic errors)" if any(judged.optimistic for judged in run) else ""


def _lacking(run: Sequence[Judged], pairs: Sequence[Pair]) -> str:
    texts = (what_is_lacking(judged, pair) for judged, pair in zip(run, pairs, strict=True))
    return next((text for text in texts if text), "")


def _finite(value: float) -> float | None:
    return value if 0 < value < math.inf else None
