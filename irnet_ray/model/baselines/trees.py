"""Baselines that are trees, one or many."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from irnet_ray.model.baselines.base import Baseline, Count, Fraction, Grid

# Work in multiply-adds, see Baseline.work.
_CUT = 900.0  # for each attribute, row and level of a tree
_UNSORTED = 0.6  # of it where cuts are random
_BIN = 60.0  # for each attribute, row and level of a boosted tree
_ROUND = 1.6e8  # for each boosted tree besides


class DecisionTree(Baseline):
    """One regression tree (Breiman et al., 1984).

    Attributes:
        min_samples_leaf: Least rows in a leaf.
        max_features: Part of the attributes that are looked at for each cut.
    """

    title = "decision tree"
    is_random = True
    grid: ClassVar[Grid] = {"min_samples_leaf": (1, 5, 20), "max_features": (1.0,)}
    kind: Literal["decision_tree"] = "decision_tree"
    min_samples_leaf: Count = 1
    max_features: Fraction = 1.0

    def estimator(self, seed: int, cpus: int) -> Any:
        """A decision tree."""
        from sklearn.tree import DecisionTreeRegressor as Estimator

        return Estimator(**self.settings, random_state=seed)

    def work(self, rows: int, attributes: int) -> float:
        """One tree."""
        return _cuts(rows, attributes * self.max_features)


class AdaBoost(Baseline):
    """Trees of which each looks harder at the rows that the earlier ones missed (Drucker, 1997).

    Attributes:
        trees: At most so many.
        max_depth: Levels of a tree.
    """

    title = "AdaBoost"
    is_random = True
    grid: ClassVar[Grid] = {"trees": (50,), "max_depth": (10, 20)}
    kind: Literal["ada_boost"] = "ada_boost"
    trees: Count = 50
    max_depth: Count = 10

    def estimator(self, seed: int, cpus: int) -> Any:
        """AdaBoost.R2 of regression trees."""
        from sklearn.ensemble import AdaBoostRegressor as Estimator
        from sklearn.tree import DecisionTreeRegressor

        tree = DecisionTreeRegressor(max_depth=self.max_depth)
        return Estimator(tree, n_estimators=self.trees, random_state=seed)

    def work(self, rows: int, attributes: int) -> float:
        """Trees that are cut off at a depth."""
        return self.trees * _cuts(rows, attributes, self.max_depth)


class Bagging(Baseline):
    """Trees of resampled rows (Breiman, 1996).

    Attributes:
        trees: Their number.
        max_features: Part of the attributes that each tree has.
    """

    title = "bagging"
    is_random = True
    grid: ClassVar[Grid] = {"trees": (50,), "max_features": (0.5, 1.0)}
    kind: Literal["bagging"] = "bagging"
    trees: Count = 50
    max_features: Fraction = 1.0

    def estimator(self, seed: int, cpus: int) -> Any:
        """Bagged regression trees."""
        from sklearn.ensemble import BaggingRegressor as Estimator

        return Estimator(n_estimators=self.trees, max_features=self.max_features, random_state=seed, n_jobs=cpus)

    def work(self, rows: int, attributes: int) -> float:
        """Trees of some of the attributes."""
        return self.trees * _cuts(rows, attributes * self.max_features)


class _Forest(Baseline):
    """Many trees that look at some of the attributes for each cut.

    Attributes:
        trees: Their number.
        max_features: Part of the attributes that are looked at for each cut.
        min_samples_leaf: Least rows in a leaf.
    """

    is_random = True
    trees: Count = 100
    max_features: Fraction = 1.0
    min_samples_leaf: Count = 1

    def work(self, rows: int, attributes: int) -> float:
        """So many trees."""
        return self.trees * _cuts(rows, attributes * self.max_features)

    def _of(self, estimator: Any, seed: int, cpus: int) -> Any:
        return estimator(
            n_estimators=self.trees,
            max_features=self.max_features,
            min_samples_leaf=self.min_samples_leaf,
            random_state=seed,
            n_jobs=cpus,
        )


class RandomForest(_Forest):
    """Trees of resampled rows (Breiman, 2001)."""

    title = "random forest"
    grid: ClassVar[Grid] = {"trees": (100,), "max_features": (0.33, 0.66), "min_samples_leaf": (1, 3)}
    kind: Literal["random_forest"] = "random_forest"

    def estimator(self, seed: int, cpus: int) -> Any:
        """A random forest."""
        from sklearn.ensemble import RandomForestRegressor

        return self._of(RandomForestRegressor, seed, cpus)


class ExtraTrees(_Forest):
    """Trees of all rows with random cuts (Geurts et al., 2006)."""

    title = "extra trees"
    grid: ClassVar[Grid] = {"trees": (100,), "max_features": (0.33, 1.0), "min_samples_leaf": (1, 3)}
    kind: Literal["extra_trees"] = "extra_trees"

    def estimator(self, seed: int, cpus: int) -> Any:
        """Extremely randomized trees."""
        from sklearn.ensemble import ExtraTreesRegressor

        return self._of(ExtraTreesRegressor, seed, cpus)

    def work(self, rows: int, attributes: int) -> float:
        """Trees that need not sort the rows."""
        return _UNSORTED * super().work(rows, attributes)


class GradientBoosting(Baseline):
    """Boosted trees of binned attributes (as LightGBM has them); not one of the paper's ten.

    Attributes:
        rounds: Number of trees.
        learning_rate: Part of each tree's correction that is made.
        leaves: At most so many a tree.
    """

    title = "gradient boosting"
    is_random = True
    grid: ClassVar[Grid] = {"rounds": (1000,), "learning_rate": (0.1,), "leaves": (31, 127)}
    kind: Literal["gradient_boosting"] = "gradient_boosting"
    rounds: Count = 1000
    learning_rate: Fraction = 0.1
    leaves: Annotated[int, Field(ge=2)] = 31

    def estimator(self, seed: int, cpus: int) -> Any:
        """Histogram gradient boosting."""
        from sklearn.ensemble import HistGradientBoostingRegressor as Estimator

        return Estimator(
            max_iter=self.rounds,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.leaves,
            early_stopping=False,
            random_state=seed,
        )

    def work(self, rows: int, attributes: int) -> float:
        """Histograms of all attributes for each level."""
        return self.rounds * (_ROUND + _BIN * rows * attributes * math.log2(self.leaves))


def _cuts(rows: int, attributes: float, depth: float = math.inf) -> float:
    """Work of a tree that is grown until its leaves are pure, or to a depth."""
    return rows * min(math.log2(max(rows, 2)), depth) * attributes * _CUT
