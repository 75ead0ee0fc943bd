"""Baselines that see standardized attributes: linear models, and a kernel machine."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import psutil

from irnet_ray.model.baselines.base import Baseline, Fraction, Grid, Positive

# As for the networks: an attribute that hardly varies among the training rows can lie hundreds of deviations off
# elsewhere, where a linear model would follow it.
_INPUT_LIMIT = 10.0
_SMALL_KERNEL, _LARGE_KERNEL = 500, 4000  # MB; a kernel of 30,000 rows takes 3,600
_CONTAINER_MEMORY = Path("/sys/fs/cgroup/memory.max")  # bytes, or "max"
_MOST_SWEEPS = 10_000  # cheap ones, over the Gram matrix

# Work in multiply-adds, see Baseline.work.
_DECOMPOSITION = 10.0  # for each row and pair of attributes
_SWEEPS = 1000.0
_PASSES = 2000.0  # for each row and attribute, all passes together
_KERNEL = 20.0  # for each pair of rows and attribute


class LinearRegression(Baseline):
    """Least squares; of attributes that depend on each other, the smallest solution."""

    title = "linear regression"
    in_double = True
    kind: Literal["linear_regression"] = "linear_regression"

    def estimator(self, seed: int, cpus: int) -> Any:
        """Least squares of standardized attributes."""
        from sklearn.linear_model import LinearRegression as Estimator

        return _standardized(Estimator())

    def work(self, rows: int, attributes: int) -> float:
        """A singular value decomposition."""
        return _DECOMPOSITION * rows * attributes**2


class Ridge(Baseline):
    """Least squares with a penalty on squares of the coefficients.

    Attributes:
        penalty: Its weight, beside the sum of squared errors.
    """

    title = "ridge regression"
    in_double = True
    grid: ClassVar[Grid] = {"penalty": (0.1, 1.0, 10.0, 100.0)}
    kind: Literal["ridge"] = "ridge"
    penalty: Positive = 1.0

    def estimator(self, seed: int, cpus: int) -> Any:
        """Ridge regression of standardized attributes."""
        from sklearn.linear_model import Ridge as Estimator

        return _standardized(Estimator(alpha=self.penalty))

    def work(self, rows: int, attributes: int) -> float:
        """A Gram matrix."""
        return rows * attributes**2


class ElasticNet(Baseline):
    """Least squares with a penalty on coefficients and on their squares (Zou and Hastie, 2005).

    Attributes:
        penalty: Its weight, beside half the mean of squared errors of the standardized property.
        l1_fraction: The part of it that is on the coefficients' sizes.
    """

    title = "elastic net"
    in_double = True
    grid: ClassVar[Grid] = {"penalty": (1e-4, 1e-3, 1e-2), "l1_fraction": (0.1, 0.5, 0.9)}
    kind: Literal["elastic_net"] = "elastic_net"
    penalty: Positive = 1e-3
    l1_fraction: Fraction = 0.5

    def estimator(self, seed: int, cpus: int) -> Any:
        """An elastic net of standardized attributes, by coordinate descent on their Gram matrix."""
        from sklearn.linear_model import ElasticNet as Estimator

        return _standardized(
            Estimator(alpha=self.penalty, l1_ratio=self.l1_fraction, precompute=True, max_iter=_MOST_SWEEPS),
            target=True,
        )

    def work(self, rows: int, attributes: int) -> float:
        """A Gram matrix, and sweeps over its rows."""
        return rows * attributes**2 + _SWEEPS * attributes**2


class StochasticGradientDescent(Baseline):
    """A linear model learnt row by row.

    Attributes:
        loss: ``squared_error``, or ``huber`` for less weight on outliers.
        penalty: Weight of the coefficients' squares.
    """

    title = "stochastic gradient descent"
    is_random = True
    in_double = True
    grid: ClassVar[Grid] = {"loss": ("squared_error", "huber"), "penalty": (1e-5, 1e-3)}
    kind: Literal["sgd"] = "sgd"
    loss: Literal["squared_error", "huber"] = "squared_error"
    penalty: Positive = 1e-4

    def estimator(self, seed: int, cpus: int) -> Any:
        """Stochastic gradient descent; steps of 0.001 at first stay stable with some hundred attributes."""
        from sklearn.linear_model import SGDRegressor as Estimator

        return _standardized(Estimator(loss=self.loss, alpha=self.penalty, eta0=0.001, random_state=seed), target=True)

    def work(self, rows: int, attributes: int) -> float:
        """Passes over the rows."""
        return _PASSES * rows * attributes


class SupportVectorMachine(Baseline):
    """Support vector regression with a Gaussian kernel; its time grows with the square of the rows.

    Attributes:
        cost: Weight of errors beyond the margin.
        kernel_scale: Of the kernel's exponent: 1 divides the squared distance by the number of attributes.
        margin: Errors that cost nothing, in standard deviations of the property.
    """

    title = "support vector machine"
    in_double = True
    grid: ClassVar[Grid] = {"cost": (1.0, 10.0), "kernel_scale": (0.3, 1.0)}
    kind: Literal["svm"] = "svm"
    cost: Positive = 1.0
    kernel_scale: Positive = 1.0
    margin: Positive = 0.05

    def estimator(self, seed: int, cpus: int) -> Any:
        """A support vector machine of standardized attributes and property."""
        from sklearn.svm import SVR

        machine = SVR(C=self.cost, gamma="auto", epsilon=self.margin, cache_size=_kernel_cache(cpus))
        return _standardized(machine, target=True, factor=math.sqrt(self.kernel_scale))

    def work(self, rows: int, attributes: int) -> float:
        """The kernel of most pairs of rows, several times."""
        return _KERNEL * rows**2 * attributes


def _kernel_cache(cpus: int) -> float:
    """Memory that a kernel may take (MB): half of what there is for so many cores, within bounds.

    What does not fit is computed again and again. The predictions are the same; to fit 30,000 rows of OQMD takes some
    five minutes with 4,000 MB, and with 500 half an hour does not suffice.
    """
    share = _total_memory() / (os.cpu_count() or 1) * cpus / 2
    return min(max(share / 1e6, _SMALL_KERNEL), _LARGE_KERNEL)


def _total_memory() -> int:
    """Of this machine, or of the container if that may take less (bytes)."""
    total = psutil.virtual_memory().total
    try:
        limit = _CONTAINER_MEMORY.read_text().strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdecimal() else total


def _standardized(estimator: Any, *, target: bool = False, factor: float = 1.0) -> Any:
    """Lets an estimator see standardized attributes, and the property in standard deviations if it is told so."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    cut = FunctionTransformer(_cut, kw_args={"factor": factor})
    pipeline = make_pipeline(StandardScaler(), cut, estimator)
    return TransformedTargetRegressor(pipeline, transformer=StandardScaler()) if target else pipeline


def _cut(inputs: Any, factor: float) -> Any:
    return factor * np.clip(inputs, -_INPUT_LIMIT, _INPUT_LIMIT)
