"""Findings: claims of the paper, judged on a run's test errors with their uncertainty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from irnet_ray.report.comparison import Comparison, Point
from irnet_ray.report.evidence import Evidence, Ratio
from irnet_ray.report.paper import FIGURE_1
from irnet_ray.report.wording import capitalized, count, listing, model_label, number

Verdict = Literal["reproduced", "contradicted", "inconclusive", "missing"]

_NO_WORSE = 1.1  # up to this ratio a deeper network counts as no worse


@dataclass(frozen=True)
class Finding:
    """What a run says of a claim.

    Attributes:
        claim: As the paper has it, in our words.
        verdict: ``reproduced`` or ``contradicted`` where the whole interval lies on one side of the
            threshold, ``inconclusive`` where it holds the threshold, ``missing`` where trials are.
        sentence: The numbers in words.
        criterion: What would reproduce the claim.
        paper: The paper's ratio, from other data.
        effect: Ratio of two test MAE.
        low: Lower end of its 95% interval over test rows.
        high: Upper end.
        seeds: Seeds that it rests on: the fewer of both models.
    """

    claim: str
    verdict: Verdict
    sentence: str
    criterion: str
    paper: float
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: int = 0


@dataclass(frozen=True)
class _Claim:
    """A ratio of two test MAE and the side of the threshold on which the paper has it."""

    text: str
    threshold: float
    side: Literal["above", "below"]
    paper: float

    @property
    def criterion(self) -> str:
        return f"ratio {self.side} {self.threshold:g}"

    def verdict(self, ratio: Ratio) -> Verdict:
        if ratio.low <= self.threshold <= ratio.high:
            return "inconclusive"
        is_above = ratio.low > self.threshold
        return "reproduced" if is_above == (self.side == "above") else "contradicted"


def judge(comparison: Comparison, evidence: Evidence, *, optimistic: bool) -> list[Finding]:
    """Judges every claim.

    Args:
        comparison: The trials that the claims are about.
        evidence: Their test errors.
        optimistic: Whether the test rows chose the epoch as well.
    """
    return [claim(comparison, evidence, optimistic) for claim in CLAIMS]


def plain_gets_worse(comparison: Comparison, evidence: Evidence, optimistic: bool) -> Finding:
    """The deepest plain network errs more than the shallowest."""
    claim = _Claim("The plain network gets worse with depth", 1.0, "above", _published(("plain", 48), ("plain", 17)))
    return _judge_depth(claim, "plain", comparison, evidence, optimistic)


def irnet_gets_no_worse(comparison: Comparison, evidence: Evidence, optimistic: bool) -> Finding:
    """The deepest IRNet errs at most a tenth more than the shallowest."""
    text = "IRNet does not get worse with depth"
    claim = _Claim(text, _NO_WORSE, "below", _published(("irnet", 48), ("irnet", 17)))
    return _judge_depth(claim, "irnet", comparison, evidence, optimistic)


def irnet_beats_forest(comparison: Comparison, evidence: Evidence, optimistic: bool) -> Finding:
    """The shallowest IRNet errs less than the random forest; no test error chooses its depth."""
    paper = _published(("irnet", 17), ("random_forest", None))
    claim = _Claim("IRNet beats the random forest", 1.0, "below", paper)
    networks, forests = comparison.planned("irnet"), comparison.planned("random_forest")
    if not networks or not forests:
        absent = [name for name, points in (("IRNet", networks), ("random forest", forests)) if not points]
        return _missing(claim, f"the study has no {listing(absent)}")
    return _judge(claim, (networks[0], forests[0]), comparison, evidence, optimistic)


CLAIMS: tuple[Callable[[Comparison, Evidence, bool], Finding], ...] = (
    plain_gets_worse,
    irnet_gets_no_worse,
    irnet_beats_forest,
)
"""Every claim that a report judges."""


def _published(numerator: tuple[str, int | None], denominator: tuple[str, int | None]) -> float:
    return FIGURE_1.mae(*numerator) / FIGURE_1.mae(*denominator)


def _judge_depth(claim: _Claim, model: str, comparison: Comparison, evidence: Evidence, optimistic: bool) -> Finding:
    """Judges the deepest against the shallowest network that the study plans."""
    points = comparison.planned(model)
    if not points:
        return _missing(claim, f"the study has no {model_label(model, None)}")
    if len(points) == 1:
        return _missing(claim, f"the study has {points[0].label} only, and no second depth")
    return _judge(claim, (points[-1], points[0]), comparison, evidence, optimistic)


def _judge(
    claim: _Claim, pair: tuple[Point, Point], comparison: Comparison, evidence: Evidence, optimistic: bool
) -> Finding:
    unfinished = [point.label for point in pair if not evidence.seeds(point)]
    if unfinished:
        return _missing(claim, f"no trial of {listing(unfinished)} is finished")
    ratio = evidence.ratio(*pair)
    return Finding(
        claim=claim.text,
        verdict=claim.verdict(ratio),
        sentence=_sentence(pair, ratio, evidence, comparison.unit, optimistic),
        criterion=claim.criterion,
        paper=claim.paper,
        effect=ratio.effect,
        low=ratio.low,
        high=ratio.high,
        seeds=min(len(evidence.seeds(point)) for point in pair),
    )


def _missing(claim: _Claim, reason: str) -> Finding:
    return Finding(claim.text, "missing", f"Not judged: {reason}.", claim.criterion, claim.paper)


def _sentence(pair: tuple[Point, Point], ratio: Ratio, evidence: Evidence, unit: str, optimistic: bool) -> str:
    above, below = (f"{number(evidence.mae(point))} {unit}" for point in pair)
    numerator, denominator = (point.label if point.depth else f"the {point.label}" for point in pair)
    article = "an optimistic" if optimistic else "a"
    return (
        f"{capitalized(numerator)} has {article} test MAE of {above} and {denominator} of {below}, "
        f"a ratio of {number(ratio.effect)} (95% interval over {count(evidence.rows, 'test row')} "
        f"{number(ratio.low)} to {number(ratio.high)}), {_seeds(pair, ratio, evidence)}."
    )


def _seeds(pair: tuple[Point, Point], ratio: Ratio, evidence: Evidence) -> str:
    """Says how many trainings a ratio rests on, and what its interval leaves out."""
    numbers = [len(evidence.seeds(point)) for point in pair]
    if max(numbers) == 1:
        return "from one seed each, so that the variation between seeds is not covered"
    amount = f"{count(numbers[0], 'seed')} each" if numbers[0] == numbers[1] else f"{numbers[0]} and {numbers[1]} seeds"
    if len(ratio.by_seed) < 2:
        return f"averaged over {amount}; the interval does not cover the variation between seeds"
    low, high = min(ratio.by_seed.values()), max(ratio.by_seed.values())
    return (
        f"averaged over {amount}; the interval does not cover the variation between seeds, "
        f"which one by one give {number(low)} to {number(high)}"
    )
