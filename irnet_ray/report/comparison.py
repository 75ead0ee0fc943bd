"""Which trials may be compared with each other."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from statistics import fmean
from typing import NamedTuple

import pandas as pd

from irnet_ray.model.baselines import THE_TEN
from irnet_ray.report.wording import distinct, model_label, model_order, words
from irnet_ray.study.trial import AnyModel, NetworkModel, Trial


class Point(NamedTuple):
    """What stands on one place of the depth axis.

    Attributes:
        model: ``plain``, ``srnet``, ``irnet``, or the name of a baseline.
        depth: Number of layers; ``None`` for classical learning.
    """

    model: str
    depth: int | None

    @property
    def label(self) -> str:
        """Its name for people, such as ``IRNet-48``."""
        return model_label(self.model, self.depth)

    @property
    def place(self) -> tuple[int, int]:
        """Sorts points by model, then by depth."""
        return model_order(self.model), self.depth or 0


def point_of(trial: Trial) -> Point:
    """Where a trial stands."""
    return Point(trial.model_name, trial.architecture.depth if trial.architecture else None)


def describe_points(trials: Iterable[Trial]) -> list[str]:
    """Names points with their seeds, such as ``IRNet-48 (seeds 0, 1)``, in the order of the figures."""
    seeds: dict[Point, list[int]] = {}
    for trial in trials:
        seeds.setdefault(point_of(trial), []).append(trial.seed)
    return [
        f"{point.label} (seed{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))})"
        for point, numbers in sorted(seeds.items(), key=lambda item: item[0].place)
    ]


@dataclass(frozen=True)
class Task:
    """What the trials of a comparison have in common.

    Attributes:
        dataset: What was learnt from.
        property: What was learnt.
        representation: What it was learnt from.
        train_size: Number of training rows; ``None`` for all.
        width: Of the networks; ``None`` where there are none.
        recipe: Of the networks; ``None`` where there are none.
    """

    dataset: str
    property: str
    representation: str
    train_size: int | None
    width: float | None
    recipe: str | None

    def words(self) -> dict[str, str]:
        """Each setting as people write it."""
        rows = "all" if self.train_size is None else f"{self.train_size:,}"
        return {
            "dataset": self.dataset,
            "property": words(self.property),
            "representation": self.representation,
            "train_size": f"{rows} training rows",
            "width": "" if self.width is None else f"width {self.width:g}",
            "recipe": "" if self.recipe is None else f"recipe {self.recipe}",
        }


@dataclass(frozen=True)
class Comparison:
    """Trials that differ in model, depth and seed only.

    Attributes:
        task: What they have in common.
        name: What tells this comparison from the others of the run; empty if it is the only one.
        trials: All that the study plans, one architecture or setting for each point.
        results: Rows of the finished ones, columns as in ``RESULT_COLUMNS``.
        unfinished_baselines: Of the paper's ten in every planned setting, those without a result.
        other_architectures: Of networks that are left out, as another one of the same depth stands for all.
        tried_settings: In how many settings the paper's ten were tried, all together.
    """

    task: Task
    name: str
    trials: tuple[Trial, ...]
    results: pd.DataFrame
    unfinished_baselines: tuple[Trial, ...] = ()
    other_architectures: tuple[str, ...] = ()
    tried_settings: int = 0

    @property
    def unit(self) -> str:
        """Of the property; empty while no trial is finished."""
        return str(self.results["unit"].iloc[0]) if len(self.results) else ""

    @property
    def train_rows(self) -> int | None:
        """Number of training rows; unknown where all are asked for and no trial is finished."""
        if self.task.train_size is not None or self.results.empty:
            return self.task.train_size
        return int(self.results["train_rows"].iloc[0])

    @functools.cached_property
    def missing(self) -> list[Trial]:
        """Planned trials without a result."""
        finished = set(self.results["trial_id"])
        return [trial for trial in self.trials if trial.id not in finished]

    @functools.cached_property
    def _finished(self) -> dict[Point, list[Trial]]:
        """The trials that have a result, by model and depth."""
        missing = {trial.id for trial in self.missing}
        points: dict[Point, list[Trial]] = {}
        for trial in self.trials:
            if trial.id not in missing:
                points.setdefault(point_of(trial), []).append(trial)
        return points

    def without_result(self, point: Point) -> int:
        """How many of a model's planned trials have none."""
        return sum(point_of(trial) == point for trial in self.missing)

    def plans(self, point: Point) -> bool:
        """Whether the study has a model."""
        return point in {point_of(trial) for trial in self.trials}

    def best_network(self, model: str) -> Point | None:
        """The finished depth of a network that has the lowest validation MAE."""
        candidates = self.results[self.results["model"] == model]
        if candidates.empty:
            return None
        means = candidates.groupby("depth")["val_mae"].mean().sort_values()
        return Point(model, int(means.reset_index()["depth"].iloc[0]))

    def planned(self, model: str) -> list[Point]:
        """The model's points, the shallowest first."""
        points = {point_of(trial) for trial in self.trials if trial.model_name == model}
        return sorted(points, key=lambda point: point.place)

    def finished(self, point: Point) -> list[Trial]:
        """The point's trials that have a result."""
        return list(self._finished.get(point, ()))

    def finished_points(self) -> list[Point]:
        """All points with a result, by model and depth."""
        return sorted(self._finished, key=lambda point: point.place)

    @property
    def tried_baselines(self) -> int:
        """How many of the paper's ten are finished."""
        return int(self.results.loc[self.results["model"].isin([each.name() for each in THE_TEN]), "model"].nunique())

    @property
    def best_of_ten(self) -> Point | None:
        """Of the paper's ten baselines, as far as they are finished, that of the lowest validation MAE."""
        candidates = self.results[self.results["model"].isin([each.name() for each in THE_TEN])]
        if candidates.empty:
            return None
        return Point(str(candidates.groupby("model")["val_mae"].mean().idxmin()), None)


