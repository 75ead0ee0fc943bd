"""Classical learning to compare the networks with: the paper's ten algorithms, and gradient boosting.

All are scikit-learn's. Settings that are not named here are its defaults.
"""

from irnet_ray.model.baselines.base import Baseline
from irnet_ray.model.baselines.linear import (
    ElasticNet,
    LinearRegression,
    Ridge,
    StochasticGradientDescent,
    SupportVectorMachine,
)
from irnet_ray.model.baselines.trees import (
    AdaBoost,
    Bagging,
    DecisionTree,
    ExtraTrees,
    GradientBoosting,
    RandomForest,
)

__all__ = ["BASELINES", "THE_TEN", "AnyBaseline", "Baseline"]

THE_TEN: tuple[type[Baseline], ...] = (
    LinearRegression,
    Ridge,
    ElasticNet,
    StochasticGradientDescent,
    SupportVectorMachine,
    DecisionTree,
    AdaBoost,
    Bagging,
    RandomForest,
    ExtraTrees,
)
"""Those of the paper."""

_ALL: tuple[type[Baseline], ...] = (*THE_TEN, GradientBoosting)
BASELINES: dict[str, type[Baseline]] = {each.name(): each for each in _ALL}
"""All, by the names that studies use."""

AnyBaseline = (
    LinearRegression
    | Ridge
    | ElasticNet
    | StochasticGradientDescent
    | SupportVectorMachine
    | DecisionTree
    | AdaBoost
    | Bagging
    | RandomForest
    | ExtraTrees
    | GradientBoosting
)
