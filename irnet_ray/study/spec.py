"""A study: a file that declares a grid of trials, with profiles that scale it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from irnet_ray.config import Axis, Config
from irnet_ray.data.catalog import card
from irnet_ray.data.load import OwnTable
from irnet_ray.data.split import SplitPlan
from irnet_ray.errors import ConfigurationError, suggestion
from irnet_ray.features.representation import canonical_name, needs_structures
from irnet_ray.model.architecture import STACKS, Architecture, Shortcut
from irnet_ray.model.baselines import ForestSettings
from irnet_ray.model.recipe import Recipe
from irnet_ray.study.trial import ForestModel, Matrix, NetworkModel, Trial


def _known_depth(depth: Any) -> Any:
    if not isinstance(depth, int) or depth not in STACKS:
        raise ValueError(f"no architecture of {depth} layers; choose from {', '.join(map(str, STACKS))}")
    return depth


def _known_representation(name: Any) -> Any:
    try:
        return canonical_name(name) if isinstance(name, str) else name
    except ConfigurationError as error:
        raise ValueError(str(error)) from error


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]  # part of a path
Depth = Annotated[int, Field(strict=True), BeforeValidator(_known_depth)]
Representation = Annotated[str, BeforeValidator(_known_representation)]
TrainSize = Annotated[int, Field(ge=10, strict=True)] | Literal["all"]
Seed = Annotated[int, Field(ge=0, lt=2**31, strict=True)]


class DataBlock(Config):
    """What is predicted from what; each key but a table of one's own may be a list.

    Attributes:
        dataset: Names in the catalog, or one table of one's own.
        property: Names of properties.
        representation: Names of representations.
        train_size: Numbers of training rows; ``all`` takes every one.
    """

    dataset: OwnTable | Axis[str]
    property: Axis[str]
    representation: Axis[Representation] = ("composition",)
    train_size: Axis[TrainSize] = ("all",)

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
    """

    kind: Literal["network"] = "network"
    depth: Axis[Depth] | None = None
    shortcut: Axis[Shortcut] | None = None
    width: Axis[Annotated[float, Field(gt=0, le=16)]] = (1.0,)
    architecture: Axis[str] | None = None
    recipe: Axis[Recipe]

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


class ForestBlock(ForestSettings):
    """A random forest."""

    kind: Literal["random_forest"]

    def models(self) -> Iterator[ForestModel]:
        """Lists the one forest of the block."""
        yield ForestModel(settings=ForestSettings(**self.model_dump(exclude={"kind"})))


ModelBlock = NetworkBlock | ForestBlock
_KINDS = ("network", "random_forest")


def _with_kind(block: Any) -> Any:
    """A block that does not name its kind is one of networks."""
    if not isinstance(block, Mapping):
        return block
    kind = block.get("kind", "network")
    if kind not in _KINDS:
        raise ValueError(f"unknown kind '{kind}'{suggestion(str(kind), _KINDS)}")
    return {"kind": kind, **block}


class Trainer(Config):
    """What a trial is given to run on.

    Attributes:
        workers: Processes that train one network together; classical learning takes one.
        cpus_per_worker: Processor cores, and threads, of each.
        gpus_per_worker: 0, or 1 to train on GPUs.
        synchronized_batch_norm: Whether batch norm takes its statistics over the batches of all workers.
        bfloat16: Whether matrix products are computed in it, for GPUs and processors that have it in hardware (such
            as AVX512-BF16); weights stay in float32.
        compiled: Whether torch compiles the network into CUDA graphs, on GPUs.
        restarts: How often a trial whose process died goes on from its checkpoint before it counts as failed.
    """

    workers: int = Field(default=1, ge=1, le=128)
    cpus_per_worker: int = Field(default=1, ge=1)
    gpus_per_worker: int = Field(default=0, ge=0, le=1)
    synchronized_batch_norm: bool = False
    bfloat16: bool = False
    compiled: bool = False
    restarts: int = Field(default=2, ge=0)

    @model_validator(mode="after")
    def _gpus_for_what_needs_them(self) -> Trainer:
        if self.compiled and not self.gpus_per_worker:
            raise ValueError("'compiled' is for GPUs; set gpus_per_worker to 1, or leave it out")
        return self

    @property
    def cpus(self) -> int:
        """Cores of a trial."""
        return self.workers * self.cpus_per_worker

    @property
    def gpus(self) -> int:
        """GPUs of a trial."""
        return self.workers * self.gpus_per_worker


class Study(Config):
    """A grid of trials: every data block with every model with every seed.

    Attributes:
        name: Names the run directory.
        description: For people.
        profile: The profile that was applied, if any.
        data: What is predicted from what.
        split: How rows are divided.
        models: Blocks of models by names of one's own.
        seeds: Of the models.
        trainer: What each trial runs on.
        skip_bad_rows: Whether rows with unreadable formulas are dropped, rather than refused.
    """

    name: Name
    description: str = ""
    profile: Name | None = None
    data: Axis[DataBlock]
    split: SplitPlan = SplitPlan()
    models: dict[str, Annotated[ModelBlock, Field(discriminator="kind"), BeforeValidator(_with_kind)]] = Field(
        min_length=1
    )
    seeds: Axis[Seed] = (0,)
    trainer: Trainer = Trainer()
    skip_bad_rows: bool = False

    @property
    def run_name(self) -> str:
        """Name of the run directory: the study's, and the profile's where one was asked for."""
        return f"{self.name}-{self.profile}" if self.profile else self.name

    def trials(self) -> list[Trial]:
        """Expands the grid, each trial once, in the order in which the study lists the axes."""
        models = [model for block in self.models.values() for model in block.models()]
        trials = [
            Trial(
                matrix=matrix,
                split=self.split,
                train_size=None if train_size == "all" else train_size,
                seed=seed,
                model=model,
            )
            for block in self.data
            for matrix in block.matrices()
            for train_size in block.train_size
            for model in models
            for seed in self.seeds
        ]
        return list({trial.id: trial for trial in trials}.values())