def compare(trials: Sequence[Trial], results: pd.DataFrame) -> list[Comparison]:
    """Sorts a study's trials into comparisons; baselines, which have no width and no recipe, stand in several.

    Args:
        trials: All that the study plans.
        results: Rows of the finished ones, columns as in ``RESULT_COLUMNS``.
    """
    groups = {task: [trial for trial in trials if _belongs(trial, task)] for task in _tasks(trials)}
    names = names_of(list(groups))
    comparisons = []
    for (task, group), name in zip(groups.items(), names, strict=True):
        members = _one_setting_a_point(group, results)
        rows = results[results["trial_id"].isin([trial.id for trial in members])]
        finished = set(results["trial_id"])
        lacking = [trial for trial in group if isinstance(trial.model, THE_TEN) and trial.id not in finished]
        settings = {trial.model for trial in group if isinstance(trial.model, THE_TEN) and trial.id in finished}
        compared = {trial.architecture for trial in members}
        others = distinct(str(trial.architecture) for trial in group if trial.architecture not in compared)
        table = rows.reset_index(drop=True)
        comparisons.append(Comparison(task, name, tuple(members), table, tuple(lacking), tuple(others), len(settings)))
    return comparisons


def task_of(trial: Trial) -> Task:
    """What a trial has in common with those that it may be compared with."""
    network = trial.model if isinstance(trial.model, NetworkModel) else None
    return Task(
        dataset=trial.matrix.dataset,
        property=trial.matrix.property,
        representation=trial.matrix.representation,
        train_size=trial.train_size,
        width=network.width if network else None,
        recipe=network.recipe.label if network else None,
    )


def _tasks(trials: Sequence[Trial]) -> list[Task]:
    """The different tasks; one without networks counts only where no network shares its rows."""
    tasks = distinct(task_of(trial) for trial in trials)
    with_networks = {_data(task) for task in tasks if task.recipe is not None}
    return [task for task in tasks if task.recipe is not None or _data(task) not in with_networks]


def _data(task: Task) -> tuple[str, str, str, int | None]:
    return task.dataset, task.property, task.representation, task.train_size


def _belongs(trial: Trial, task: Task) -> bool:
    own = task_of(trial)
    return own == task or (not isinstance(trial.model, NetworkModel) and _data(own) == _data(task))


def _one_setting_a_point(trials: Sequence[Trial], results: pd.DataFrame) -> list[Trial]:
    """Leaves out further architectures of the same depth and further settings of a baseline; the tables have them.

    Of architectures the first one stays, of settings that of the lowest validation MAE, the mean over its seeds, among
    those of which the most seeds have a result.
    """
    chosen = {point_of(trial): trial.model for trial in reversed(trials)}
    errors = results.set_index("trial_id")["val_mae"]
    means: dict[Point, dict[AnyModel, list[float]]] = {}
    for trial in trials:
        if not isinstance(trial.model, NetworkModel) and trial.id in errors.index:
            means.setdefault(point_of(trial), {}).setdefault(trial.model, []).append(float(errors[trial.id]))
    for point, each in means.items():
        most = max(map(len, each.values()))
        chosen[point] = min((model for model in each if len(each[model]) == most), key=lambda model: fmean(each[model]))
    return [trial for trial in trials if trial.model == chosen[point_of(trial)]]


def names_of(tasks: Sequence[Task]) -> list[str]:
    """What tells each task from the others: the settings in which they differ; empty if there is one alone."""
    varying = [field.name for field in fields(Task) if len({getattr(task, field.name) for task in tasks}) > 1]
    return [", ".join(filter(None, (task.words()[setting] for setting in varying))) for task in tasks]


def file_suffix(name: str) -> str:
    """Makes a comparison's name fit for the end of a file's name: ``_10000_training_rows``, or nothing."""
    plain = re.sub(r"[^\w.]+", "_", name.replace(",", "")).strip("_")
    return f"_{plain}" if plain else ""
