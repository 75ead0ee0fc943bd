"""Absolute test errors of a comparison's models, row by row, and how sure their ratios are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from irnet_ray.errors import RunError
from irnet_ray.report.comparison import Comparison, Point
from irnet_ray.study.run_directory import RunDirectory

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_RESAMPLES = 2000
_SEED = 0


@dataclass(frozen=True)
class Ratio:
    """Test MAE of one model over that of another.

    Attributes:
        effect: The ratio of the means over rows and seeds.
        low: Lower end of the 95% interval over test rows.
        high: Upper end.
        by_seed: The ratio with each seed that both models were trained with.
    """

    effect: float
    low: float
    high: float
    by_seed: Mapping[int, float]


@dataclass(frozen=True)
class Evidence:
    """Absolute test errors; row ``i`` is the same material for every model and seed.

    Attributes:
        errors: For each point and seed the absolute errors (unit of the property), shape ``(test rows,)``.
    """

    errors: Mapping[Point, Mapping[int, FloatArray]]

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

    def pooled(self, point: Point) -> FloatArray:
        """The errors of all seeds one after the other, shape ``(seeds * test rows,)``."""
        return np.concatenate([self.errors[point][seed] for seed in self.seeds(point)])

    def ratio(self, numerator: Point, denominator: Point) -> Ratio:
        """Compares two models on the same rows.

        The interval is the percentile bootstrap over test rows (Efron, 1979), paired between the models,
        after each row's error is averaged over the seeds. It does not cover the variation between seeds.
        """
        above, below = self._resampled[numerator], self._resampled[denominator]
        low, high = np.percentile(above / below, [2.5, 97.5])
        both = sorted({*self.seeds(numerator)} & {*self.seeds(denominator)})
        return Ratio(
            effect=self.mae(numerator) / self.mae(denominator),
            low=float(low),
            high=float(high),
            by_seed={
                seed: float(self.errors[numerator][seed].mean() / self.errors[denominator][seed].mean())
                for seed in both
            },
        )

    @cached_property
    def _resampled(self) -> dict[Point, FloatArray]:
        """Each model's MAE on the same 2000 resamples of the rows; drawing them is most of the work."""
        points = list(self.errors)
        errors = np.stack([np.mean(list(self.errors[point].values()), axis=0) for point in points], axis=1)
        generator = np.random.default_rng(_SEED)
        means = np.stack([_resample_counts(generator, self.rows) @ errors for _ in range(_RESAMPLES)]) / self.rows
        return {point: means[:, place] for place, point in enumerate(points)}


def _resample_counts(generator: np.random.Generator, rows: int) -> IntArray:
    """How often each row is drawn in one resample."""
    return np.bincount(generator.integers(rows, size=rows), minlength=rows)


def read_evidence(run: RunDirectory, comparison: Comparison) -> Evidence:
    """Reads the predictions of a comparison's finished trials.

    Raises:
        RunError: Two trials were tested on different rows.
    """
    errors: dict[Point, dict[int, FloatArray]] = {}
    first: FloatArray | None = None
    for point in comparison.finished_points():
        for trial in comparison.finished(point):
            target, prediction = _tested(run, trial.id)
            first = target if first is None else first
            _check_rows(run, trial.id, first, target)
            errors.setdefault(point, {})[trial.seed] = np.abs(prediction - target)
    return Evidence(errors)


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
    predictions = run.predictions(trial_id)
    test = predictions[predictions["part"] == "test"]
    return test["target"].to_numpy(dtype=np.float64), test["prediction"].to_numpy(dtype=np.float64)


def _check_rows(run: RunDirectory, trial_id: str, expected: FloatArray, target: FloatArray) -> None:
    if not np.array_equal(expected, target):
        raise RunError(
            f"'{run.uri}': trial {trial_id} was tested on other rows than the trials it is compared with, "
            "so the data changed meanwhile; start the run over with --force"
        )
