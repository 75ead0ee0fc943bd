"""What can be asked of ``IRNetRegressor``, and the mistakes that scikit-learn wants to be errors of its own kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import Field
from sklearn.exceptions import NotFittedError

from irnet_ray.config import Config, validate
from irnet_ray.errors import ConfigurationError, DataError, UserError
from irnet_ray.features.representation import canonical_name
from irnet_ray.model.architecture import Architecture, Shortcut
from irnet_ray.model.recipe import Recipe


class ParameterError(ConfigurationError, ValueError):
    """A parameter with a value that it cannot have."""


class InputError(DataError, ValueError, TypeError):
    """Rows that cannot be learnt from, or not predicted."""


class UnfittedError(UserError, NotFittedError):  # type: ignore[misc]  # scikit-learn has no types
    """A regressor that is asked before it has learnt."""


class Parameters(Config):
    """The parameters of the regressor, checked; see there."""

    representation: str
    depth: int
    shortcut: Shortcut
    width: float = Field(gt=0)
    architecture: str | None
    recipe: Recipe
    epochs: int | None = Field(ge=1)
    members: int = Field(ge=1)
    validation_fraction: float = Field(gt=0, lt=1)
    device: str

    def chosen_architecture(self) -> Architecture:
        """``architecture``, or what ``depth``, ``shortcut`` and ``width`` mean."""
        if self.architecture is not None:
            return Architecture.parse(self.architecture)
        return Architecture.of(self.depth, self.shortcut, self.width)

    def chosen_recipe(self) -> Recipe:
        """``recipe``, with the number of epochs from ``epochs`` where that is given."""
        return self.recipe if self.epochs is None else self.recipe.model_copy(update={"epochs": self.epochs})


def check_parameters(given: Mapping[str, Any], where: str) -> Parameters:
    """Checks parameters by themselves and on this machine.

    Args:
        given: By name; ``random_state`` is not looked at.
        where: Whose they are, to begin the message with.

    Raises:
        ParameterError: Names the first one that is wrong and the repair.
    """
    try:
        parameters = validate(Parameters, {name: given[name] for name in given if name != "random_state"}, where)
        parameters.chosen_architecture()
        canonical_name(parameters.representation)
    except ConfigurationError as error:
        raise ParameterError(str(error)) from error
    _check_device(parameters.device)
    return parameters


def _check_device(device: str) -> None:
    import torch

    try:
        torch.zeros(1, dtype=torch.float64, device=device).item()  # errors are added up in double precision
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ParameterError(
            f"device: torch cannot use '{device}' here; choose 'cpu', or a GPU that it sees"
        ) from error


@contextmanager
def scikit_learns_words() -> Iterator[None]:
    """Keeps what scikit-learn says of wrong rows, which its users know and its checks want, as a user's mistake."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise InputError(str(error)) from error
