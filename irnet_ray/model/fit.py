"""The training loop: resident tensors, a history row an epoch, exact resuming."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from irnet_ray.errors import TrainingError
from irnet_ray.model import checkpoint
from irnet_ray.model.architecture import Architecture
from irnet_ray.model.network import Network
from irnet_ray.model.recipe import Recipe
from irnet_ray.model.rows import Float32Array, Float64Array, Rows, Standardization

_PREDICTION_BATCH = 8192

# An attribute that hardly varies among the training rows, such as one of a rare element, can lie hundreds
# of deviations off elsewhere and would swamp the prediction.
_INPUT_LIMIT = 10.0


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


@dataclass(frozen=True)
class Fitted:
    """A trained network with the weights of its best epoch.

    Attributes:
        network: In evaluation mode.
        inputs: Standardization of the attributes, measured on the training rows.
        target: Standardization of the property, measured on the training rows.
        history: One row for each epoch.
        best_epoch: The epoch of the lowest validation MAE, whose weights the network has.
        seconds: Training and validation time (s).
    """

    network: Network
    inputs: Standardization
    target: Standardization
    history: list[Epoch]
    best_epoch: int
    seconds: float

    def predict(self, inputs: Float32Array) -> Float64Array:
        """Predicts the property in its unit.

        Args:
            inputs: Attributes as they are, shape ``(rows, attributes)``.

        Returns:
            Shape ``(rows,)``.
        """
        device = next(self.network.parameters()).device
        standardized = torch.from_numpy(self.inputs.apply(inputs)).to(device)
        return _in_units(_predict(self.network, standardized), self.target)


def fit(
    architecture: Architecture,
    recipe: Recipe,
    train: Rows,
    validation: Rows,
    *,
    seed: int,
    device: str = "cpu",
    report: Callable[[Epoch], None] | None = None,
    resume_from: bytes | None = None,
    save_checkpoint: Callable[[bytes], None] | None = None,
    checkpoint_seconds: float = 30.0,
) -> Fitted:
    """Trains a network.

    The same arguments give the same weights, bit by bit, on the same kind of processor and with the same
    number of threads, also if training was interrupted and resumed.

    Args:
        architecture: What is trained.
        recipe: How it is trained.
        train: At least two rows.
        validation: The rows that choose the best epoch and stop training.
        seed: Determines the initial weights and the order of the rows.
        device: A torch device.
        report: Called with each epoch's history row, those of a checkpoint first; what it raises ends training.
        resume_from: A checkpoint of the same training; an unreadable one is ignored.
        save_checkpoint: Called with a checkpoint from time to time.
        checkpoint_seconds: Least time between checkpoints (s).

    Raises:
        TrainingError: The loss became infinite or not a number.
    """
    training = _Training(architecture, recipe, train, validation, seed, device)
    state = checkpoint.decode(resume_from) if resume_from else None
    if state is not None:
        training.load_state_dict(state)
    if report is not None:
        for epoch in training.progress.history:
            report(epoch)
    saved = time.monotonic()
    while not training.finished:
        epoch = training.run_epoch()
        if report is not None:
            report(epoch)
        if save_checkpoint is not None and time.monotonic() - saved >= checkpoint_seconds:
            save_checkpoint(checkpoint.encode(training.state_dict()))
            saved = time.monotonic()
    return training.best()


@dataclass
class _Progress:
    """The part of a training's state that is plain numbers."""

    step: int = 0
    best_epoch: int = 0
    best_val_mae: float = math.inf
    history: list[Epoch] = field(default_factory=list)

    @property
    def epoch(self) -> int:
        return len(self.history)

    @property
    def seconds(self) -> float:
        return self.history[-1].seconds if self.history else 0.0


