"""What a run says of a claim, and how a verdict comes about."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from irnet_ray.model.baselines import BASELINES, THE_TEN
from irnet_ray.report.comparison import Comparison, Point, point_of
from irnet_ray.report.evidence import Evidence
from irnet_ray.report.paper import CROSSING_ROWS
from irnet_ray.report.ratio import Ratio
from irnet_ray.report.wording import capitalized, count, distinct, listing, number

Verdict = Literal["reproduced", "contradicted", "inconclusive", "missing"]

_ROWS_THAT_VARY = 2
SEEDS_FOR_A_VERDICT = 3
"""Fewer say too little of how much trainings differ."""


@dataclass(frozen=True)
class Claim:
    """A ratio and the side of a threshold on which the paper has it.

    Attributes:
        text: The claim in our words.
        threshold: Of the ratio.
        side: Where the paper has it.
        is_of_the_ten: Whether it compares with the best of the paper's ten, and so with those that have no result, too.
    """

    text: str
    threshold: float = 1.0
    side: Literal["above", "below"] = "below"
    is_of_the_ten: bool = False

    @property
    def criterion(self) -> str:
        """What reproduces it; the paper's claims are of more or less, and other thresholds ours."""
        return f"ratio {self.side} {self.threshold:g}{', a threshold of ours' if self.threshold != 1 else ''}"

    def verdict(self, low: float, high: float) -> Verdict:
        """Judges an interval of the ratio."""
        if not (low > self.threshold or high < self.threshold):
            return "inconclusive"
        is_above = low > self.threshold
        return "reproduced" if is_above == (self.side == "above") else "contradicted"


@dataclass(frozen=True)
class Place:
    """What a finding is about.

    Attributes:
        where: The data in words.
        dataset: Empty if it is about no data in particular, like the next two.
        property: Of the dataset.
        representation: Empty if it compares several.
        models: What is compared.
    """

    where: str = ""
    dataset: str = ""
    property: str = ""
    representation: str = ""
    models: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What a run says of a claim.

    Attributes:
        claim: As the paper has it, in our words.
        place: What it is about.
        verdict: ``reproduced`` or ``contradicted`` where the whole interval lies on one side of the threshold,
            ``inconclusive`` where it holds the threshold, or a network is ahead of some of the ten while others have no
            result, ``missing`` where trials are.
        sentence: The numbers in words.
        criterion: What would reproduce the claim.
        paper: The paper's ratio, from other data; ``None`` where it has none.
        effect: A ratio, of two test MAE if nothing else is said.
        low: Lower end of its 95% interval over test rows and seeds.
        high: Upper end.
        seeds: Seeds that it rests on: the fewer of both models.
        threshold: Of the effect; ``None`` where the criterion is another.
        words: Effect, low and high in words, where they are numbers of rows; those beyond what was tried have none.
    """

    claim: str
    place: Place
    verdict: Verdict
    sentence: str
    criterion: str
    paper: float | None = None
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: int = 0
    threshold: float | None = None
    words: tuple[str, ...] = ()

    @property
    def speaks(self) -> bool:
        """Whether there are numbers, or a verdict on a crossing that lies beyond all sizes."""
        return self.effect is not None or self.verdict != "missing"


@dataclass(frozen=True)
class Judged:
    """Trials that may be compared, and their errors.

    Attributes:
        comparison: The trials.
        evidence: Their test errors.
        optimistic: Whether the test rows chose the epoch as well.
        given_up: Ids of trials that reached a limit or failed.
        stopped: Ids of trainings that were ended early because they looked poor.
    """

    comparison: Comparison
    evidence: Evidence
    optimistic: bool
    given_up: frozenset[str] = frozenset()
    stopped: frozenset[str] = frozenset()

    @property
    def where(self) -> str:
        """The data, and what else tells the comparison from the run's others."""
        words = self.comparison.task.words()
        name = self.comparison.name.split(", ") if self.comparison.name else []
        return ", ".join(distinct([words["dataset"], words["property"], *name]))

    @property
    def is_big(self) -> bool:
        """Whether there are so many training rows that the paper's claims are about them; taken for granted of all."""
        return (self.comparison.train_rows or CROSSING_ROWS) >= CROSSING_ROWS

    @property
    def best_or_planned_baseline(self) -> Point | None:
        """The best of the ten, or a planned one while none is finished."""
        planned = (point_of(trial) for trial in self.comparison.unfinished_baselines)
        return self.comparison.best_of_ten or next(planned, None)

    @property
    def absent_baselines(self) -> int:
        """How many of the ten have no result in any setting, left out or given up; any of them may be the best."""
        return len(THE_TEN) - self.comparison.tried_baselines

    @property
    def waiting_baselines(self) -> list[str]:
        """Planned ones of the ten that may still turn out to be the best: not finished, and not given up either."""
        waiting = (trial for trial in self.comparison.unfinished_baselines if trial.id not in self.given_up)
        return distinct(point_of(trial).label for trial in waiting)

    @property
    def given_up_baselines(self) -> list[str]:
        """Those of the ten that reached a limit, or failed, in some setting."""
        given_up = (trial for trial in self.comparison.unfinished_baselines if trial.id in self.given_up)
        return distinct(point_of(trial).label for trial in given_up)

    def seeds(self, point: Point) -> int:
        """Finished seeds of a model."""
        return len(self.evidence.seeds(point))

    def has_chosen_seeds(self, point: Point) -> bool:
        """Whether some of a model's trainings were ended early, so that the finished ones are the better ones."""
        return any(point_of(trial) == point and trial.id in self.stopped for trial in self.comparison.missing)

    def named_mae(self, point: Point) -> str:
        """A model with its error: ``IRNet-48 has a test MAE of 0.048 eV/atom``."""
        article = "an optimistic" if self.optimistic else "a"
        error = f"{number(self.evidence.mae(point))} {self.comparison.unit}".rstrip()
        return f"{name_of(point)} has {article} test MAE of {error}"


