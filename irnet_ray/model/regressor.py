"""The network as a regressor of scikit-learn: formulas, structures or numbers in, a property out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from irnet_ray.data.split import SplitPlan, split
from irnet_ray.errors import ConfigurationError
from irnet_ray.features.representation import canonical_name
from irnet_ray.formula import IntArray
from irnet_ray.model import saved
from irnet_ray.model.architecture import Shortcut
from irnet_ray.model.fit import fit
from irnet_ray.model.hardware import Hardware
from irnet_ray.model.materials import (
    Material,
    attributes,
    column_of_materials_among_others,
    compositions,
    is_column_of_materials,
    read_materials,
)
from irnet_ray.model.parameters import (
    InputError,
    ParameterError,
    Parameters,
    UnfittedError,
    check_parameters,
    scikit_learns_words,
)
from irnet_ray.model.recipe import Recipe
from irnet_ray.model.rows import AnyRows, Float32Array, Float64Array, Rows, Selection

_FEWEST_TRAINING_ROWS = 2  # of which batch norm can take a deviation
_SEEDS = 2**31 - 1


class IRNetRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A residual network of Jha et al., Sci. Rep. 11, 4244 (2021), or the average of several.

    Attributes are standardized inside, in single precision. Trainings use the threads that torch is set to, and
    touch none of its generators: the same ``random_state``, rows and number of threads give the same network.

    Args:
        representation: What formulas or structures become before the network sees them: ``composition``,
            ``fractions`` (of 86 elements: not He, Ne, Ar and the heaviest), ``structure`` or
            ``structure_matminer``, or several joined by ``+``. Numbers are taken as they are.
        depth: 10, 17, 24 or 48 layers, the output unit counted.
        shortcut: ``"none"`` (plain network), ``"stack"`` (SRNet) or ``"layer"`` (IRNet).
        width: Factor on the paper's number of units in every layer.
        architecture: In the authors' notation, such as ``"512BARx3-128BARx2-1"``, in place of ``depth``,
            ``shortcut`` and ``width``.
        recipe: How the network is trained: a name such as ``"fast"``, a mapping such as
            ``{"base": "fast", "batch_size": 32}``, which suits some hundred rows better, or a ``Recipe``.
        epochs: Of the training, in place of the recipe's.
        members: Number of networks whose predictions are averaged. Each is a whole training on the same rows from
            another seed and costs as much as the first, which is the network of ``members=1``.
        validation_fraction: Part of the rows that is not trained on, but chooses the best epoch; rows of one
            composition stay together. Not used where ``fit`` is given ``X_val``.
        random_state: Determines the validation rows and the seeds of the networks.
        device: A torch device, such as ``"cuda"``.

    Attributes:
        members_: The trained networks, list of ``irnet_ray.model.fit.Fitted``.
        seeds_: The seed of each.
        history_: One row for each epoch of each network, by ``member`` from 0 and ``epoch`` from 1; errors are
            in the unit of ``y``.
        best_epoch_: The epoch whose weights the network has, the last where the recipe keeps that one; a list where
            there are several members.
        n_iter_: Number of epochs; a list where there are several members.
        validation_rows_: Positions in ``X`` of the rows that were validated on; None where ``X_val`` was given.
        representation_: Canonical name of the representation; None where ``X`` was numbers.
        architecture_: ``irnet_ray.model.architecture.Architecture`` of the networks.
        recipe_: ``irnet_ray.model.recipe.Recipe`` by which they were trained.
        n_features_in_: Number of columns of ``X``, 1 for formulas and structures.
        feature_names_in_: Names of the columns, where ``X`` was a table of numbers with names.
    """

    def __init__(
        self,
        *,
        representation: str = "composition+fractions",
        depth: int = 17,
        shortcut: Shortcut = "layer",
        width: float = 0.25,
        architecture: str | None = None,
        recipe: str | Mapping[str, Any] | Recipe = "fast",
        epochs: int | None = None,
        members: int = 1,
        validation_fraction: float = 0.1,
        random_state: int | np.random.RandomState | None = 0,
        device: str = "cpu",
    ) -> None:
        self.representation = representation
        self.depth = depth
        self.shortcut = shortcut
        self.width = width
        self.architecture = architecture
        self.recipe = recipe
        self.epochs = epochs
        self.members = members
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.device = device

    def fit(self, X: Any, y: Any, *, X_val: Any = None, y_val: Any = None) -> Self:
        """Trains on most of the rows, and keeps the weights of the epoch that is best on the others.

        Args:
            X: ``n`` formulas or structures as in ``irnet_ray.features`` (a list, a column, a table of one column),
                or numbers of shape ``(n, attributes)``.
            y: The property, shape ``(n,)``.
            X_val: Rows that are validated on, such as those of a published split; all of ``X`` is trained on then.
            y_val: Their property.

        Raises:
            ParameterError: A parameter has a value that it cannot have.
            DataError: A row is no material, or the rows cannot be learnt from.
            TrainingError: The loss became infinite or not a number.
        """
        parameters = self._checked()
        split_seed, *seeds = self._draw_seeds(parameters.members)
        if (X_val is None) != (y_val is None):
            raise InputError("X_val and y_val belong together; give both, or neither")
        least = _FEWEST_TRAINING_ROWS + (X_val is None)
        inputs, target, materials = self._read(X, reset=True, least=least, y=y, y_numeric=True)
        rows = Rows(inputs, target)
        train: AnyRows
        validation: AnyRows
        held_out: IntArray | None = None
        if X_val is None:
            train, validation, held_out = self._split(rows, materials, split_seed)
        else:
            inputs, target, _ = self._read(X_val, reset=False, least=1, y=y_val, y_numeric=True)
            train, validation = rows, Rows(inputs, target)
        self.validation_rows_ = held_out
        self.architecture_, self.recipe_ = parameters.chosen_architecture(), parameters.chosen_recipe()
        self.seeds_, hardware = seeds, Hardware(parameters.device)
        self.members_ = [
            fit(self.architecture_, self.recipe_, train, validation, seed=seed, hardware=hardware) for seed in seeds
        ]
        return self._summarize()

    def predict(self, X: Any) -> Float64Array:
        """Predicts the property, the average over the members.

        Args:
            X: Rows of the kind that ``fit`` was given.

        Returns:
            Shape ``(n,)``.

        Raises:
            UnfittedError: ``fit`` was not called.
            DataError: A row is no material, or not of the kind that ``fit`` was given.
        """
        self._check_is_fitted()
        inputs, _, _ = self._read(X, reset=False, least=1)
        predictions: Float64Array = np.mean([member.predict(inputs) for member in self.members_], axis=0)
        return predictions

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes all that predicting needs into one file of plain values and tensors; ``load`` runs no code from it.

        A generator as ``random_state`` is not kept; the loaded regressor has None there.

        Args:
            path: A file that is there is replaced.

        Raises:
            UnfittedError: ``fit`` was not called.
            StorageError: The file cannot be written.
        """
        self._check_is_fitted()
        saved.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, device: str = "cpu") -> Self:
        """Reads what ``save`` wrote; the loaded regressor predicts the same, bit by bit, on the same processor.

        Args:
            path: The file.
            device: Where to predict, whatever it was trained on.

        Raises:
            DataError: The file is truncated, altered or something else, or holds a network for attributes that
                this version computes in another way.
            StorageError: The file cannot be read.
        """
        regressor: Self = saved.load(cls, path, device)
        return regressor._summarize()

    def _checked(self) -> Parameters:
        """Checks all parameters but ``random_state``."""
        return check_parameters(self.get_params(deep=False), type(self).__name__)

    def _draw_seeds(self, members: int) -> list[int]:
        """A seed of the split, and one for each member; those of fewer members are among those of more."""
        try:
            generator = check_random_state(self.random_state)
        except ValueError as error:
            raise ParameterError(f"random_state: {error}; give None, an int or a RandomState") from error
        return [int(seed) for seed in generator.randint(_SEEDS, size=1 + members)]

    def _read(
        self, X: Any, *, reset: bool, least: int, **target: Any
    ) -> tuple[Float32Array, Float64Array, list[Material] | None]:
        """Turns what the user gave into arrays.

        Args:
            X: Materials or numbers.
            reset: Whether these are the rows that decide what is taken from now on.
            least: Number of rows that are needed.
            **target: ``y`` and how scikit-learn is to check it; nothing where there is none.

        Returns:
            Attributes, the property (empty where there is none), and the materials (None where ``X`` is numbers).
        """
        X = list(X) if isinstance(X, Iterator) else X  # it is looked at more than once
        is_column = is_column_of_materials(X)
        if reset:
            self.representation_ = canonical_name(self.representation) if is_column else None
        elif is_column != (self.representation_ is not None):
            given = "numbers" if self.representation_ is None else "a column of formulas or structures"
            raise InputError(f"X: fit was given {given}; give the same here")
        if not is_column:
            _refuse_mixture(X)
            return *self._validated(X, reset, least, target), None
        representation = str(self.representation_)
        materials = read_materials(X, representation)
        stand_in = np.arange(len(materials))[:, None]  # a column that scikit-learn can look at
        _, y = self._validated(stand_in, reset, least, target)
        return attributes(materials, representation), y, materials

    def _validated(self, X: Any, reset: bool, least: int, target: dict[str, Any]) -> tuple[Float32Array, Float64Array]:
        with scikit_learns_words():
            checked = validate_data(self, X, reset=reset, dtype=np.float32, ensure_min_samples=least, **target)
        inputs, y = checked if target else (checked, ())
        try:
            return inputs, np.asarray(y, dtype=np.float64)
        except ValueError as error:
            raise InputError(f"y: {error}; give numbers") from error

    def _split(self, rows: Rows, materials: list[Material] | None, seed: int) -> tuple[Selection, Selection, IntArray]:
        """Cuts the validation rows off; a single cut is what the protocol ``paper`` makes."""
        groups = [str(row) for row in range(len(rows))] if materials is None else compositions(materials)
        try:
            parts = split(groups, SplitPlan(protocol="paper", test_fraction=self.validation_fraction, seed=seed))
        except ConfigurationError as error:
            raise InputError(f"X: {error}, or give X_val") from error
        if len(parts.train) < _FEWEST_TRAINING_ROWS:
            left = f"{self.validation_fraction} of {len(rows)} rows leaves {len(parts.train)} to train on"
            raise InputError(f"validation_fraction: {left}; lower it, or give more rows")
        return rows.select(parts.train), rows.select(parts.validation), parts.validation

    def _summarize(self) -> Self:
        """Sets the attributes that follow from the trained networks."""
        self.history_ = pd.DataFrame(
            [
                {"member": number, **asdict(epoch)}
                for number, member in enumerate(self.members_)
                for epoch in member.history
            ]
        )
        self.best_epoch_ = _one_or_list([member.best_epoch for member in self.members_])
        self.n_iter_ = _one_or_list([len(member.history) for member in self.members_])
        return self

    def _check_is_fitted(self) -> None:
        try:
            check_is_fitted(self, "members_")
        except NotFittedError as error:
            raise UnfittedError(str(error)) from error


def _refuse_mixture(X: Any) -> None:
    name = column_of_materials_among_others(X)
    if name is not None:
        raise InputError(f"X: column '{name}' holds formulas or structures among others; give it alone, or numbers")


def _one_or_list(values: list[int]) -> int | list[int]:
    return values[0] if len(values) == 1 else values
