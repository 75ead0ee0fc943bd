"""What depth does with each placement of the shortcuts, and which placement is best (Figure 1 and its text)."""

from __future__ import annotations

from collections.abc import Sequence

from irnet_ray.report.claims.finding import Claim, Finding, Judged, Pair, judge_pair, missing
from irnet_ray.report.comparison import Point
from irnet_ray.report.paper import CROSSING_ROWS, DEEPER_ROWS, figure_1
from irnet_ray.report.wording import model_label

_PLAIN = Claim("The plain network gets worse with depth", side="above")
_BETTER = {
    "srnet": Claim("SRNet gets better with depth on big data"),
    "irnet": Claim("IRNet gets better with depth on big data"),
}
_NO_WORSE = {
    "srnet": Claim("SRNet does not get worse with depth", threshold=1.1),
    "irnet": Claim("IRNet does not get worse with depth", threshold=1.1),
}
_BETTER_PLACEMENTS = (("irnet", "srnet"), ("srnet", "plain"), ("irnet", "plain"))


def effects_of_depth(run: Sequence[Judged]) -> list[Finding]:
    """The deepest network against the shallowest, for each placement of the shortcuts.

    That depth pays is what the paper finds with more than 100,000 rows; with fewer it must do no harm.
    """
    return [finding for model in ("plain", "srnet", "irnet") for finding in _effect_of_depth(model, run)]


def _effect_of_depth(model: str, run: Sequence[Judged]) -> list[Finding]:
    findings = []
    for judged in run:
        points = judged.comparison.planned(model)
        if len(points) > 1 and judged.is_big:
            pair = (points[-1], points[0])
            findings.append(judge_pair(_claim(model, judged), judged, pair, published_ratio(pair)))
    name = model_label(model, None)
    absent = f"the study has no {name} of two depths on the same {CROSSING_ROWS:,} rows or more"
    return findings or [missing(_PLAIN if model == "plain" else _BETTER[model], absent)]


def _claim(model: str, judged: Judged) -> Claim:
    if model == "plain":
        return _PLAIN
    rows = judged.comparison.train_rows
    return (_BETTER if rows is None or rows >= DEEPER_ROWS else _NO_WORSE)[model]


def order_of_placements(run: Sequence[Judged]) -> list[Finding]:
    """The placements against each other at each depth."""
    findings = []
    for judged in filter(lambda each: each.is_big, run):
        for better, worse in _BETTER_PLACEMENTS:
            depths = {point.depth for point in judged.comparison.planned(worse)}
            for point in judged.comparison.planned(better):
                if point.depth in depths:
                    pair = (point, Point(worse, point.depth))
                    findings.append(judge_pair(_order(pair), judged, pair, published_ratio(pair)))
    general = Claim("IRNet beats SRNet, and SRNet the plain network, at each depth")
    absent = f"the study has no two placements of shortcuts at the same depth on {CROSSING_ROWS:,} rows or more"
    return findings or [missing(general, absent)]


def _order(pair: Pair) -> Claim:
    return Claim(f"{pair[0].label} beats {pair[1].label}")


def published_ratio(pair: Pair) -> float | None:
    """The ratio in Figure 1, if it has both."""
    errors = figure_1().errors
    return errors[pair[0]] / errors[pair[1]] if pair[0] in errors and pair[1] in errors else None