Pair = tuple[Point, Point]
_BOOSTING = Point("gradient_boosting", None)


def name_of(point: Point) -> str:
    """A model within a sentence."""
    return point.label if point.depth else f"the {point.label}"


def missing(claim: Claim, reason: str, place: Place | None = None, paper: float | None = None) -> Finding:
    """A claim that the run cannot speak to."""
    return Finding(claim.text, place or Place(), "missing", f"Not judged: {reason}.", claim.criterion, paper)


def place_of(judged: Judged, models: Iterable[Point], where: str = "") -> Place:
    """What a finding on a comparison is about.

    Args:
        judged: The comparison.
        models: What is compared.
        where: The data in words, if other than the comparison's own.
    """
    task = judged.comparison.task
    return Place(where or judged.where, task.dataset, task.property, task.representation, tuple(models))


def judge_pair(claim: Claim, judged: Judged, pair: Pair, paper: float | None = None) -> Finding:
    """Judges the ratio of two models' test MAE.

    Args:
        claim: On the ratio.
        judged: The trials.
        pair: Numerator and denominator.
        paper: The paper's ratio.
    """
    if reason := why_not(judged, pair):
        return missing(claim, reason, place_of(judged, pair), paper)
    ratio = judged.evidence.ratio(*pair)
    return finding_of(claim, judged, pair, ratio, sentence=_sentence(judged, pair, ratio), paper=paper)


def why_not(judged: Judged, pair: Pair) -> str:
    """Why two models cannot be compared; empty if they can."""
    unfinished = [point.label for point in pair if not judged.seeds(point)]
    if unfinished:
        return f"no trial of {listing(unfinished)} is finished"
    if any(point.model in BASELINES for point in pair) and judged.waiting_baselines:
        return f"of the baselines {listing(judged.waiting_baselines)} are not finished"
    if judged.evidence.rows < _ROWS_THAT_VARY:
        return "a single test row does not tell how much rows differ"
    zero = [point.label for point in pair for errors in judged.evidence.errors[point].values() if not errors.any()]
    return f"{listing(distinct(zero))} has no error at all on the test rows" if zero else ""


def finding_of(
    claim: Claim, judged: Judged, pair: Pair, ratio: Ratio, *, sentence: str, paper: float | None = None
) -> Finding:
    """Judges a ratio, if enough seeds are there.

    A network that is ahead of those of the paper's ten that have a result need not be ahead of all: the ratio to the
    best of all is bounded from below only.

    Args:
        claim: On the ratio.
        judged: The trials.
        pair: The models that are compared.
        ratio: Of whatever the claim is about.
        sentence: The numbers in words, without a full stop.
        paper: The paper's ratio.
    """
    lacking = what_is_lacking(judged, pair) or _too_few_pairs(judged, pair, ratio)
    seeds = seeds_without_result(judged, pair)
    without = f" Without a result: {seeds}." if seeds else ""
    high = math.inf if claim.is_of_the_ten and judged.absent_baselines else ratio.high
    return Finding(
        claim=claim.text,
        place=place_of(judged, pair),
        verdict="missing" if lacking else claim.verdict(ratio.low, high),
        sentence=f"{capitalized(sentence)}.{lacking}{without}",
        criterion=claim.criterion,
        paper=paper,
        effect=ratio.effect,
        low=ratio.low,
        high=ratio.high,
        seeds=min(judged.seeds(point) for point in pair),
        threshold=claim.threshold,
    )


