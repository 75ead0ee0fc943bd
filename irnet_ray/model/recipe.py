"""Recipes: how a network is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from irnet_ray.config import Config
from irnet_ray.errors import suggestion


class Recipe(Config):
    """How a network is trained.

    Attributes:
        base: The recipe that gives every value that is not set here.
        optimizer: Adam, or AdamW where weight decay is wanted.
        learning_rate: Of the constant schedule, or the peak of the one-cycle schedule.
        schedule: ``"constant"``, or ``"one_cycle"`` (Smith and Topin, 2019) over all epochs.
        batch_size: Rows a step, over all workers together.
        loss: ``"mae"`` or ``"mse"``.
        epochs: Upper bound on the passes over the training rows.
        keep: The weights that count: those of the ``"best"`` epoch by the validation MAE, or of the ``"last"``.
        patience: Epochs without a lower validation MAE after which training stops; ``None`` never stops it.
        weight_decay: Decoupled with ``adamw``.
        batch_norm_momentum: Weight of the newest batch in the running statistics.
        batch_norm_epsilon: Added to the variance in batch norm.
        standardize_target: Whether the network learns the property in standard deviations from its mean
            over the training rows; errors are in the property's unit in either case.
    """

    base: Literal["paper", "fast", "best"]
    optimizer: Literal["adam", "adamw"]
    learning_rate: float = Field(gt=0)
    schedule: Literal["constant", "one_cycle"]
    batch_size: int = Field(ge=2)
    loss: Literal["mae", "mse"]
    epochs: int = Field(ge=1)
    keep: Literal["best", "last"]
    patience: int | None = Field(ge=1)
    weight_decay: float = Field(ge=0)
    batch_norm_momentum: float = Field(gt=0, le=1)
    batch_norm_epsilon: float = Field(gt=0)
    standardize_target: bool

    @model_validator(mode="before")
    @classmethod
    def _fill_from_base(cls, given: Any) -> Any:
        """Lets a study write ``fast``, or ``{base: fast, epochs: 20}``."""
        if isinstance(given, str):
            given = {"base": given}
        if not isinstance(given, Mapping):
            return given
        base = given.get("base", "fast")
        if not isinstance(base, str) or base not in RECIPES:
            raise ValueError(f"unknown recipe '{base}'{suggestion(str(base), RECIPES)}")
        return {**RECIPES[base], "base": base, **given}

    @model_validator(mode="after")
    def _nothing_to_wait_for(self) -> Recipe:
        if self.keep == "last" and self.patience is not None:
            raise ValueError("'patience' waits for a better epoch, but 'keep' is last; set one of them otherwise")
        return self

    @property
    def label(self) -> str:
        """The base's name, and what differs from it: ``"fast(epochs=20)"``."""
        given = self.model_dump()
        changes = [f"{key}={given[key]}" for key, value in RECIPES[self.base].items() if given[key] != value]
        return f"{self.base}({', '.join(changes)})" if changes else self.base


RECIPES: dict[str, dict[str, Any]] = {
    # Methods of Jha et al. (2021) and their released code; batch norm decay 0.999 is a momentum of 0.001.
    "paper": {
        "optimizer": "adam",
        "learning_rate": 1e-4,
        "schedule": "constant",
        "batch_size": 32,
        "loss": "mae",
        "epochs": 3000,
        "keep": "best",
        "patience": 200,
        "weight_decay": 0.0,
        "batch_norm_momentum": 0.001,
        "batch_norm_epsilon": 1e-3,
        "standardize_target": False,
    },
    # Little computation for an error; docs/recipes.md shows what each part of it is worth.
    "fast": {
        "optimizer": "adamw",
        "learning_rate": 1e-2,
        "schedule": "one_cycle",
        "batch_size": 256,
        "loss": "mae",
        "epochs": 30,
        "keep": "best",
        "patience": None,
        "weight_decay": 0.05,
        "batch_norm_momentum": 0.1,
        "batch_norm_epsilon": 1e-3,
        "standardize_target": True,
    },
    # Spends more for accuracy, on some ten thousand rows and more; measured in the same place. Nothing is left to
    # choose, so that the validation rows may be trained on as well.
    "best": {
        "optimizer": "adamw",
        "learning_rate": 2e-3,
        "schedule": "one_cycle",
        "batch_size": 256,
        "loss": "mae",
        "epochs": 100,
        "keep": "last",
        "patience": None,
        "weight_decay": 0.02,
        "batch_norm_momentum": 0.1,
        "batch_norm_epsilon": 1e-3,
        "standardize_target": True,
    },
}
"""Values of the named recipes."""
