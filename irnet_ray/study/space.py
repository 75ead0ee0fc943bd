"""What a search may set in a study and how it is distributed, and when poor trials end early."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from irnet_ray.config import Config
from irnet_ray.errors import suggestion

Values = dict[str, Any]
"""Values of a study by their dotted keys, such as ``models.networks.recipe.learning_rate``."""

Seed = Annotated[int, Field(ge=0, lt=2**31, strict=True)]

_DATA_KEYS = ("data.representation", "data.train_size")
_KINDS = ("choice", "uniform", "log_uniform", "int", "log_int")


class Distribution(Config):
    """How a value is distributed; a study writes ``{choice: [a, b]}`` or ``{log_uniform: [1.0e-4, 1.0e-2]}``.

    Attributes:
        kind: ``choice``, ``uniform``, ``log_uniform``, ``int`` or ``log_int``.
        values: The choices, or the lowest and the highest value, both included.
    """

    kind: Literal["choice", "uniform", "log_uniform", "int", "log_int"]
    values: tuple[Any, ...]

    @model_validator(mode="before")
    @classmethod
    def _from_its_one_key(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or len(given) != 1:
            raise ValueError("write one distribution, such as {choice: [a, b]} or {uniform: [low, high]}")
        ((kind, values),) = given.items()
        if kind not in _KINDS:
            raise ValueError(f"unknown distribution '{kind}'{suggestion(str(kind), _KINDS)}")
        if not isinstance(values, list | tuple) or not values:
            raise ValueError(f"'{kind}' takes a list, such as {{choice: [a, b]}} or {{uniform: [low, high]}}")
        return {"kind": kind, "values": _choices(values) if kind == "choice" else _bounds(kind, values)}

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written = handler(self)
        return {self.kind: list(written["values"])}

    @property
    def is_finite(self) -> bool:
        """Whether the values can be counted."""
        return self.kind not in ("uniform", "log_uniform")

    @property
    def size(self) -> float:
        """Number of different values."""
        if not self.is_finite:
            return math.inf
        return len(self.values) if self.kind == "choice" else self.values[1] - self.values[0] + 1

    @property
    def typical(self) -> Any:
        """The first choice, or a value between the lowest and the highest."""
        if self.kind == "choice":
            return self.values[0]
        low, high = self.values
        return (low + high) // 2 if self.is_finite else low + 0.381966 * (high - low)

    def probes(self) -> tuple[Any, ...]:
        """Values that a field must accept if it is to accept all: every choice, or both ends and one between."""
        if self.kind == "choice":
            return self.values
        low, high = self.values
        return (low, high, self.typical)

    def contains(self, value: Any) -> bool:
        """Whether a value can come of it."""
        if self.kind == "choice":
            return value in self.values
        return isinstance(value, int | float) and self.values[0] <= value <= self.values[1]

    def tidy(self, value: Any) -> Any:
        """A value as it is tried: a number with four significant digits, within the bounds."""
        if self.is_finite:
            return value
        low, high = self.values
        return min(high, max(low, float(f"{value:.4g}")))

    def draw(self, generator: np.random.Generator) -> Any:
        """Draws a value."""
        if self.kind == "choice":
            return self.values[generator.integers(len(self.values))]
        low, high = self.values
        match self.kind:
            case "uniform":
                return self.tidy(generator.uniform(low, high))
            case "log_uniform":
                return self.tidy(math.exp(generator.uniform(math.log(low), math.log(high))))
            case "int":
                return int(generator.integers(low, high + 1))
        drawn = round(math.exp(generator.uniform(math.log(low - 0.5), math.log(high + 0.5))))
        return min(high, max(low, drawn))


def _choices(values: list[Any] | tuple[Any, ...]) -> tuple[Any, ...]:
    if any(value in values[:position] for position, value in enumerate(values)):
        raise ValueError("a choice stands twice; name each once")
    return tuple(values)


def _bounds(kind: str, values: list[Any] | tuple[Any, ...]) -> tuple[Any, ...]:
    try:
        low, high = (_number(value, whole=kind.endswith("int")) for value in values)
    except (TypeError, ValueError) as error:
        numbers = "whole numbers" if kind.endswith("int") else "numbers"
        raise ValueError(f"'{kind}' takes the lowest and the highest value, two {numbers}") from error
    if not low < high:
        raise ValueError(f"'{kind}' takes the lowest value first, and a higher one after it")
    if kind.startswith("log") and low <= 0:
        raise ValueError(f"'{kind}' takes positive values only; raise the lowest, or use {kind.removeprefix('log_')}")
    return low, high


def _number(value: Any, *, whole: bool) -> float:
    """Reads a number; YAML takes ``1e-4`` for a text."""
    number = float(value)
    if isinstance(value, bool) or not math.isfinite(number) or (whole and not number.is_integer()):
        raise ValueError(value)
    return int(number) if whole else number


class Search(Config):
    """A search for the values with the lowest validation MAE.

    Attributes:
        algorithm: ``optuna`` (tree-structured Parzen estimator) or ``random``.
        samples: Number of trials, those of earlier runs included.
        seed: Of what is drawn.
        space: Distributions by the dotted keys of the study that they set.
    """

    algorithm: Literal["optuna", "random"]
    samples: int = Field(ge=1)
    seed: Seed = 0
    space: dict[str, Distribution] = Field(min_length=1)

    @field_validator("space")
    @classmethod
    def _searchable(cls, space: dict[str, Distribution]) -> dict[str, Distribution]:
        for key, distribution in space.items():
            _check_key(key, distribution, space)
        return space

    @model_validator(mode="after")
    def _enough_points(self) -> Search:
        size = math.prod(distribution.size for distribution in self.space.values())
        if self.samples > size:
            raise ValueError(f"samples: the space has only {size:.0f} points; ask for no more, or widen it")
        return self

    @property
    def data_choices(self) -> dict[str, tuple[Any, ...]]:
        """The choices of the keys that decide which rows and attributes are needed."""
        return {key: each.values for key, each in self.space.items() if key.startswith("data.")}

    @property
    def typical(self) -> Values:
        """One sample."""
        return {key: distribution.typical for key, distribution in self.space.items()}


def _check_key(key: str, distribution: Distribution, space: Mapping[str, Distribution]) -> None:
    """Refuses what cannot be searched."""
    root, _, rest = key.partition(".")
    if root == "data" and key not in _DATA_KEYS:
        raise ValueError(
            f"'{key}' cannot be searched, for errors would not compare; of data only {_listed(_DATA_KEYS)}"
        )
    if root not in ("data", "models") or not rest:
        raise ValueError(f"'{key}' cannot be searched; search keys of models, or {_listed(_DATA_KEYS)}")
    if root == "data" and distribution.kind != "choice":
        raise ValueError(f"'{key}' must be a choice, because its data is prepared ahead; write {{choice: [a, b]}}")
    if key.endswith(".recipe.base"):
        raise ValueError(f"search '{key.removesuffix('.base')}' instead, such as {{choice: [paper, fast]}}")
    if inner := [other for other in space if other.startswith(f"{key}.")]:
        raise ValueError(f"'{key}' holds '{inner[0]}'; search one of the two")


def _listed(names: tuple[str, ...]) -> str:
    return " or ".join(names)


class EarlyStopping(Config):
    """Ends poor trials before their time.

    Attributes:
        algorithm: ``asha`` (Li et al., 2020): at certain epochs, the rungs, only the better part goes on.
        grace_epochs: The first rung.
        reduction_factor: One in so many goes on from rung to rung, and each rung is so many times as late as the last.
    """

    algorithm: Literal["asha"]
    grace_epochs: int = Field(default=5, ge=1)
    reduction_factor: int = Field(default=3, ge=2)

    def rungs(self, epochs: int) -> frozenset[int]:
        """The epochs after which a trial of so many may end; its last is none of them."""
        rungs, rung = set(), self.grace_epochs
        while rung < epochs:
            rungs.add(rung)
            rung *= self.reduction_factor
        return frozenset(rungs)


def set_values(content: dict[str, Any], values: Values) -> None:
    """Sets values in a study's resolved content, in place.

    Raises:
        ValueError: A key names something that the study does not have, or that it has several of.
    """
    for key, value in values.items():
        *path, last = key.split(".")
        block: Any = content
        for part in path:
            if isinstance(block, dict) and part not in block:
                raise ValueError(f"search.space: '{key}': there is no '{part}'{suggestion(part, block)}")
            block = block[part] if isinstance(block, dict) else None
            if isinstance(block, list) and len(block) == 1:
                (block,) = block
        if not isinstance(block, dict):
            several = (
                f"'{path[-1]}' has several values; name one" if isinstance(block, list) else "there is no such key"
            )
            raise ValueError(f"search.space: '{key}': {several}")
        block[last] = value


def fill_missing(content: Mapping[str, Any], values: Values) -> dict[str, Any]:
    """Gives a study that is to be searched the keys that it leaves to the search, as far as it has their blocks."""
    filled = dict(content)
    for key, value in values.items():
        *path, last = key.split(".")
        block: Any = filled
        for part in path:
            if not isinstance(block, dict) or not isinstance(block.get(part), Mapping):
                block = None
                break
            block[part] = dict(block[part])
            block = block[part]
        if isinstance(block, dict):
            block.setdefault(last, value)
    return filled