def what_is_lacking(judged: Judged, points: Sequence[Point]) -> str:
    """A sentence on the seeds that a verdict wants; empty if there are enough, and chance chose them."""
    if chosen := [point for point in distinct(points) if judged.has_chosen_seeds(point)]:
        names = listing(name_of(point) for point in chosen)
        return f" No verdict: trainings of {names} that looked poor were ended early, and the others err less for it."
    few = [point for point in points if needs_seeds(point) and judged.seeds(point) < SEEDS_FOR_A_VERDICT]
    if not few:
        return ""
    amounts = listing(f"{name_of(point)} has {count(judged.seeds(point), 'finished seed')}" for point in few)
    return f" No verdict yet, as it takes {SEEDS_FOR_A_VERDICT} seeds: {amounts}."


def seeds_without_result(judged: Judged, points: Sequence[Point]) -> str:
    """How many planned seeds have no result, of models of which other seeds have one; empty if there are none."""
    texts = [
        f"{lacking} of {judged.seeds(point) + lacking} planned seeds of {name_of(point)}"
        for point in distinct(points)
        if (lacking := judged.comparison.without_result(point)) and judged.seeds(point)
    ]
    return listing(texts) if texts else ""


def _too_few_pairs(judged: Judged, pair: Pair, ratio: Ratio) -> str:
    """A sentence where two models were trained with different seeds."""
    if not all(needs_seeds(point) for point in pair) or len(ratio.by_seed) >= SEEDS_FOR_A_VERDICT:
        return ""
    return f" No verdict yet, as both have only {count(len(ratio.by_seed), 'seed')} in common."


def needs_seeds(point: Point) -> bool:
    """Whether a model comes out differently with another seed."""
    return point.model not in BASELINES or BASELINES[point.model].is_random


def _sentence(judged: Judged, pair: Pair, ratio: Ratio) -> str:
    numerator, denominator = pair
    error = f"{number(judged.evidence.mae(denominator))} {judged.comparison.unit}".rstrip()
    interval = interval_words(ratio, judged.evidence.rows)
    numbers = f"{judged.named_mae(numerator)} and {name_of(denominator)} of {error}, {interval}"
    return f"{numbers}{baseline_words(judged, pair)}"


def baseline_words(judged: Judged, pair: Pair, error_of: Callable[[Point], float] | None = None) -> str:
    """What a baseline is the best of, what was given up, and what stands beside the ten; where one is compared.

    Args:
        judged: The trials.
        pair: The models that are compared.
        error_of: What is compared of them; the mean absolute error if not given.
    """
    if not any(point.model in BASELINES for point in pair):
        return ""
    comparison = judged.comparison
    tried = f"{comparison.tried_baselines} of the paper's ten tried in {count(comparison.tried_settings, 'setting')}"
    absent = judged.absent_baselines
    texts = [f"it is the best of {tried}" + (f", and the other {absent} may err less" if absent else "")]
    if judged.given_up_baselines:
        texts.append(f"cut by a limit or failed in some setting: {listing(judged.given_up_baselines)}")
    if judged.seeds(_BOOSTING):
        error = (error_of or judged.evidence.mae)(_BOOSTING)
        texts.append(f"{_BOOSTING.label}, which is not one of the ten, has {number(error)}")
    return "".join(f"; {text}" for text in texts)


def interval_words(ratio: Ratio, rows: int = 0) -> str:
    """A ratio with its interval and what that is over: test rows, if there are any, and seeds, if there are several."""
    seeds = len(ratio.by_seed)
    over = [*([count(rows, "test row")] if rows else []), *([count(seeds, "seed")] if seeds > 1 else [])]
    if not over:
        return f"a ratio of {number(ratio.effect)}, from one seed and without an interval"
    interval = f"95% interval over {listing(over)} {number(ratio.low)} to {number(ratio.high)}"
    text = f"a ratio of {number(ratio.effect)} ({interval})"
    if seeds < 2:
        return f"{text}, which does not cover the variation between seeds"
    low, high = min(ratio.by_seed.values()), max(ratio.by_seed.values())
    return f"{text}; the seeds one by one give {number(low)} to {number(high)}"
