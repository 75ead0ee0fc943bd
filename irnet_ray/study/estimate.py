"""What a study will cost, before anyone pays for it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from irnet_ray.data.catalog import card
from irnet_ray.data.load import load
from irnet_ray.data.split import sizes
from irnet_ray.errors import ConfigurationError
from irnet_ray.features import representation
from irnet_ray.model.architecture import Architecture
from irnet_ray.model.baselines import Baseline
from irnet_ray.model.baselines.limits import Limits
from irnet_ray.model.recipe import Recipe
from irnet_ray.study.trial import Matrix, NetworkModel, Trial

# Work is counted in multiply-adds of matrix products. What a step costs besides them (normalization,
# activations, the optimizer, the interpreter) was fitted on one core of a 2.8 GHz Xeon (AVX-512).
_WORK_A_UNIT = 250.0  # for each output of a layer and row: batch norm, ReLU, shortcut and their gradients
_WORK_A_PARAMETER = 60.0  # for each step: Adam
_WORK_A_LAYER = 3e6  # for each step: the interpreter

_REFERENCE = Architecture.of(17, "layer", 0.25)
_REFERENCE_ROWS = 256 * 12


@dataclass(frozen=True)
class Estimate:
    """What a trial will cost on this machine.

    Attributes:
        trial: The trial.
        rows: Training, validation and test rows.
        seconds: Of one core; an upper bound where patience may end the trial earlier (s).
        matrix_bytes: Size of the rows in memory.
    """

    trial: Trial
    rows: tuple[int, int, int]
    seconds: float
    matrix_bytes: int


def estimate_study(trials: Sequence[Trial], limits: Limits | None = None) -> list[Estimate]:
    """Estimates every trial, after measuring the speed of this machine for about a second.

    Args:
        trials: What to estimate.
        limits: Of classical learning, which takes no longer than they allow.

    Raises:
        ConfigurationError: More training rows are asked than there are.
    """
    rows = split_sizes(trials)
    speed = seconds_a_work()
    most = most_work(limits, speed) if limits else math.inf
    return [
        Estimate(
            trial=trial,
            rows=each,
            seconds=work(trial, each, most) * speed,
            matrix_bytes=4 * _rows_kept(trial, each) * len(representation.labels(trial.matrix.representation)),
        )
        for trial, each in zip(trials, rows, strict=True)
    ]


def most_work(limits: Limits, speed: float | None = None) -> float:
    """What classical learning can do within its limits, in multiply-adds.

    Args:
        limits: Of one trial.
        speed: Of this machine, as of ``seconds_a_work``; measured where it is needed and not given.
    """
    if limits.seconds is None:
        return math.inf
    return limits.seconds / (seconds_a_work() if speed is None else speed)


def split_sizes(trials: Sequence[Trial]) -> list[tuple[int, int, int]]:
    """Training, validation and test rows of each trial, as ``split.sizes`` counts them.

    They come from the catalog's card where there is one.

    Raises:
        ConfigurationError: More training rows are asked than there are.
        DataError: A table of one's own cannot be read.
    """
    matrices = {trial.matrix.canonical(): trial.matrix for trial in trials}
    rows = {key: _count_rows(matrix) for key, matrix in matrices.items()}
    return [_sizes(trial, rows[trial.matrix.canonical()]) for trial in trials]


def _count_rows(matrix: Matrix) -> int:
    if matrix.own_table is not None:
        return len(load(matrix.own_table, matrix.property, skip_bad_rows=True))
    return card(matrix.dataset).properties[matrix.property].rows


def _rows_kept(trial: Trial, rows: tuple[int, int, int]) -> int:
    """Number of a trial's rows in memory, each counted once."""
    return sum(rows) - (rows[1] if trial.split.train_on_validation else 0)


def _sizes(trial: Trial, rows: int) -> tuple[int, int, int]:
    try:
        return sizes(rows, trial.split, trial.train_size)
    except ConfigurationError as error:
        raise ConfigurationError(f"{trial.matrix.dataset}, {trial.matrix.property}: {error}") from error


def work(trial: Trial, rows: tuple[int, int, int], most: float = math.inf) -> float:
    """Relative cost of a trial, in multiply-adds; an upper bound where patience may end it earlier.

    Args:
        trial: The trial.
        rows: Training, validation and test rows.
        most: Work after which classical learning is cut off, as of ``most_work``.
    """
    inputs = len(representation.labels(trial.matrix.representation))
    match trial.model:
        case Baseline() as baseline:
            return min(baseline.work(rows[0], inputs), most)
        case NetworkModel(architecture=text, recipe=recipe):
            return _network_work(Architecture.parse(text), recipe, inputs, rows)


def _network_work(architecture: Architecture, recipe: Recipe, inputs: int, rows: tuple[int, int, int]) -> float:
    train, validation, test = rows
    parameters = architecture.count_parameters(inputs)
    units = sum(width * layers for width, layers in architecture.stacks)
    forward = parameters + units * _WORK_A_UNIT / 3
    a_step = parameters * _WORK_A_PARAMETER + architecture.depth * _WORK_A_LAYER
    an_epoch = train * 3 * forward + math.ceil(train / recipe.batch_size) * a_step + validation * forward
    return recipe.epochs * an_epoch + test * forward


def seconds_a_work() -> float:
    """Measures how fast one thread of this machine is, in about a second (s a multiply-add)."""
    import torch

    from irnet_ray.model.fit import fit
    from irnet_ray.model.rows import Rows

    generator = np.random.default_rng(0)
    rows = Rows(
        generator.standard_normal((_REFERENCE_ROWS, 145), dtype=np.float32),
        generator.standard_normal(_REFERENCE_ROWS),
    )
    recipe = Recipe.model_validate({"base": "fast", "epochs": 3})
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    started = time.perf_counter()
    try:
        history = fit(_REFERENCE, recipe, rows, rows.take(np.arange(256)), seed=0).history
    finally:
        torch.set_num_threads(threads)
    total = time.perf_counter() - started
    warm = history[-1].seconds - history[0].seconds
    seconds = warm / (len(history) - 1) if warm > 0 else total / len(history)
    once = recipe.model_copy(update={"epochs": 1})
    return seconds / _network_work(_REFERENCE, once, 145, (_REFERENCE_ROWS, 256, 0))


def makespan(seconds: Sequence[float], slots: int) -> float:
    """Time until the last of several trials ends, the longest first, so many at a time (s)."""
    ends = [0.0] * max(1, slots)
    for each in sorted(seconds, reverse=True):
        ends[ends.index(min(ends))] += each
    return max(ends)
