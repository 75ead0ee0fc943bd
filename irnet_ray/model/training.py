"""A training under way: resident rows, the network, and all that changes from epoch to epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss

from irnet_ray.errors import ConfigurationError, TrainingError
from irnet_ray.model.architecture import Architecture
from irnet_ray.model.batches import Batches
from irnet_ray.model.hardware import Hardware
from irnet_ray.model.history import Epoch, History
from irnet_ray.model.network import Network
from irnet_ray.model.optimization import make_optimizer, make_scheduler
from irnet_ray.model.recipe import Recipe
from irnet_ray.model.rows import AnyRows, Float64Array, Standardization

_PREDICTION_BATCH = 2048

# An attribute that hardly varies among the training rows, such as one of a rare element, can lie hundreds
# of deviations off elsewhere and would swamp the prediction.
_INPUT_LIMIT = 10.0


class Training:
    """Everything that a training consists of; its state can be saved after any epoch.

    Args:
        architecture: What is trained.
        recipe: How it is trained.
        train: This worker's training rows.
        validation: All validation rows.
        seed: Determines the initial weights and the order of the rows.
        hardware: What it is trained on.
    """

    def __init__(
        self,
        architecture: Architecture,
        recipe: Recipe,
        train: AnyRows,
        validation: AnyRows,
        seed: int,
        hardware: Hardware,
    ) -> None:
        self.recipe = recipe
        self.seed = seed
        self.hardware = hardware
        self.workers = hardware.workers
        rows = round(float(self.workers.total(np.array([float(len(train))]))[0]))
        self.batches = Batches(rows, recipe.batch_size, self.workers.count)
        parts = [self.batches.part(step, self.workers.rank) for step in range(self.batches.steps)]
        self.own_sizes = [end - start for start, end in parts]
        # The workers' gradients are averaged; a worker with more rows than others must weigh more.
        self.shares = [size * self.workers.count / self.batches.size(step) for step, size in enumerate(self.own_sizes)]
        self._measure(train)
        self._put_on_device(train, validation)
        self.network = Network(
            architecture,
            train.attributes,
            seed=seed,
            momentum=recipe.batch_norm_momentum,
            epsilon=recipe.batch_norm_epsilon,
        ).to(hardware.device)
        self.stepped = hardware.prepare(self.network)
        self.optimizer = make_optimizer(self.network, recipe)
        self.scheduler = make_scheduler(self.optimizer, recipe, self.batches.steps)
        self.loss = l1_loss if recipe.loss == "mae" else mse_loss
        self.history = History()
        self.weights = self.network.state_dict()  # follows the network
        self.best_weights = {name: weight.clone() for name, weight in self.weights.items()}
        self.best_prediction = np.zeros(len(validation))
        self.identity = {
            "architecture": str(architecture),
            "recipe": recipe.model_dump(),
            "seed": seed,
            "training rows": rows,
            "trainer.workers": self.workers.count,
        }

    def _measure(self, train: AnyRows) -> None:
        """Measures the standardizations over the training rows of all workers."""
        total = self.workers.total
        self.inputs = Standardization.of_blocks(train.blocks, _INPUT_LIMIT, total)
        target = train.target[:, None]
        self.target = (
            Standardization.of_blocks(lambda: [target], total=total)
            if self.recipe.standardize_target
            else Standardization.identity(1)
        )

    def _put_on_device(self, train: AnyRows, validation: AnyRows) -> None:
        self.train_inputs = self.hardware.resident(train, self.inputs)
        target = self.target.apply(train.target[:, None])[:, 0]
        self.train_target = torch.from_numpy(target).to(self.hardware.device)
        part = self.workers.own_part(len(validation))
        own = validation.select(np.arange(len(validation))[part]) if self.workers.count > 1 else validation
        self.validation_inputs = self.hardware.resident(own, self.inputs)
        self.validation_target = validation.target

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, patience is at its end, or training was told to stop."""
        patience = self.recipe.patience
        exhausted = patience is not None and self.history.waited >= patience
        return self.history.stopped or exhausted or len(self.history.epochs) >= self.recipe.epochs

    def run_epoch(self) -> Epoch:
        """Trains on every row once, validates, and adds a row to the history, the same in every worker.

        Raises:
            TrainingError: The loss became infinite or not a number.
        """
        started = time.perf_counter()
        absolute_error, rows = self._train()
        self.workers.average(self.network.buffers())
        prediction = self._predict_validation()
        seconds = self.history.seconds + time.perf_counter() - started
        of_the_first = seconds if self.workers.is_first else 0.0
        summed = np.array([absolute_error, rows, of_the_first])
        absolute_error, rows, seconds = self.workers.total(summed).tolist()
        epoch = Epoch(
            epoch=len(self.history.epochs) + 1,
            step=self.history.steps + self.batches.steps,
            learning_rate=float(self.last_learning_rate),
            train_mae=absolute_error / rows * float(self.target.scale[0]),
            val_mae=float(np.abs(prediction - self.validation_target).mean()),
            seconds=seconds,
        )
        self._refuse_what_is_not_finite(epoch)
        if self.history.add(epoch, keep_last=self.recipe.keep == "last"):
            for name, weight in self.weights.items():
                self.best_weights[name].copy_(weight)
            self.best_prediction = prediction
        return epoch

    def _predict_validation(self) -> Float64Array:
        """The property of all validation rows, of which each worker predicts its part."""
        part = predict(self.network, self.validation_inputs, self.target)
        prediction = np.zeros(len(self.validation_target))
        prediction[self.workers.own_part(len(prediction))] = part
        return self.workers.total(prediction)

    def stop_if(self, should_stop: Callable[[], bool]) -> None:
        """Ends training in every worker if the first is told so."""
        told = float(should_stop()) if self.workers.is_first else 0.0
        self.history.stopped = bool(self.workers.total(np.array([told]))[0])

    def _train(self) -> tuple[float, float]:
        """Takes one epoch's steps.

        Returns:
            The sum of absolute errors of this worker's rows, as the network is trained on, and their number.
        """
        self.network.train()
        batches = torch.split(self._order()[: sum(self.own_sizes)], self.own_sizes)
        mean_errors = torch.stack([self._step(*each) for each in zip(batches, self.shares, strict=True)])
        # Added up here, not step by step, which would take a percent of a small step.
        rows = torch.tensor(self.own_sizes, dtype=torch.float64)
        return float(mean_errors.to("cpu", torch.float64) @ rows), float(rows.sum())

    def _order(self) -> Tensor:
        """This epoch's order of this worker's rows: a function of the seed, the epoch and the worker."""
        # Mixed into 32 bits, as torch's generator takes no more of a seed.
        (seed,) = np.random.SeedSequence([self.seed, len(self.history.epochs), self.workers.rank]).generate_state(1)
        order = torch.randperm(len(self.train_target), generator=torch.Generator().manual_seed(int(seed)))
        return order.to(self.hardware.device)

    def _step(self, batch: Tensor, share: float) -> Tensor:
        """Takes one step; gives the mean absolute error of this worker's rows of it.

        Args:
            batch: Positions of the rows.
            share: Weight of their gradients, 1 where all workers have as many rows.
        """
        inputs, target = self.train_inputs.index_select(0, batch), self.train_target.index_select(0, batch)
        with self.hardware.autocast():
            prediction: Tensor = self.stepped(inputs).float()
        loss = self.loss(prediction, target)
        self.optimizer.zero_grad()
        (loss if share == 1 else share * loss).backward()  # type: ignore[no-untyped-call]
        self.last_learning_rate = self.optimizer.param_groups[0]["lr"]
        self.optimizer.step()
        if self.scheduler is not None:
            self.scheduler.step()
        absolute_error: Tensor = loss if self.recipe.loss == "mae" else l1_loss(prediction, target)
        return absolute_error.detach()

    def _refuse_what_is_not_finite(self, epoch: Epoch) -> None:
        if not (math.isfinite(epoch.train_mae) and math.isfinite(epoch.val_mae)):
            raise TrainingError(
                f"the loss is not finite in epoch {epoch.epoch} at learning rate {epoch.learning_rate:.3g}"
            )

    def state_dict(self) -> dict[str, Any]:
        """All that an uninterrupted training would know.

        The order of the rows, which is all that is random after the start, follows from the seed and the epoch.
        """
        return {
            "identity": self.identity,
            "network": self.weights,
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict() if self.scheduler is not None else None,
            "best_weights": self.best_weights,
            "best_prediction": torch.from_numpy(self.best_prediction),
            "history": self.history.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where ``state_dict`` was taken.

        Raises:
            ConfigurationError: It is the state of another training, or of one with another number of workers.
        """
        for name, ours in self.identity.items():
            theirs = state["identity"][name]
            if theirs != ours:
                raise ConfigurationError(
                    f"{name}: the checkpoint was made with {theirs}, not {ours}; set it back or use --force"
                )
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state["scheduler"])
        for name, weight in self.best_weights.items():
            weight.copy_(state["best_weights"][name])
        self.best_prediction = state["best_prediction"].numpy()
        self.history = History.from_state_dict(state["history"])


@torch.inference_mode()
def predict(network: Network, inputs: Tensor, target: Standardization) -> Float64Array:
    """Predicts the property in its unit.

    Args:
        network: Is set to evaluation mode.
        inputs: Standardized attributes on the network's device, shape ``(rows, attributes)``.
        target: Standardization of the property.

    Returns:
        Shape ``(rows,)``.
    """
    network.eval()
    parts = [network(part).to("cpu", torch.float64) for part in torch.split(inputs, _PREDICTION_BATCH)]
    predictions: Float64Array = torch.cat(parts).numpy()
    return predictions * float(target.scale[0]) + float(target.mean[0])