class _Training:
    """A training under way: all that changes from epoch to epoch, and the rows on the device."""

    def __init__(
        self, architecture: Architecture, recipe: Recipe, train: Rows, validation: Rows, seed: int, device: str
    ) -> None:
        self.recipe = recipe
        self.seed = seed
        self.inputs = Standardization.of(train.inputs, _INPUT_LIMIT)
        self.target = (
            Standardization.of(train.target[:, None]) if recipe.standardize_target else Standardization.identity(1)
        )
        self.train_inputs, self.train_target = self._resident(train, device)
        self.validation_inputs, _ = self._resident(validation, device)
        self.validation_target = validation.target
        self.network = Network(
            architecture,
            train.inputs.shape[1],
            seed=seed,
            momentum=recipe.batch_norm_momentum,
            epsilon=recipe.batch_norm_epsilon,
        ).to(device)
        self.optimizer = _optimizer(self.network, recipe)
        self.scheduler = _scheduler(self.optimizer, recipe, self.steps_an_epoch)
        self.loss = torch.nn.L1Loss() if recipe.loss == "mae" else torch.nn.MSELoss()
        self.progress = _Progress()
        self.best_weights = copy.deepcopy(self.network.state_dict())

    def _resident(self, rows: Rows, device: str) -> tuple[Tensor, Tensor]:
        """Puts standardized rows on the device once."""
        inputs = torch.from_numpy(self.inputs.apply(rows.inputs)).to(device)
        target = torch.from_numpy(self.target.apply(rows.target[:, None])[:, 0]).to(device)
        return inputs, target

    @property
    def steps_an_epoch(self) -> int:
        rows, batch_size = len(self.train_target), self.recipe.batch_size
        return math.ceil(rows / batch_size) - (rows % batch_size == 1)

    @property
    def finished(self) -> bool:
        patience = self.recipe.patience
        waited = self.progress.epoch - self.progress.best_epoch
        return self.progress.epoch >= self.recipe.epochs or (patience is not None and waited >= patience)

    def run_epoch(self) -> Epoch:
        """Trains on every row once, validates, and adds a row to the history."""
        started = time.perf_counter()
        train_mae, learning_rate = self._train()
        prediction = _in_units(_predict(self.network, self.validation_inputs), self.target)
        val_mae = float(np.abs(prediction - self.validation_target).mean())
        number = self.progress.epoch + 1
        if not (math.isfinite(train_mae) and math.isfinite(val_mae)):
            raise TrainingError(f"the loss is not finite in epoch {number} at learning rate {learning_rate:.3g}")
        if val_mae < self.progress.best_val_mae:
            self.progress.best_val_mae, self.progress.best_epoch = val_mae, number
            self.best_weights = copy.deepcopy(self.network.state_dict())
        seconds = self.progress.seconds + time.perf_counter() - started
        epoch = Epoch(number, self.progress.step, learning_rate, train_mae, val_mae, seconds)
        self.progress.history.append(epoch)
        return epoch

    def _train(self) -> tuple[float, float]:
        """Takes one epoch's steps; gives the batches' MAE in the property's unit and the last learning rate."""
        self.network.train()
        generator = torch.Generator().manual_seed((self.seed << 24) + self.progress.epoch)
        order = torch.randperm(len(self.train_target), generator=generator).to(self.train_target.device)
        absolute_error = torch.zeros((), dtype=torch.float64, device=self.train_target.device)
        rows, learning_rate = 0, 0.0
        for step in range(self.steps_an_epoch):
            batch = order[step * self.recipe.batch_size : (step + 1) * self.recipe.batch_size]
            target = self.train_target[batch]
            prediction = self.network(self.train_inputs[batch])
            loss = self.loss(prediction, target)
            self.optimizer.zero_grad()
            loss.backward()
            learning_rate = self.optimizer.param_groups[0]["lr"]
            self.optimizer.step()
            if self.scheduler is not None:
                self.scheduler.step()
            absolute_error += (prediction.detach() - target).abs().sum()
            rows += len(batch)
        self.progress.step += self.steps_an_epoch
        return float(absolute_error) / rows * float(self.target.scale[0]), learning_rate

    def state_dict(self) -> dict[str, Any]:
        """All that an uninterrupted training would know; the order of the rows follows from the epoch."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict() if self.scheduler is not None else None,
            "best_weights": self.best_weights,
            "progress": asdict(self.progress),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where ``state_dict`` was taken."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state["scheduler"])
        self.best_weights = state["best_weights"]
        progress = state["progress"]
        self.progress = _Progress(**{**progress, "history": [Epoch(**epoch) for epoch in progress["history"]]})

    def best(self) -> Fitted:
        """The network with the weights of its best epoch."""
        self.network.load_state_dict(self.best_weights)
        self.network.eval()
        return Fitted(
            network=self.network,
            inputs=self.inputs,
            target=self.target,
            history=self.progress.history,
            best_epoch=self.progress.best_epoch,
            seconds=self.progress.seconds,
        )


def _optimizer(network: Network, recipe: Recipe) -> torch.optim.Optimizer:
    """Adam or AdamW in the fused form, which is the fastest on CPUs and on GPUs."""
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return kind(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)


def _scheduler(
    optimizer: torch.optim.Optimizer, recipe: Recipe, steps_an_epoch: int
) -> torch.optim.lr_scheduler.OneCycleLR | None:
    if recipe.schedule == "constant":
        return None
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=recipe.learning_rate, total_steps=recipe.epochs * steps_an_epoch
    )


@torch.inference_mode()
def _predict(network: Network, inputs: Tensor) -> Float64Array:
    """Predicts standardized values of standardized inputs, shape ``(rows,)``."""
    network.eval()
    starts = range(0, len(inputs), _PREDICTION_BATCH)
    parts = [network(inputs[start : start + _PREDICTION_BATCH]).to("cpu", torch.float64) for start in starts]
    predictions: Float64Array = torch.cat(parts).numpy()
    return predictions


def _in_units(standardized: Float64Array, target: Standardization) -> Float64Array:
    return standardized * float(target.scale[0]) + float(target.mean[0])
