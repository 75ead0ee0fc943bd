"""The paper's ratio of two errors, on the data that come nearest to a comparison's."""

from __future__ import annotations

from irnet_ray.report.claims.finding import Judged, Pair
from irnet_ray.report.paper import BEST_OF_TEN, CROSSING_ROWS, Key, PublishedExperiment, experiments_on, figure_1

_OF_FIGURE_1 = ("formation_enthalpy", "formation_energy")


def published_ratio(judged: Judged, pair: Pair) -> float | None:
    """The ratio in the first of the paper's experiments that has both models; ``None`` where none has.

    Those on the same property from the same attributes come first, if their data are big as ours are or small as ours
    are, then Figure 1, where formation enthalpies are learnt.
    """
    keys: list[Key] = [(point.model, point.depth) if point.depth else (BEST_OF_TEN, None) for point in pair]
    for experiment in _candidates(judged):
        is_alike = (experiment.rows >= CROSSING_ROWS) == judged.is_big
        if is_alike and all(key in experiment.errors for key in keys):
            return experiment.errors[keys[0]] / experiment.errors[keys[1]]
    return None


def _candidates(judged: Judged) -> list[PublishedExperiment]:
    task = judged.comparison.task
    found = experiments_on(task.dataset, task.property, task.representation)
    return [*found, figure_1()] if task.property in _OF_FIGURE_1 else found
