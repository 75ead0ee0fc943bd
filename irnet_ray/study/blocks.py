"""The blocks of a study: what is learnt from what, and by which models."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from irnet_ray.config import Axis, Config
from irnet_ray.data.catalog import card
from irnet_ray.data.load import OwnTable
from irnet_ray.errors import ConfigurationError, suggestion
from irnet_ray.features.representation import canonical_name, needs_structures
from irnet_ray.model.architecture import STACKS, Architecture, Shortcut
from irnet_ray.model.recipe import Recipe
from irnet_ray.study.baseline_blocks import BLOCKS, BaselineBlock, TheTenBlock
from irnet_ray.study.space import Seed
from irnet_ray.study.trial import Matrix, NetworkModel


def _known_depth(depth: Any) -> Any:
    if not isinstance(depth, int) or depth not in STACKS:
        raise ValueError(f"no architecture of {depth} layers; choose from {', '.join(map(str, STACKS))}")
    return depth


def _known_representation(name: Any) -> Any:
    try:
        return canonical_name(name) if isinstance(name, str) else name
    except ConfigurationError as error:
        raise ValueError(str(error)) from error


Depth = Annotated[int, Field(strict=True), BeforeValidator(_known_depth)]
Representation = Annotated[str, BeforeValidator(_known_representation)]
TrainSize = Annotated[int, Field(ge=10, strict=True)] | Literal["all"]


class DataBlock(Config):
    """What is predicted from what; each key but a table of one's own may be a list.

    Attributes:
        dataset: Names in the catalog, or one table of one's own.
        property: Names of properties.
        representation: Names of representations.
        train_size: Numbers of training rows; ``all`` takes every one.
        models: Names of the blocks of models that learn from it; all if not given.
    """

    dataset: OwnTable | Axis[str]
    property: Axis[str]
    representation: Axis[Representation] = ("composition",)
    train_size: Axis[TrainSize] = ("all",)
    models: Axis[str] | None = None

    @model_validator(mode="after")
    def _properties_exist(self) -> DataBlock:
        for dataset in () if isinstance(self.dataset, OwnTable) else self.dataset:
            try:
                known = card(dataset).properties
            except ConfigurationError as error:
                raise ValueError(str(error)) from error
            for name in self.property:
                if name not in known:
                    raise ValueError(f"dataset '{dataset}' has no property '{name}'{suggestion(name, known)}")
        if isinstance(self.dataset, OwnTable):
            for name in self.property:
                if name not in self.dataset.properties:
                    choices = suggestion(name, self.dataset.properties)
                    raise ValueError(f"the table's 'properties' do not name '{name}'{choices}")
        return self

    @model_validator(mode="after")
    def _structures_exist(self) -> DataBlock:
        if isinstance(self.dataset, OwnTable):
            without = [] if self.dataset.structure else [self.dataset.title]
        else:
            without = [name for name in self.dataset if not card(name).has_structures]
        for representation in self.representation:
            if without and needs_structures(representation):
                raise ValueError(f"'{without[0]}' has no structures, which '{representation}' needs; choose another")
        return self

    def matrices(self) -> Iterator[Matrix]:
        """Lists the feature matrices of the block."""
        own_table = self.dataset if isinstance(self.dataset, OwnTable) else None
        names = (own_table.title,) if own_table else self.dataset
        for dataset, name, representation in itertools.product(names, self.property, self.representation):
            yield Matrix(
                dataset=str(dataset),
                own_table=own_table,
                property=name,
                representation=representation,
            )


class NetworkBlock(Config):
    """Networks; each key may be a list.

    Attributes:
        depth: 10, 17, 24 or 48 layers.
        shortcut: Placement of the shortcuts.
        width: Factor on the number of units of every layer.
        architecture: In the authors' notation, in place of depth, shortcut and width.
        recipe: A recipe's name, or what differs from one: ``{base: fast, epochs: 20}``.
        seeds: Of these networks, in place of the study's.
    """

    kind: Literal["network"] = "network"
    depth: Axis[Depth] | None = None
    shortcut: Axis[Shortcut] | None = None
    width: Axis[Annotated[float, Field(gt=0, le=16)]] = (1.0,)
    architecture: Axis[str] | None = None
    recipe: Axis[Recipe]
    seeds: Axis[Seed] | None = None

    @field_validator("architecture")
    @classmethod
    def _readable(cls, architectures: tuple[str, ...] | None) -> tuple[str, ...] | None:
        try:
            return tuple(str(Architecture.parse(text)) for text in architectures) if architectures else None
        except ConfigurationError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> NetworkBlock:
        if (self.architecture is None) == (self.depth is None or self.shortcut is None):
            raise ValueError("give either 'depth' and 'shortcut', or 'architecture'")
        return self

    def models(self) -> Iterator[NetworkModel]:
        """Lists the networks of the block."""
        for architecture, width in self._architectures():
            for recipe in self.recipe:
                yield NetworkModel(architecture=architecture, width=width, recipe=recipe)

    def _architectures(self) -> Iterator[tuple[str, float]]:
        if self.architecture is not None:
            yield from ((text, 1.0) for text in self.architecture)
        for depth, shortcut, width in itertools.product(self.depth or (), self.shortcut or (), self.width):
            yield str(Architecture.of(depth, shortcut, width)), width


if TYPE_CHECKING:
    ModelBlock = NetworkBlock | TheTenBlock | BaselineBlock
else:  # a member for each algorithm, as each has other keys
    ModelBlock = functools.reduce(operator.or_, [NetworkBlock, TheTenBlock, *BLOCKS.values()])

_KINDS = ("network", "the_ten", *BLOCKS)


def with_kind(block: Any) -> Any:
    """A block that does not name its kind is one of networks."""
    if not isinstance(block, Mapping):
        return block
    kind = block.get("kind", "network")
    if kind not in _KINDS:
        raise ValueError(f"unknown kind '{kind}'{suggestion(str(kind), _KINDS)}")
    return {"kind": kind, **block}
