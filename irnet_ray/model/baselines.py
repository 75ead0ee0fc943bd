"""Classical learning to compare the networks with."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from irnet_ray.config import Config
from irnet_ray.model.rows import AnyRows, Float32Array, Float64Array


class ForestSettings(Config):
    """A random forest (Breiman, 2001) as scikit-learn grows it.

    Attributes:
        trees: Number of trees.
        max_features: Fraction of the attributes that are looked at for each cut.
        min_samples_leaf: Least rows in a leaf.
    """

    trees: int = Field(default=100, ge=1)
    max_features: float = Field(default=1.0, gt=0, le=1)
    min_samples_leaf: int = Field(default=1, ge=1)


@dataclass(frozen=True)
class FittedForest:
    """A grown forest.

    Attributes:
        forest: scikit-learn's estimator.
        seconds: Time to grow it (s).
    """

    forest: object
    seconds: float

    def predict(self, inputs: Float32Array) -> Float64Array:
        """Predicts the property in its unit, shape ``(rows,)``."""
        return np.asarray(self.forest.predict(inputs), dtype=np.float64)  # type: ignore[attr-defined]


def fit_forest(settings: ForestSettings, train: AnyRows, *, seed: int, cpus: int = 1) -> FittedForest:
    """Grows a random forest; neither standardization nor validation rows are needed.

    Args:
        settings: Size of the forest.
        train: The rows to learn from.
        seed: Determines the forest.
        cpus: Trees that are grown at a time; they do not change the result.
    """
    from sklearn.ensemble import RandomForestRegressor

    started = time.perf_counter()
    forest = RandomForestRegressor(
        n_estimators=settings.trees,
        max_features=settings.max_features,
        min_samples_leaf=settings.min_samples_leaf,
        random_state=seed,
        n_jobs=cpus,
    ).fit(train.inputs, train.target)
    return FittedForest(forest, time.perf_counter() - started)
