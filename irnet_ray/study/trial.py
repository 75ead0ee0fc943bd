"""A trial: one point of a study's grid, and its identity."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from irnet_ray.config import Config
from irnet_ray.data.load import OwnTable
from irnet_ray.data.split import SplitPlan
from irnet_ray.features import representation
from irnet_ray.model.architecture import Architecture
from irnet_ray.model.baselines import AnyBaseline, Baseline
from irnet_ray.model.recipe import Recipe

_ID_LENGTH = 12


class NetworkModel(Config):
    """A network and how it is trained.

    Attributes:
        architecture: In the authors' notation; depth and placement of the shortcuts follow from it.
        width: The multiplier that made the widths, for tables only.
        recipe: How it is trained.
    """

    is_random: ClassVar[bool] = True

    kind: Literal["network"] = "network"
    architecture: str
    width: float
    recipe: Recipe


AnyModel = Annotated[NetworkModel | AnyBaseline, Field(discriminator="kind")]
"""What a trial trains."""


class Matrix(Config):
    """The feature matrix and property that a trial learns from; trials with the same one share it in memory.

    Attributes:
        dataset: Name in the catalog, or of a table of one's own.
        own_table: The table of one's own.
        property: What is predicted.
        representation: What it is predicted from.
    """

    dataset: str
    own_table: OwnTable | None = None
    property: str
    representation: str

    def canonical(self) -> str:
        """The one spelling that identifies the matrix; where a table of one's own lies does not matter."""
        return canonical_json(self.model_dump(mode="json", exclude={"own_table": {"path"}}))


class Trial(Config):
    """One point of the grid.

    Attributes:
        matrix: What is learnt from.
        split: How rows are divided.
        train_size: Number of training rows; ``None`` takes all.
        seed: Of the model.
        model: What is trained.
    """

    matrix: Matrix
    split: SplitPlan
    train_size: int | None
    seed: int
    model: AnyModel

    @property
    def id(self) -> str:
        """Hash of the canonical configuration: twelve hexadecimal digits."""
        configuration = self.model_dump(mode="json", exclude={"matrix": True, "model": {"width"}})
        text = canonical_json({**configuration, "matrix": self.matrix.canonical()})
        return hashlib.sha256(text.encode()).hexdigest()[:_ID_LENGTH]

    @property
    def architecture(self) -> Architecture | None:
        """The network's architecture; ``None`` for classical learning."""
        return Architecture.parse(self.model.architecture) if isinstance(self.model, NetworkModel) else None

    @property
    def model_name(self) -> str:
        """``plain``, ``srnet``, ``irnet``, or the name of a baseline."""
        return self.architecture.model_name if self.architecture else self.model.kind

    @property
    def label(self) -> str:
        """A short name for people, such as ``irnet-48``; other axes of the grid are not in it."""
        return f"{self.model_name}-{self.architecture.depth}" if self.architecture else self.model_name

    def count_parameters(self) -> int | None:
        """Number of trainable parameters; ``None`` for classical learning."""
        inputs = len(representation.labels(self.matrix.representation))
        return self.architecture.count_parameters(inputs) if self.architecture else None

    def describe(self) -> dict[str, Any]:
        """The trial as one flat row: what tables, ``plan`` and ``results.csv`` show of it."""
        network = self.model if isinstance(self.model, NetworkModel) else None
        architecture = self.architecture
        return {
            "trial_id": self.id,
            "dataset": self.matrix.dataset,
            "property": self.matrix.property,
            "representation": self.matrix.representation,
            "model": self.model_name,
            "depth": architecture.depth if architecture else None,
            "shortcut": architecture.shortcut if architecture else None,
            "width": network.width if network else None,
            "train_size": self.train_size,
            "seed": self.seed,
            "recipe": network.recipe.label if network else None,
            "settings": self.model.label or None if isinstance(self.model, Baseline) else None,
            "n_parameters": self.count_parameters(),
        }


def canonical_json(value: Any) -> str:
    """The one spelling of a configuration in JSON, to be hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
