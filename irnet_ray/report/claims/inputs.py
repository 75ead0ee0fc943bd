"""What the representation does: composition, structure, both, and fractions besides (Tables 2 and 3)."""

from __future__ import annotations

from collections.abc import Sequence

from irnet_ray.report.claims.finding import (
    SEEDS_FOR_A_VERDICT,
    Claim,
    Finding,
    Judged,
    Place,
    interval_words,
    missing,
    seeds_without_result,
    what_is_lacking,
    why_not,
)
from irnet_ray.report.comparison import Point
from irnet_ray.report.paper import experiments_on
from irnet_ray.report.ratio import Ratio, ratio_of
from irnet_ray.report.wording import listing, number

_BOTH = "composition+structure"
_ALL = "composition+structure+fractions"
_COMPARED = (
    ("composition", "structure", Claim("Composition tells more than structure")),
    (_BOTH, "composition", Claim("Composition and structure together beat composition")),
    (_BOTH, "structure", Claim("Composition and structure together beat structure")),
    (_ALL, _BOTH, Claim("Fractions add a little to composition and structure")),
)
_MODEL = Point("irnet", 17)
_MODEL_KEY = ("irnet", 17)


def effects_of_inputs(run: Sequence[Judged]) -> list[Finding]:
    """IRNet-17 from one representation against IRNet-17 from another, on the same rows."""
    series: dict[tuple[object, ...], dict[str, Judged]] = {}
    for judged in run:
        if judged.comparison.plans(_MODEL):
            task = judged.comparison.task
            key = (task.dataset, task.property, task.train_size, task.width, task.recipe)
            series.setdefault(key, {})[task.representation] = judged
    findings = [
        _judge(claim, members[better], members[worse])
        for members in series.values()
        for better, worse, claim in _COMPARED
        if better in members and worse in members
    ]
    general = Claim("Composition beats structure, and both together beat each")
    return findings or [missing(general, "the study has no IRNet-17 from two representations of the same data")]


def _judge(claim: Claim, better: Judged, worse: Judged) -> Finding:
    task = better.comparison.task
    place = Place(f"{task.dataset}, {task.words()['property']}", task.dataset, task.property, models=(_MODEL,))
    paper = _published(better, worse)
    for judged in (better, worse):
        if reason := why_not(judged, (_MODEL, _MODEL)):
            representation = judged.comparison.task.representation
            return missing(claim, f"from {representation} {reason}", place, paper)
    if not better.evidence.is_of_the_rows_of(worse.evidence):
        return missing(claim, "the two were tested on different rows", place, paper)
    evidence = better.evidence
    ratio = ratio_of(evidence.errors[_MODEL], worse.evidence.errors[_MODEL], evidence.compositions)
    seeds = len(ratio.by_seed)
    lacking = what_is_lacking(better, (_MODEL,)) or what_is_lacking(worse, (_MODEL,))
    if seeds < SEEDS_FOR_A_VERDICT:
        lacking = lacking or f" No verdict yet, as it takes {SEEDS_FOR_A_VERDICT} seeds that both have."
    return Finding(
        claim=claim.text,
        place=place,
        verdict="missing" if lacking else claim.verdict(ratio.low, ratio.high),
        sentence=f"{_sentence(better, worse, ratio)}{lacking}{_without_result(better, worse)}",
        criterion=claim.criterion,
        paper=paper,
        effect=ratio.effect,
        low=ratio.low,
        high=ratio.high,
        seeds=seeds,
        threshold=claim.threshold,
    )


def _sentence(better: Judged, worse: Judged, ratio: Ratio) -> str:
    errors = " and ".join(
        f"{number(judged.evidence.mae(_MODEL))} {judged.comparison.unit} from {judged.comparison.task.representation}"
        for judged in (better, worse)
    )
    article = "an optimistic" if better.optimistic else "a"
    return f"{_MODEL.label} has {article} test MAE of {errors}, {interval_words(ratio, better.evidence.rows)}."


def _without_result(better: Judged, worse: Judged) -> str:
    """A sentence on the planned seeds that have none; empty if all have."""
    texts = [
        f"{seeds} from {judged.comparison.task.representation}"
        for judged in (better, worse)
        if (seeds := seeds_without_result(judged, (_MODEL,)))
    ]
    return f" Without a result: {listing(texts)}." if texts else ""


def _published(better: Judged, worse: Judged) -> float | None:
    """The paper's ratio for the same property; its composition and structure tables have different rows."""
    task = better.comparison.task
    errors = [
        experiment.errors[_MODEL_KEY]
        for judged in (better, worse)
        for experiment in experiments_on(task.dataset, task.property, judged.comparison.task.representation)[:1]
    ]
    return errors[0] / errors[1] if len(errors) == 2 else None
