"""Absolute test errors of a comparison's models, row by row, and how sure their ratios are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from irnet_ray.errors import RunError
from irnet_ray.report.comparison import Comparison, Point
from irnet_ray.report.ratio import FloatArray, Ratio, ratio_of
from irnet_ray.study.run_directory import RunDirectory


@dataclass(frozen=True)
class Evidence:
    """Absolute test errors; row ``i`` is the same material for every model and seed.

    Attributes:
        errors: For each point and seed the absolute errors (unit of the property), shape ``(test rows,)``.
        target: The property of the test rows in its unit, shape ``(test rows,)``; ``None`` while no trial is finished.
        predictions: For each point those of its first seed (unit of the property), shape ``(test rows,)``.
        ensembles: Test MAE of the average of the predictions of several trials, by their ids.
    """

    errors: Mapping[Point, Mapping[int, FloatArray]]
    target: FloatArray | None = None
    predictions: Mapping[Point, FloatArray] = field(default_factory=dict)
    ensembles: Mapping[frozenset[str], float] = field(default_factory=dict)

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
        return ratio_of(self.errors[numerator], self.errors[denominator])


def read_evidence(run: RunDirectory, comparison: Comparison) -> Evidence:
    """Reads the predictions of a comparison's finished trials.

    Raises:
        RunError: Two trials were tested on different rows.
    """
    errors: dict[Point, dict[int, FloatArray]] = {}
    predictions: dict[Point, FloatArray] = {}
    ensembles: dict[frozenset[str], float] = {}
    first: FloatArray | None = None
    for point in comparison.finished_points():
        trials, signed = comparison.finished(point), []
        for trial in trials:
            target, prediction = _tested(run, trial.id)
            first = target if first is None else first
            _check_rows(run, trial.id, first, target)
            signed.append(prediction - target)
            errors.setdefault(point, {})[trial.seed] = np.abs(signed[-1])
            predictions.setdefault(point, prediction)
        ensembles[frozenset(trial.id for trial in trials)] = float(np.abs(np.mean(signed, axis=0)).mean())
    return Evidence(errors, first, predictions, ensembles)


def ensemble_mae(run: RunDirectory, trial_ids: Sequence[str]) -> float:
    """Test MAE of the average of several trials' predictions, in the property's unit.

    Raises:
        RunError: Two trials were tested on different rows.
    """
    first, total = _tested(run, trial_ids[0])
    for trial_id in trial_ids[1:]:
        target, prediction = _tested(run, trial_id)
        _check_rows(run, trial_id, first, target)
        total = total + prediction
    return float(np.abs(total / len(trial_ids) - first).mean())


def _tested(run: RunDirectory, trial_id: str) -> tuple[FloatArray, FloatArray]:
    """Target and prediction of a trial's test rows."""
    predictions = run.predictions(trial_id, columns=["part", "target", "prediction"])  # text takes long to read
    test = predictions[predictions["part"] == "test"]
    return test["target"].to_numpy(dtype=np.float64), test["prediction"].to_numpy(dtype=np.float64)


def _check_rows(run: RunDirectory, trial_id: str, expected: FloatArray, target: FloatArray) -> None:
    if not np.array_equal(expected, target):
        raise RunError(
            f"'{run.uri}': trial {trial_id} was tested on other rows than the trials it is compared with, "
            "so the data changed meanwhile; start the run over with --force"
        )
