"""Training a network: a history row an epoch, checkpoints, exact resuming; free of Ray."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from irnet_ray.model import checkpoint
from irnet_ray.model.architecture import Architecture
from irnet_ray.model.hardware import CPU, Hardware
from irnet_ray.model.history import Epoch
from irnet_ray.model.network import Network
from irnet_ray.model.recipe import Recipe
from irnet_ray.model.rows import AnyRows, Float32Array, Float64Array, Standardization, slices
from irnet_ray.model.training import Training, predict


@dataclass(frozen=True)
class Fitted:
    """A trained network with the weights of the epoch that the recipe keeps.

    Attributes:
        network: In evaluation mode.
        inputs: Standardization of the attributes, measured on the training rows.
        target: Standardization of the property, measured on the training rows.
        history: One row for each epoch.
        best_epoch: The epoch whose weights the network has: that of the lowest validation MAE, or the last.
        seconds: Training and validation time (s).
        validation_prediction: The property of the validation rows in its unit, shape ``(rows,)``; ``None`` where the
            network was read from a file.
        stopped: Whether training was told to stop before its time.
    """

    network: Network
    inputs: Standardization
    target: Standardization
    history: list[Epoch]
    best_epoch: int
    seconds: float
    validation_prediction: Float64Array | None = None
    stopped: bool = False

    def predict(self, inputs: Float32Array) -> Float64Array:
        """Predicts the property in its unit.

        Args:
            inputs: Attributes as they are, shape ``(rows, attributes)``.

        Returns:
            Shape ``(rows,)``.
        """
        device = next(self.network.parameters()).device
        parts = [
            predict(self.network, torch.from_numpy(self.inputs.apply(part)).to(device), self.target)
            for part in slices(inputs)
        ]
        return np.concatenate(parts) if parts else np.empty(0)


def fit(
    architecture: Architecture,
    recipe: Recipe,
    train: AnyRows,
    validation: AnyRows,
    *,
    seed: int,
    hardware: Hardware = CPU,
    report: Callable[[Epoch], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    resume_from: bytes | None = None,
    save_checkpoint: Callable[[bytes], None] | None = None,
    checkpoint_seconds: float = 30.0,
) -> Fitted:
    """Trains a network, alone or as one of several workers that all call this.

    The same arguments give the same weights, bit by bit, on the same kind of processor and with the same
    numbers of threads and workers, also if training was interrupted and resumed.

    Args:
        architecture: What is trained.
        recipe: How it is trained.
        train: The rows that this worker trains on, two at least; their numbers as ``batches.shard_size`` tells.
        validation: The rows that choose the best epoch and stop training; all of them in every worker.
        seed: Determines the initial weights and the order of the rows.
        hardware: What it is trained on.
        report: Called with each epoch's history row, those of a checkpoint first; what it raises ends training.
        should_stop: Asked after each report but the last, in the first worker alone, whether training is to end.
        resume_from: A checkpoint of the same training; an unreadable one is ignored.
        save_checkpoint: Called with a checkpoint from time to time, in the first worker alone.
        checkpoint_seconds: Least time between checkpoints (s).

    Raises:
        TrainingError: The loss became infinite or not a number.
        ConfigurationError: The checkpoint is that of another training; the rows are too few for the workers.
    """
    training = Training(architecture, recipe, train, validation, seed, hardware)
    state = checkpoint.decode(resume_from) if resume_from else None
    if state is not None:
        training.load_state_dict(state)
    if report is not None:
        for epoch in training.history.epochs:
            report(epoch)
    saved = time.monotonic()
    while not training.finished:
        epoch = training.run_epoch()
        if report is not None:
            report(epoch)
        if not training.finished:
            training.stop_if(should_stop)
        is_due = time.monotonic() - saved >= checkpoint_seconds
        if save_checkpoint is not None and hardware.workers.is_first and is_due:
            save_checkpoint(checkpoint.encode(training.state_dict()))
            saved = time.monotonic()
    return _best(training)


def _best(training: Training) -> Fitted:
    """The network with the weights of its best epoch."""
    training.network.load_state_dict(training.best_weights)
    training.network.eval()
    history = training.history
    return Fitted(
        network=training.network,
        inputs=training.inputs,
        target=training.target,
        history=history.epochs,
        best_epoch=history.best_epoch,
        seconds=history.seconds,
        validation_prediction=training.best_prediction,
        stopped=history.stopped,
    )
