"""Fitting a baseline and predicting with it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from joblib import parallel_config

from irnet_ray.errors import TrainingError
from irnet_ray.model.baselines.base import Baseline
from irnet_ray.model.baselines.limits import Limits, call_within
from irnet_ray.model.rows import Float32Array, Float64Array, Rows

NO_LIMITS = Limits()


@dataclass(frozen=True)
class Tested:
    """What a fitted model predicts.

    Attributes:
        predictions: Of the property in its unit, for each part that was asked for, shape ``(rows,)``.
        seconds: Time to fit it (s).
        predict_seconds: Time to predict each part (s).
    """

    predictions: Sequence[Float64Array]
    seconds: float
    predict_seconds: Sequence[float]


def fit_and_predict(
    baseline: Baseline,
    train: Rows,
    parts: Sequence[Float32Array],
    *,
    seed: int,
    cpus: int = 1,
    limits: Limits = NO_LIMITS,
) -> Tested:
    """Fits a baseline and predicts some rows.

    Args:
        baseline: What is fitted.
        train: The rows to learn from.
        parts: Attributes of the rows to predict, each of shape ``(rows, attributes)``.
        seed: Of whatever is random in it.
        cpus: Threads or processes where it can use several; they do not change the outcome.
        limits: What fitting and predicting may take; where there are some, both happen in another process.

    Raises:
        LimitError: They took more.
        TrainingError: It cannot be fitted to these rows.
    """
    return call_within(limits, _fit_and_predict, baseline, train, parts, seed, cpus)


def _fit_and_predict(baseline: Baseline, train: Rows, parts: Sequence[Float32Array], seed: int, cpus: int) -> Tested:
    from threadpoolctl import threadpool_limits

    estimator = baseline.estimator(seed, cpus)  # loads the libraries whose threads are limited
    with threadpool_limits(cpus), parallel_config(backend="threading"):
        started = time.perf_counter()
        try:
            estimator.fit(_inputs(baseline, train.inputs), train.target)
        except MemoryError as error:
            raise TrainingError(f"{baseline.title}: there is too little memory for {len(train):,} rows") from error
        except (ValueError, FloatingPointError) as error:
            raise TrainingError(f"{baseline.title} cannot be fitted: {str(error).splitlines()[0]}") from error
        seconds = time.perf_counter() - started
        predictions, times = [], []
        for part in parts:
            started = time.perf_counter()
            predictions.append(np.asarray(estimator.predict(_inputs(baseline, part)), dtype=np.float64))
            times.append(time.perf_counter() - started)
    if not all(np.isfinite(prediction).all() for prediction in predictions):
        raise TrainingError(f"{baseline.title} diverged: a prediction is not finite")
    return Tested(predictions, seconds, times)


def _inputs(baseline: Baseline, inputs: Float32Array) -> Float32Array | Float64Array:
    return inputs.astype(np.float64) if baseline.in_double else inputs
