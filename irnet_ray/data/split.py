"""Who is trained on, who is validated on, who is tested on: seeded splits that keep compositions together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, model_validator

from irnet_ray.config import Config
from irnet_ray.errors import ConfigurationError
from irnet_ray.formula import IntArray

_FEWEST_COMPOSITIONS = 3
_PUBLISHED_FRACTIONS = (0.15, 0.15)  # validation and test of all rows, in every set of the CrabNet wheel


class SplitPlan(Config):
    """How materials are split.

    Attributes:
        protocol: ``holdout`` cuts a test set and then a validation set. ``paper`` cuts a test set and
            validates on it, as Jha et al. (2021) did for OQMD and MP: its test errors are optimistic.
            ``published`` takes the split that was published with the data.
        test_fraction: Part of all rows that is tested on; ``published`` does not use it.
        validation_fraction: Part of the other rows that is validated on; only ``holdout`` uses it.
        train_on_validation: Whether the validation rows are trained on as well, once everything is chosen; they must
            choose nothing then, and their error is that of rows that were trained on.
        seed: Of the random shuffle; ``published`` shuffles only the order within each part.
    """

    protocol: Literal["holdout", "paper", "published"] = "holdout"
    test_fraction: float = Field(default=0.1, gt=0, lt=1)
    validation_fraction: float = Field(default=0.1, gt=0, lt=1)
    train_on_validation: bool = False
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _test_rows_are_not_trained_on(self) -> SplitPlan:
        if self.train_on_validation and self.validation_is_test:
            raise ValueError("'train_on_validation' would train on the test rows with protocol 'paper'; choose another")
        return self

    @property
    def validation_is_test(self) -> bool:
        """Whether the test set chooses the epoch, so that test errors are optimistic."""
        return self.protocol == "paper"


@dataclass(frozen=True)
class Split:
    """Row numbers of the three parts, each in random order.

    Attributes:
        train: Shape ``(training rows,)``; its first rows are a random subset, whatever their number.
        validation: Shape ``(validation rows,)``; the test rows where ``plan.validation_is_test``.
        test: Shape ``(test rows,)``.
        plan: How the split was made.
    """

    train: IntArray
    validation: IntArray
    test: IntArray
    plan: SplitPlan

    @property
    def validation_is_test(self) -> bool:
        """Whether the test set chooses the epoch, so that test errors are optimistic."""
        return self.plan.validation_is_test

    @property
    def learnt(self) -> IntArray:
        """Rows that a model learns from: the training rows, and those of validation where the plan says so."""
        return np.concatenate([self.train, self.validation]) if self.plan.train_on_validation else self.train

    def subset(self, train_size: int | None) -> Split:
        """Takes the first training rows, and with ``holdout`` a validation set in proportion.

        A smaller subset lies inside a larger one, and the test set stays whole.

        Args:
            train_size: Number of training rows; None for all.

        Raises:
            ConfigurationError: There are not so many training rows, or the number is not positive.
        """
        if train_size is None:
            return self
        count = _validation_rows(train_size, len(self.train), len(self.validation), self.plan)
        return Split(self.train[:train_size], self.validation[:count], self.test, self.plan)


def split(formulas: Sequence[str], plan: SplitPlan, published: npt.NDArray[np.str_] | None = None) -> Split:
    """Splits materials so that no composition stands in two parts.

    A published split is taken as it was published, even where compositions are in two of its parts.

    Args:
        formulas: ``n`` reduced formulas. The split depends on their order, which ``load`` makes canonical.
        plan: How to split.
        published: ``train``, ``validation`` or ``test`` for each row; needed by the protocol ``published``.

    Raises:
        ConfigurationError: There is no published split, or there are too few compositions to split.
    """
    generator = np.random.default_rng(plan.seed)
    if plan.protocol == "published":
        if published is None:
            raise ConfigurationError("protocol: the dataset has no published split; choose holdout or paper")
        parts = [generator.permutation(np.flatnonzero(published == part)) for part in ("train", "validation", "test")]
        return Split(parts[0], parts[1], parts[2], plan)
    groups, names = pd.factorize(np.asarray(formulas, dtype=object))
    if len(names) < _FEWEST_COMPOSITIONS:
        raise ConfigurationError(
            f"{len(names)} different compositions cannot be split; give at least {_FEWEST_COMPOSITIONS}"
        )
    return _holdout(groups, plan, generator)


def _holdout(groups: IntArray, plan: SplitPlan, generator: np.random.Generator) -> Split:
    """Cuts test and validation off a shuffled row of groups.

    Args:
        groups: Number of each row's composition, from 0 without gaps, shape ``(n,)``.
        plan: How to split.
        generator: Shuffles the groups, then the rows.
    """
    sizes = np.bincount(groups)
    order = generator.permutation(len(sizes))
    rows = generator.permutation(len(groups))
    kept_for_validation = 0 if plan.validation_is_test else 1
    test = _first_groups(sizes[order], plan.test_fraction, leave=1 + kept_for_validation)
    place = np.empty_like(order)  # of each group in the shuffled row of groups
    place[order] = np.arange(len(order))
    place_of_row = place[groups[rows]]
    test_rows = rows[place_of_row < test]
    if plan.validation_is_test:
        return Split(rows[place_of_row >= test], test_rows, test_rows, plan)
    end = test + _first_groups(sizes[order[test:]], plan.validation_fraction, leave=1)
    return Split(rows[place_of_row >= end], rows[(place_of_row >= test) & (place_of_row < end)], test_rows, plan)


def _first_groups(sizes: IntArray, fraction: float, leave: int) -> int:
    """How many groups come nearest to a fraction of the rows, with ``leave`` groups left over."""
    cumulative = np.cumsum(sizes)[: len(sizes) - leave]
    return int(np.argmin(np.abs(cumulative - round(fraction * sizes.sum())))) + 1


def sizes(rows: int, plan: SplitPlan, train_size: int | None = None) -> tuple[int, int, int]:
    """Predicts the sizes of a split without the data.

    They are exact where each composition has one row; a published split is taken as 70:15:15, which holds
    for all sets of the catalog within 0.2% of their rows.

    Args:
        rows: Number of rows.
        plan: How they will be split.
        train_size: Number of training rows of a subset; None for all.

    Returns:
        Rows that are learnt from, those of validation included where the plan says so; rows for validation and test.

    Raises:
        ConfigurationError: There are not so many training rows.
    """
    train, validation, test = _whole_sizes(rows, plan)
    if train_size is not None:
        train, validation = train_size, _validation_rows(train_size, train, validation, plan)
    return train + (validation if plan.train_on_validation else 0), validation, test


def _whole_sizes(rows: int, plan: SplitPlan) -> tuple[int, int, int]:
    if plan.protocol == "published":
        validation, test = (round(fraction * rows) for fraction in _PUBLISHED_FRACTIONS)
        return rows - validation - test, validation, test
    if plan.validation_is_test:
        test = _clipped(rows * plan.test_fraction, rows - 1)
        return rows - test, test, test
    test = _clipped(rows * plan.test_fraction, rows - 2)
    validation = _clipped((rows - test) * plan.validation_fraction, rows - test - 1)
    return rows - test - validation, validation, test


def _validation_rows(train_size: int, train: int, validation: int, plan: SplitPlan) -> int:
    """Validation rows that go with a training subset: in proportion with ``holdout``, else all."""
    if not 1 <= train_size <= train:
        raise ConfigurationError(f"train_size: {train_size:,} asked, but the split has {train:,} training rows")
    if plan.protocol != "holdout":
        return validation
    return _clipped(train_size * plan.validation_fraction / (1 - plan.validation_fraction), validation)


def _clipped(count: float, most: int) -> int:
    return min(max(1, round(count)), most)
