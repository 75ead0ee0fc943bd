"""Our errors beside the paper's, wherever it has the same property from the same attributes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from irnet_ray.model.baselines import THE_TEN
from irnet_ray.report.claims.finding import Judged
from irnet_ray.report.comparison import Point
from irnet_ray.report.cost import fraction_of_cost
from irnet_ray.report.paper import BEST_OF_TEN, Key, PublishedExperiment, experiments_on
from irnet_ray.report.wording import count, model_label

_COLUMNS = [
    "dataset",
    "property",
    "unit",
    "representation",
    "train_size",
    "network",
    "model",
    "depth",
    "width",
    "recipe",
    "seeds",
    "test_mae",
    "paper",
    "ours_to_paper",
    "part_of_cost",
    "place",
    "paper_rows",
    "note",
]

_TYPES = {"depth": "Int64", "train_size": "Int64", "test_mae": "float64", "part_of_cost": "float64"}


def beside_paper(run: Sequence[Judged]) -> pd.DataFrame:
    """Lists every model that both have, with those of the study that have no result.

    Args:
        run: Its comparisons with their errors.

    Returns:
        A row for each, with the task, ``network`` (or baseline), ``seeds``, ``test_mae`` (mean over seeds), ``paper``
        (both in ``unit``), their ratio ``ours_to_paper``, ``part_of_cost`` (ours over the paper's, at most; of
        networks), ``place`` in the paper, the rows of its dataset, and a ``note`` where planned trials have no result;
        the column is left out where all have one.
    """
    rows = [
        _row(judged, experiment, key, point)
        for judged in run
        for experiment in _same(judged)
        for key in experiment.errors
        if (point := _point(judged, key)) is not None and judged.comparison.plans(point)
    ]
    table = pd.DataFrame(rows, columns=_COLUMNS).astype(_TYPES)
    return table if any(table["note"]) else table.drop(columns="note")


def published_errors(judged: Judged) -> dict[Point, float]:
    """The paper's errors of a comparison's models, from the first of its experiments that has them."""
    found: dict[Point, float] = {}
    for experiment in _same(judged):
        for key, error in experiment.errors.items():
            point = _point(judged, key)
            if point is not None:
                found.setdefault(point, error)
    return found


def _same(judged: Judged) -> Sequence[PublishedExperiment]:
    task = judged.comparison.task
    return experiments_on(task.dataset, task.property, task.representation)


def _point(judged: Judged, key: Key) -> Point | None:
    model, depth = key
    return judged.best_or_planned_baseline if model == BEST_OF_TEN else Point(model, depth)


def _best_of(judged: Judged, point: Point) -> str:
    """What our baseline is the best of."""
    tried = judged.comparison.tried_baselines
    if not tried:
        return model_label(BEST_OF_TEN, None)
    if tried == 1:
        return f"the one traditional model tried ({point.label})"
    of_all = model_label(BEST_OF_TEN, None) if tried == len(THE_TEN) else f"best of {tried} traditional models"
    return f"{of_all} ({point.label})"


def _part_of_cost(judged: Judged, experiment: PublishedExperiment, point: Point) -> float | None:
    """Of the seed that took longest."""
    if point.depth is None or not judged.seeds(point):
        return None
    results = judged.comparison.results.set_index("trial_id")
    parts = []
    for trial in judged.comparison.finished(point):
        columns = ["train_rows", "validation_rows", "test_rows", "epochs"]
        train, validation, test, epochs = (int(value) for value in results.loc[trial.id, columns].to_numpy())
        parts.append(fraction_of_cost(trial, (train, validation, test), epochs, experiment.rows))
    return max(parts)


def _row(judged: Judged, experiment: PublishedExperiment, key: Key, point: Point) -> dict[str, object]:
    task, paper, lacking = judged.comparison.task, experiment.errors[key], judged.comparison.without_result(point)
    ours = judged.evidence.mae(point) if judged.seeds(point) else math.nan
    name = _best_of(judged, point) if key[0] == BEST_OF_TEN else point.label
    return {
        "dataset": task.dataset,
        "property": task.property,
        "unit": judged.comparison.unit or experiment.unit,
        "representation": task.representation,
        "train_size": judged.comparison.train_rows,
        "network": name,
        "model": point.model,
        "depth": point.depth,
        "width": task.width if point.depth else None,
        "recipe": task.recipe if point.depth else None,
        "seeds": judged.seeds(point),
        "test_mae": ours,
        "paper": paper,
        "ours_to_paper": ours / paper,
        "part_of_cost": _part_of_cost(judged, experiment, point),
        "place": experiment.place,
        "paper_rows": experiment.rows,
        "note": f"{count(lacking, 'planned trial')} without a result" if lacking else "",
    }
