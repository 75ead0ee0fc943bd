"""Blocks of classical learning in a study: one for each algorithm, made from its settings, one for the paper's ten."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import create_model, model_validator
from pydantic.fields import FieldInfo

from irnet_ray.config import Axis, Config
from irnet_ray.model.baselines import BASELINES, THE_TEN, AnyBaseline, Baseline
from irnet_ray.study.space import Seed


class BaselineBlock(Config):
    """An algorithm; each of its settings may be a list.

    With ``tuned: true`` settings that are not named take the values of the algorithm's own grid, rather than its
    default; the block keeps the values.

    Attributes:
        seeds: In place of the study's; what is not random has one trial however many there are.
    """

    kind: str
    seeds: Axis[Seed] | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill_from_grid(cls, given: Any) -> Any:
        """Puts the grid's values where nothing is named."""
        if not isinstance(given, Mapping) or "tuned" not in given:
            return given
        tuned = given["tuned"]
        if not isinstance(tuned, bool):
            raise ValueError(f"tuned: true or false, not {tuned!r}")
        grid = BASELINES[str(given["kind"])].grid if tuned else {}
        return {**grid, **{name: value for name, value in given.items() if name != "tuned"}}

    def models(self) -> Iterator[AnyBaseline]:
        """Lists every combination of settings."""
        algorithm = BASELINES[self.kind]
        axes = {name: getattr(self, name) for name in algorithm.model_fields if name != "kind"}
        for values in itertools.product(*axes.values()):
            yield algorithm(**dict(zip(axes, values, strict=True)))  # type: ignore[misc]


class TheTenBlock(Config):
    """The paper's ten algorithms, each over its own grid.

    Attributes:
        seeds: In place of the study's; what is not random has one trial however many there are.
    """

    kind: Literal["the_ten"]
    seeds: Axis[Seed] | None = None

    def models(self) -> Iterator[AnyBaseline]:
        """Lists every combination of settings of every algorithm."""
        for algorithm in THE_TEN:
            block = BLOCKS[algorithm.name()].model_validate({"kind": algorithm.name(), "tuned": True})
            yield from block.models()


def _block_of(algorithm: type[Baseline]) -> type[BaselineBlock]:
    """A block whose fields are the algorithm's settings, each an axis."""
    fields: dict[str, Any] = {
        name: (Axis[_checked(field)], (field.default,))  # type: ignore[misc]
        for name, field in algorithm.model_fields.items()
        if name != "kind"
    }
    fields["kind"] = (Literal[algorithm.name()], ...)
    return create_model(f"{algorithm.__name__}Block", __base__=BaselineBlock, **fields)


def _checked(field: FieldInfo) -> Any:
    """A field's type with its bounds."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


BLOCKS = {name: _block_of(algorithm) for name, algorithm in BASELINES.items()}
"""The blocks by the kinds that studies name."""
