"""Where networks overtake others as training rows become more (Figure 2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from irnet_ray.report.claims.finding import (
    Claim,
    Finding,
    Judged,
    Pair,
    Place,
    Verdict,
    missing,
    place_of,
    seeds_without_result,
    what_is_lacking,
    why_not,
)
from irnet_ray.report.claims.size import PairOf, against_baselines
from irnet_ray.report.comparison import Point
from irnet_ray.report.crossing import Crossing, crossing_of
from irnet_ray.report.paper import CROSSING_ROWS, DEEPER_ROWS
from irnet_ray.report.series import FEWEST_SIZES, is_of_the_series_of, series_of, series_words
from irnet_ray.report.wording import capitalized, distinct, listing, number

_NEAR = 3.0  # a crossing within this factor of the paper's counts as the same
_IRNET = Point("irnet", 17)
_BEST_OF_TEN = "the best of the paper's ten"

_CROSSING = Claim(f"IRNet overtakes the best of the paper's ten at some {CROSSING_ROWS:,} rows", is_of_the_ten=True)
_PLAIN_CROSSING = Claim(f"IRNet beats the plain network from some {CROSSING_ROWS:,} rows on")
NOT_THE_PAPERS = (_PLAIN_CROSSING.text,)
"""Claims that the paper does not make: its number of rows is about classical learning."""

_DEEPER = Claim("48 layers beat 17 on big data only")


def crossings(run: Sequence[Judged]) -> list[Finding]:
    """Where IRNet-17 overtakes the best baseline and plain-17, and where 48 layers overtake 17."""
    return [
        *_crossings(run, _CROSSING, against_baselines, _judge_crossing),
        *_crossings(run, _PLAIN_CROSSING, _against_plain, _judge_plain_crossing),
        *_crossings(run, _DEEPER, _deeper_against_shallower, _judge_depth),
    ]


def _against_plain(judged: Judged) -> Pair | None:
    return _if_planned(judged, (_IRNET, Point("plain", 17)))


def _deeper_against_shallower(judged: Judged) -> Pair | None:
    return _if_planned(judged, (Point("irnet", 48), _IRNET))


def _if_planned(judged: Judged, pair: Pair) -> Pair | None:
    return pair if all(judged.comparison.plans(point) for point in pair) else None


def _crossings(
    run: Sequence[Judged],
    claim: Claim,
    pair_of: PairOf,
    judge: Callable[[Claim, Sequence[Judged], Sequence[Pair]], Finding],
) -> list[Finding]:
    planned = [(judged, pair) for judged in run if (pair := pair_of(judged))]
    pairs = [(judged, pair) for judged, pair in planned if not why_not(judged, pair)]
    series = series_of(pairs, lambda member: member[0].comparison)
    findings = []
    for members in series:
        finding = judge(claim, [judged for judged, _ in members], [pair for _, pair in members])
        same = [member for member in planned if is_of_the_series_of(members[0][0].comparison, member[0].comparison)]
        findings.append(replace(finding, sentence=f"{finding.sentence}{_left_out(same)}"))
    absent = f"it takes {FEWEST_SIZES} numbers of training rows of the same data, with all that is compared finished"
    return findings or [missing(claim, f"{absent}.{_left_out(planned)}".removesuffix("."))]


def _left_out(planned: Sequence[tuple[Judged, Pair]]) -> str:
    """Names the comparisons that tell nothing, and why."""
    reasons = [(judged.comparison.name, why_not(judged, pair)) for judged, pair in planned]
    texts = [f"{name} ({reason})" for name, reason in reasons if reason]
    return f" Without {listing(texts)}." if texts else ""


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
    others = [judged.comparison.name for judged, _ in members if judged.absent_baselines]
    if len(whole) >= FEWEST_SIZES:
        members, words = whole, f"; not all of the ten have a result with {listing(others)}" if others else ""
    else:
        words = f"; up to {max(each.absent_baselines for each in run)} of the ten have no result and may put it higher"
    run, pairs = [judged for judged, _ in members], [pair for _, pair in members]
    crossing = _crossing_of(run, pairs)
    near, far = CROSSING_ROWS / _NEAR, CROSSING_ROWS * _NEAR
    low, high = crossing.bounds()
    high = math.inf if any(judged.absent_baselines for judged in run) else high
    verdict: Verdict = "inconclusive"
    if near <= low and high <= far:
        verdict = "reproduced"
    elif high < near or low > far:
        verdict = "contradicted"
    sentence = f"{_overtakes(_BEST_OF_TEN, crossing, run)}{words}"
    criterion = f"crossing within {near:,.0f} and {far:,.0f} rows"
    return _of_crossing(
        claim, verdict, crossing, run, pairs, sentence=sentence, criterion=criterion, paper=CROSSING_ROWS
    )


def _judge_plain_crossing(claim: Claim, run: Sequence[Judged], pairs: Sequence[Pair]) -> Finding:
    """Whether IRNet-17 is ahead from where the paper has it ahead of classical learning; with fewer rows it may be."""
    if (run[-1].comparison.train_rows or 0) < CROSSING_ROWS:
        return missing(claim, f"it takes sizes up to {CROSSING_ROWS:,} rows and more", _place(run, pairs))
    crossing = _crossing_of(run, pairs)
    low, high = crossing.bounds()
    far = CROSSING_ROWS * _NEAR
    verdict: Verdict = "reproduced" if high <= far else "contradicted" if low > far else "inconclusive"
    criterion = f"crossing at {far:,.0f} rows or fewer, a threshold of ours"
    sentence = _overtakes("plain-17", crossing, run)
    return _of_crossing(claim, verdict, crossing, run, pairs, sentence=sentence, criterion=criterion)


def _overtakes(other: str, crossing: Crossing, run: Sequence[Judged]) -> str:
    sizes = f"{len(run)} sizes from {crossing.smallest:,} to {crossing.largest:,} rows"
    return f"IRNet-17 errs less than {other} {_from(crossing)}, by {sizes}{_optimistic(run)}"


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
    fewer = [(each.comparison.name, seeds_without_result(each, pair)) for each, pair in zip(run, pairs, strict=True)]
    texts = [f"{seeds} with {name}" for name, seeds in fewer if seeds]
    without = f" Without a result: {'; '.join(texts)}." if texts else ""
    return Finding(
        claim=claim.text,
        place=_place(run, pairs),
        verdict="missing" if lacking else verdict,
        sentence=f"{capitalized(sentence)}.{lacking}{without}",
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
