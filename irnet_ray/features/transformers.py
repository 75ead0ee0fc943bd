"""Attributes as transformers of scikit-learn, for its pipelines and searches.

They learn nothing from the data, and take what the functions of ``irnet_ray.features.tables`` take. What they
return is a pandas table, whose index is that of the materials.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from irnet_ray.features import composition, structure
from irnet_ray.features.representation import labels
from irnet_ray.features.tables import as_rows, fractions, magpie, ward2017


class _Featurizer(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What the transformers share: one column of materials, nothing to learn."""

    def fit(self, X: Any, y: Any = None) -> Self:
        """Checks that there is one column of materials.

        Raises:
            DataError: There are several, or there is a single material.
        """
        as_rows(X)
        return self

    def _labels(self) -> tuple[str, ...]:
        raise NotImplementedError

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Labels of the columns, whatever the column of materials is called."""
        return np.array(self._labels(), dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        return tags


class MagpieFeaturizer(_Featurizer):
    """The 145 composition attributes of formulas.

    Args:
        errors: As in ``irnet_ray.features.magpie``.
    """

    def __init__(self, *, errors: str = "raise") -> None:
        self.errors = errors

    def transform(self, X: Any) -> pd.DataFrame:
        """Computes the attributes, see ``irnet_ray.features.magpie``."""
        return magpie(X, errors=self.errors)

    def _labels(self) -> tuple[str, ...]:
        return composition.LABELS


class FractionsFeaturizer(_Featurizer):
    """The fractions of 86 elements in formulas.

    Args:
        errors: As in ``irnet_ray.features.fractions``.
    """

    def __init__(self, *, errors: str = "raise") -> None:
        self.errors = errors

    def transform(self, X: Any) -> pd.DataFrame:
        """Computes the fractions, see ``irnet_ray.features.fractions``."""
        return fractions(X, errors=self.errors)

    def _labels(self) -> tuple[str, ...]:
        return labels("fractions")


class Ward2017Featurizer(_Featurizer):
    """The 126 (or matminer's 128) structure attributes of crystals.

    Args:
        range_columns: As in ``irnet_ray.features.ward2017``.
        errors: As in ``irnet_ray.features.ward2017``.
        n_jobs: Number of processes, -1 for one on each core; leave it at 1 inside a parallel search.
    """

    def __init__(self, *, range_columns: bool = False, errors: str = "raise", n_jobs: int | None = 1) -> None:
        self.range_columns = range_columns
        self.errors = errors
        self.n_jobs = n_jobs

    def transform(self, X: Any) -> pd.DataFrame:
        """Computes the attributes, see ``irnet_ray.features.ward2017``."""
        return ward2017(X, range_columns=self.range_columns, errors=self.errors, n_jobs=self.n_jobs)

    def _labels(self) -> tuple[str, ...]:
        return structure.LABELS if self.range_columns else structure.WARD_LABELS
