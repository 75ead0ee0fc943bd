"""Claims on more than the mean error: the worst tenth of the rows, and the time that training and predicting take."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from irnet_ray.report.claims.finding import (
    Claim,
    Finding,
    Judged,
    Pair,
    baseline_words,
    finding_of,
    interval_words,
    missing,
    name_of,
    place_of,
    why_not,
)
from irnet_ray.report.comparison import Point
from irnet_ray.report.paper import CROSSING_ROWS
from irnet_ray.report.ratio import FloatArray, quantile_ratio_of, ratio_of_means
from irnet_ray.report.wording import listing, number

_IRNET = Point("irnet", 17)
_WORST_TENTH = 0.9
_NO_COST = 1.25  # up to this ratio of times shortcuts cost nothing to speak of
_MUCH_FASTER = 0.5
_NEXT_TO_ZERO = 0.01  # of the mean error

_PERCENTILE = Claim("IRNet has a lower 90th percentile of errors than the paper's ten and the plain network")
_THAN_BASELINES = Claim(
    "IRNet has a lower 90th percentile of errors than the best of the paper's ten", is_of_the_ten=True
)
_THAN_PLAIN = Claim("IRNet has a lower 90th percentile of errors than the plain network")
_TRAINING = Claim("Shortcuts cost no training time to speak of", threshold=_NO_COST)
_PREDICTING = Claim(
    "A trained network predicts much faster than a random forest (in the paper on a GPU)", threshold=_MUCH_FASTER
)


def worst_tenths(run: Sequence[Judged]) -> list[Finding]:
    """The 90th percentile of IRNet-17's errors against those of the best baseline and of the plain network."""
    findings = [
        _worst_tenth(judged, (_IRNET, other))
        for judged in run
        for other in (judged.best_or_planned_baseline, Point("plain", 17))
        if judged.is_big and other is not None and all(judged.comparison.plans(point) for point in (_IRNET, other))
    ]
    absent = f"the study has no IRNet-17 beside a baseline or plain-17 on {CROSSING_ROWS:,} rows or more"
    return findings or [missing(_PERCENTILE, absent)]


def _worst_tenth(judged: Judged, pair: Pair) -> Finding:
    claim = _THAN_PLAIN if pair[1].depth else _THAN_BASELINES
    if reason := why_not(judged, pair):
        return missing(claim, reason, place_of(judged, pair))
    errors = judged.evidence.errors
    exact = [point.label for point in pair if any(map(_is_mostly_zero, errors[point].values()))]
    if exact:
        return missing(claim, f"nine tenths of the errors of {listing(exact)} are next to zero", place_of(judged, pair))
    ratio = quantile_ratio_of(errors[pair[0]], errors[pair[1]], _WORST_TENTH, judged.evidence.compositions)
    percentile = partial(judged.evidence.quantile, fraction=_WORST_TENTH)
    values = [percentile(point) for point in pair]
    unit, optimistic = judged.comparison.unit, "optimistic " if judged.optimistic else ""
    sentence = (
        f"nine tenths of the {optimistic}errors of {pair[0].label} are below {number(values[0])} {unit}, of those of "
        f"{name_of(pair[1])} below {number(values[1])} {unit}, {interval_words(ratio, judged.evidence.rows)}"
        f"{baseline_words(judged, pair, percentile)}"
    )
    return finding_of(claim, judged, pair, ratio, sentence=sentence)


def _is_mostly_zero(errors: FloatArray) -> bool:
    """Whether the ratio of such quantiles would be chance, as where most of a property's values are zero."""
    return bool(np.quantile(errors, _WORST_TENTH) <= _NEXT_TO_ZERO * errors.mean())


def training_times(run: Sequence[Judged]) -> list[Finding]:
    """Time an epoch of IRNets against plain networks of the same depth."""
    findings = []
    for judged in run:
        times = _by_seed(judged, "epoch_seconds")
        for point in judged.comparison.planned("irnet"):
            pair = (point, Point("plain", point.depth))
            if judged.comparison.plans(pair[1]):
                findings.append(_time_finding(_TRAINING, judged, pair, times, "an epoch of"))
    absent = "the study has no IRNet and plain network of the same depth"
    return findings or [missing(_TRAINING, absent)]


def predicting_times(run: Sequence[Judged]) -> list[Finding]:
    """Time to predict the test rows of IRNet-17 against a random forest, both on what the trial had."""
    findings = []
    pair = (_IRNET, Point("random_forest", None))
    for judged in run:
        times = _by_seed(judged, "predict_seconds")
        if all(judged.comparison.plans(point) for point in pair):
            findings.append(_time_finding(_PREDICTING, judged, pair, times, "predicting by"))
    return findings or [missing(_PREDICTING, "the study has no IRNet-17 and random forest on the same data")]


def _by_seed(judged: Judged, column: str) -> dict[Point, dict[int, float]]:
    """Times of finished trials (s) by model and seed."""
    results = judged.comparison.results
    table = results.assign(epoch_seconds=results["train_seconds"] / results["epochs"].astype("Float64"))
    times: dict[Point, dict[int, float]] = {}
    for model, depth, seed, value in table[["model", "depth", "seed", column]].itertuples(index=False):
        point = Point(str(model), None if pd.isna(depth) else int(depth))
        times.setdefault(point, {})[int(seed)] = float(value) if not pd.isna(value) else 0.0
    return times


def _time_finding(
    claim: Claim, judged: Judged, pair: Pair, times: dict[Point, dict[int, float]], doing: str
) -> Finding:
    if reason := _why_no_times(judged, pair, times):
        return missing(claim, reason, place_of(judged, pair))
    ratio = ratio_of_means(times[pair[0]], times[pair[1]])
    means = [sum(times[point].values()) / len(times[point]) for point in pair]
    sentence = (
        f"{doing} {pair[0].label} took {number(means[0])} s, {doing} {name_of(pair[1])} {number(means[1])} s, "
        f"{interval_words(ratio)}"
    )
    return finding_of(claim, judged, pair, ratio, sentence=sentence)


def _why_no_times(judged: Judged, pair: Pair, times: dict[Point, dict[int, float]]) -> str:
    """Why two models' times cannot be compared; empty if they can."""
    unfinished = [point.label for point in pair if point not in times]
    if unfinished:
        return f"no trial of {listing(unfinished)} is finished"
    if not all(all(times[point].values()) for point in pair):
        return "a time is too short to be measured"
    used = frozenset().union(*(judged.evidence.machines[point] for point in pair))
    if len(used) == 1 and all(point.depth for point in pair):  # baselines have no GPU
        used = frozenset().union(*(judged.evidence.gpus[point] for point in pair))
    return f"not all ran on the same machine and versions: {'; '.join(sorted(used))}" if len(used) > 1 else ""
