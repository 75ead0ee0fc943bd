"""What a training has to tell of itself, epoch by epoch."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Epoch:
    """One row of the history.

    Attributes:
        epoch: From 1.
        step: Optimizer steps so far.
        learning_rate: At the last step of the epoch.
        train_mae: Mean absolute error over the epoch's batches while they were trained on (batch norm
            with the batch's statistics), in the property's unit.
        val_mae: Mean absolute error on the validation rows after the epoch, in the property's unit.
        seconds: Training and validation time so far, those of earlier processes included (s).
    """

    epoch: int
    step: int
    learning_rate: float
    train_mae: float
    val_mae: float
    seconds: float


@dataclass
class History:
    """The epochs so far, and the best of them.

    Attributes:
        epochs: One row for each.
        best_epoch: The epoch of the lowest validation MAE; 0 before the first. With a recipe that keeps the last
            epoch, the last.
        best_val_mae: Its validation MAE, in the property's unit.
        stopped: Whether training was told to stop before its time.
    """

    epochs: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0
    best_val_mae: float = math.inf
    stopped: bool = False

    def add(self, epoch: Epoch, *, keep_last: bool = False) -> bool:
        """Appends an epoch; tells whether its weights are to be kept."""
        self.epochs.append(epoch)
        if not keep_last and epoch.val_mae >= self.best_val_mae:
            return False
        self.best_epoch, self.best_val_mae = epoch.epoch, epoch.val_mae
        return True

    @property
    def waited(self) -> int:
        """Epochs since the best one."""
        return len(self.epochs) - self.best_epoch

    @property
    def steps(self) -> int:
        """Optimizer steps so far."""
        return self.epochs[-1].step if self.epochs else 0

    @property
    def seconds(self) -> float:
        """Training and validation time so far (s)."""
        return self.epochs[-1].seconds if self.epochs else 0.0

    def state_dict(self) -> dict[str, Any]:
        """Plain numbers, for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_state_dict(cls, state: dict[str, Any]) -> History:
        """Reads what ``state_dict`` gave."""
        return cls(**{**state, "epochs": [Epoch(**epoch) for epoch in state["epochs"]]})
