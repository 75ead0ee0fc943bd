"""Absolute test errors of a comparison's models, row by row, and how sure their ratios are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from irnet_ray.report.comparison import Comparison, Point
from irnet_ray.report.ratio import FloatArray, IntArray, Ratio, ratio_of
from irnet_ray.study.finished_trial import Record

_OF_HOSTS = ("processor", "cores", "torch", "scikit-learn")


@dataclass(frozen=True)
class Evidence:
    """Absolute test errors; row ``i`` is the same material for every model and seed.

    Attributes:
        errors: For each point and seed the absolute errors (unit of the property), shape ``(test rows,)``.
        target: The property of the test rows in its unit, shape ``(test rows,)``; ``None`` while no trial is finished.
        predictions: For each point those of its first seed (unit of the property), shape ``(test rows,)``.
        machines: For each point the different processors and versions that its trials ran on, in words.
        gpus: Likewise GPUs; an empty text for none.
        compositions: The number of each test row's composition, from 0, shape ``(test rows,)``; ``None`` while no
            trial is finished.
    """

    errors: Mapping[Point, Mapping[int, FloatArray]]
    target: FloatArray | None = None
    predictions: Mapping[Point, FloatArray] = field(default_factory=dict)
    machines: Mapping[Point, frozenset[str]] = field(default_factory=dict)
    gpus: Mapping[Point, frozenset[str]] = field(default_factory=dict)
    compositions: IntArray | None = None

    @property
    def rows(self) -> int:
        """Number of test rows; 0 while no trial is finished."""
        return next((len(errors) for seeds in self.errors.values() for errors in seeds.values()), 0)

    def seeds(self, point: Point) -> list[int]:
        """The seeds with a result."""
        return sorted(self.errors.get(point, {}))

    def mae(self, point: Point) -> float:
        """Mean over rows and seeds."""
        return float(np.mean([errors.mean() for errors in self.errors[point].values()]))

    def quantile(self, point: Point, fraction: float) -> float:
        """The error that so many of the rows do not exceed, mean over seeds."""
        return float(np.mean([np.quantile(errors, fraction) for errors in self.errors[point].values()]))

    def is_of_the_rows_of(self, other: Evidence) -> bool:
        """Whether both are of the same test rows in the same order, as far as the property tells."""
        return self.target is not None and other.target is not None and np.array_equal(self.target, other.target)

    def pooled(self, point: Point) -> FloatArray:
        """The errors of all seeds one after the other, shape ``(seeds * test rows,)``."""
        return np.concatenate([self.errors[point][seed] for seed in self.seeds(point)])

    def ratio(self, numerator: Point, denominator: Point) -> Ratio:
        """Compares two models on the same rows, see ``ratio_of``."""
        return ratio_of(self.errors[numerator], self.errors[denominator], self.compositions)


def read_evidence(records: Mapping[str, Record], comparison: Comparison) -> Evidence:
    """Takes the test errors of a comparison's finished trials.

    Args:
        records: Of the run's finished trials, by id.
        comparison: Whose trials count.
    """
    errors: dict[Point, dict[int, FloatArray]] = {}
    predictions: dict[Point, FloatArray] = {}
    machines: dict[Point, frozenset[str]] = {}
    gpus: dict[Point, frozenset[str]] = {}
    target: FloatArray | None = None
    compositions: IntArray | None = None
    for point in comparison.finished_points():
        for trial in comparison.finished(point):
            record = records[trial.id]
            target, compositions = record.target, record.compositions
            errors.setdefault(point, {})[trial.seed] = np.abs(record.prediction - record.target)
            predictions.setdefault(point, record.prediction)
        provenances = [records[trial.id].result["provenance"] for trial in comparison.finished(point)]
        machines[point] = frozenset(_machine(each) for each in provenances)
        gpus[point] = frozenset(str(each.get("gpu") or "") for each in provenances)
    return Evidence(errors, target, predictions, machines, gpus, compositions)


def _machine(provenance: Mapping[str, Any]) -> str:
    """What decides how long a trial takes without a GPU, but for what else runs at the time."""
    parts = [f"{key} {provenance[key]}" for key in _OF_HOSTS if provenance.get(key) is not None]
    threads = provenance.get("trainer", {}).get("cpus_per_worker")
    return ", ".join([*parts, *([f"threads {threads}"] if threads else [])])
