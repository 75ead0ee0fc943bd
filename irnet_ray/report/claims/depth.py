"""What depth does with each placement of the shortcuts, and which placement is best (Figure 1 and its text)."""

from __future__ import annotations

from collections.abc import Sequence

from irnet_ray.report.claims.finding import Claim, Finding, Judged, Pair, judge_pair, missing
from irnet_ray.report.claims.published import published_ratio
from irnet_ray.report.comparison import Point
from irnet_ray.report.paper import CROSSING_ROWS, DEEPER_ROWS
from irnet_ray.report.wording import model_label

_PLAIN = Claim("The plain network gets worse with depth", side="above")
_BETTER = {"srnet": Claim("SRNet gets better with depth"), "irnet": Claim("IRNet gets better with depth")}
_NO_WORSE = {
    "srnet": Claim("SRNet gets at most 10% worse with depth", threshold=1.1),
    "irnet": Claim("IRNet gets at most 10% worse with depth", threshold=1.1),
}
LESS_THAN_THE_PAPERS = tuple(claim.text for claim in _NO_WORSE.values())
"""Claims that the paper does not make: they ask less of fewer rows than it speaks of."""

_SHALLOW, _DEEP = 17, 48
_BETTER_PLACEMENTS = (("irnet", "srnet"), ("srnet", "plain"), ("irnet", "plain"))


def effects_of_depth(run: Sequence[Judged]) -> list[Finding]:
    """48 layers against 17 as in the paper, or else the deepest against the shallowest, for each placement.

    That depth pays is what the paper finds with more than 100,000 rows; with fewer it must do no harm. Where all three
    placements are there, as in Figure 1, it is asked of any number of rows.
    """
    return [finding for model in ("plain", "srnet", "irnet") for finding in _effect_of_depth(model, run)]


def _effect_of_depth(model: str, run: Sequence[Judged]) -> list[Finding]:
    findings = []
    for judged in run:
        points = judged.comparison.planned(model)
        if len(points) > 1 and judged.is_big:
            pair = _ends(points)
            for claim in _claims(model, judged):
                paper = None if claim.text in LESS_THAN_THE_PAPERS else published_ratio(judged, pair)
                findings.append(judge_pair(claim, judged, pair, paper))
    name = model_label(model, None)
    absent = f"the study has no {name} of two depths on the same {CROSSING_ROWS:,} rows or more"
    return findings or [missing(_PLAIN if model == "plain" else _BETTER[model], absent)]


def _ends(points: Sequence[Point]) -> Pair:
    """The deep and the shallow one of a model's points."""
    by_depth = {point.depth: point for point in points}
    if by_depth.keys() >= {_DEEP, _SHALLOW}:
        return by_depth[_DEEP], by_depth[_SHALLOW]
    return points[-1], points[0]


def _claims(model: str, judged: Judged) -> list[Claim]:
    if model == "plain":
        return [_PLAIN]
    if (judged.comparison.train_rows or DEEPER_ROWS) >= DEEPER_ROWS:
        return [_BETTER[model]]
    is_figure_1 = all(len(judged.comparison.planned(each)) > 1 for each in ("plain", *_BETTER))
    return [_BETTER[model], _NO_WORSE[model]] if is_figure_1 else [_NO_WORSE[model]]


def order_of_placements(run: Sequence[Judged]) -> list[Finding]:
    """The placements against each other at each depth."""
    findings = []
    for judged in filter(lambda each: each.is_big, run):
        for better, worse in _BETTER_PLACEMENTS:
            depths = {point.depth for point in judged.comparison.planned(worse)}
            for point in judged.comparison.planned(better):
                if point.depth in depths:
                    pair = (point, Point(worse, point.depth))
                    findings.append(judge_pair(_order(pair), judged, pair, published_ratio(judged, pair)))
    general = Claim("IRNet beats SRNet, and SRNet the plain network, at each depth")
    absent = f"the study has no two placements of shortcuts at the same depth on {CROSSING_ROWS:,} rows or more"
    return findings or [missing(general, absent)]


def _order(pair: Pair) -> Claim:
    return Claim(f"{pair[0].label} beats {pair[1].label}")
