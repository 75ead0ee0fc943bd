"""The same training as different programs do it: ours, a bare loop of torch, Lightning, skorch, Ray Data.

All take the same network, optimizer (fused), one-cycle schedule with a step each batch, loss and rows, which are in
memory and standardized; only the loops differ. None logs, shows or saves anything.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import torch
from relay import Clock
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

from irnet_ray.model.architecture import Architecture
from irnet_ray.model.fit import fit
from irnet_ray.model.network import Network
from irnet_ray.model.optimization import make_optimizer, make_scheduler
from irnet_ray.model.recipe import Recipe
from irnet_ray.model.rows import Rows


@dataclass(frozen=True)
class Pupil:
    """A network in training and what it is trained by, both as ``fit`` makes them."""

    network: Network
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.OneCycleLR

    @classmethod
    def of(cls, architecture: Architecture, recipe: Recipe, attributes: int, steps: int, seed: int) -> Pupil:
        """A network before its first step; ``steps`` are those of an epoch."""
        network = Network(
            architecture,
            attributes,
            seed=seed,
            momentum=recipe.batch_norm_momentum,
            epsilon=recipe.batch_norm_epsilon,
        ).train()
        optimizer = make_optimizer(network, recipe)
        schedule = make_scheduler(optimizer, recipe, steps)
        assert schedule is not None
        return cls(network, optimizer, schedule)

    def step(self, inputs: Tensor, target: Tensor) -> None:
        """Learns from a batch."""
        self.optimizer.zero_grad(set_to_none=True)
        nn.functional.l1_loss(self.network(inputs), target).backward()
        self.optimizer.step()
        self.schedule.step()


@dataclass(frozen=True)
class Task:
    """A training.

    Attributes:
        depth: Layers of the network.
        width: Factor on its units.
        attributes: Number of inputs.
        rows: Training rows, of random numbers.
        batch_size: Rows a step; divides the rows.
        epochs: Passes over the rows.
        shuffle_buffer: Rows among which Ray Data shuffles.
    """

    depth: int
    width: float
    attributes: int
    rows: int
    batch_size: int
    epochs: int
    shuffle_buffer: int

    @property
    def steps(self) -> int:
        """Steps an epoch."""
        return self.rows // self.batch_size

    @property
    def architecture(self) -> Architecture:
        """An IRNet."""
        return Architecture.of(self.depth, "layer", self.width)

    @property
    def recipe(self) -> Recipe:
        """The fast one with the task's batch size."""
        own = {"batch_size": self.batch_size, "epochs": self.epochs, "loss": "mae", "schedule": "one_cycle"}
        return Recipe.model_validate({"base": "fast", **own})

    @cached_property
    def tensors(self) -> tuple[Tensor, Tensor]:
        """Inputs and target, the latter a noisy sum."""
        generator = torch.Generator().manual_seed(0)
        inputs = torch.randn(self.rows, self.attributes, generator=generator)
        noise = torch.randn(self.rows, generator=generator)
        return inputs, inputs.sum(1) / self.attributes**0.5 + 0.1 * noise

    def start(self) -> Pupil:
        """A network before its first step."""
        return Pupil.of(self.architecture, self.recipe, self.attributes, self.steps, seed=0)


@dataclass(frozen=True)
class Timing:
    """When the epochs of a training ended.

    Attributes:
        ends: Of each epoch, by the training's clock (s).
        fetching: Time that fetching all the batches took (s), where it can be told apart.
    """

    ends: list[float]
    fetching: float = np.nan

    @property
    def an_epoch(self) -> float:
        """What an epoch takes, the mean over those after the first (s)."""
        return (self.ends[-1] - self.ends[0]) / (len(self.ends) - 1)


def train_ours(task: Task, clock: Clock) -> Timing:
    """``fit``, with two validation rows only, as the others have none; its best weights are copied as ever."""
    ends: list[float] = []
    inputs, target = (tensor.numpy() for tensor in task.tensors)
    rows = Rows(inputs, target.astype(np.float64))
    two = rows.take(np.arange(2))
    fit(task.architecture, task.recipe, rows, two, seed=0, report=lambda _: ends.append(clock()))
    return Timing(ends)


def train_bare(task: Task, clock: Clock) -> Timing:
    """The shortest loop that does the work; a time is taken before and after each fetch, which costs 0.1 us."""
    pupil = task.start()
    inputs, target = task.tensors
    ends: list[float] = []
    fetching = 0.0
    for _ in range(task.epochs):
        for batch in torch.randperm(task.rows).split(task.batch_size):
            started = time.perf_counter()
            batch_inputs, batch_target = inputs.index_select(0, batch), target.index_select(0, batch)
            fetching += time.perf_counter() - started
            pupil.step(batch_inputs, batch_target)
        ends.append(clock())
    return Timing(ends, fetching)


def train_lightning(task: Task, clock: Clock) -> Timing:
    """Lightning with torch's ordinary ``DataLoader`` in the same process."""
    loader = DataLoader(TensorDataset(*task.tensors), batch_size=task.batch_size, shuffle=True)
    return _train_lightning(task, clock, loader)


def train_lightning_by_batch(task: Task, clock: Clock) -> Timing:
    """Lightning with a ``DataLoader`` that indexes a whole batch at once, in place of row by row."""
    dataset = TensorDataset(*task.tensors)
    batches = BatchSampler(RandomSampler(dataset), task.batch_size, drop_last=False)
    return _train_lightning(task, clock, DataLoader(dataset, sampler=batches, batch_size=None))


def _train_lightning(task: Task, clock: Clock, loader: DataLoader[tuple[Tensor, ...]]) -> Timing:
    import lightning

    ends: list[float] = []
    pupil = task.start()

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = pupil.network

        def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
            return nn.functional.l1_loss(self.network(batch[0]), batch[1])

        def on_train_epoch_end(self) -> None:
            ends.append(clock())

        def configure_optimizers(self) -> object:
            return {"optimizer": pupil.optimizer, "lr_scheduler": {"scheduler": pupil.schedule, "interval": "step"}}

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    lightning.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=task.epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    ).fit(Module(), loader)
    return Timing(ends)


def train_skorch(task: Task, clock: Clock) -> Timing:
    """The regressor of skorch without validation and without its printed log."""
    from skorch import NeuralNetRegressor
    from skorch.callbacks import Callback, LRScheduler

    ends: list[float] = []
    pupil = task.start()

    class Clock(Callback):
        def on_epoch_end(self, net: object, **_: object) -> None:
            ends.append(clock())

    total_steps = task.epochs * task.steps
    schedule = LRScheduler(
        torch.optim.lr_scheduler.OneCycleLR,
        step_every="batch",
        event_name=None,
        max_lr=task.recipe.learning_rate,
        total_steps=total_steps,
    )
    NeuralNetRegressor(
        pupil.network,
        criterion=nn.L1Loss,
        optimizer=lambda *_, **__: pupil.optimizer,
        max_epochs=task.epochs,
        batch_size=task.batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        callbacks=[schedule, Clock()],
        callbacks__print_log=None,
    ).fit(TensorDataset(*task.tensors), None)
    return Timing(ends)


def arrow_table(inputs: np.ndarray, target: np.ndarray) -> pa.Table:
    """A table for Ray Data: inputs of shape ``(rows, attributes)`` as one column of tensors, and the target."""
    return pa.table({"inputs": pa.FixedShapeTensorArray.from_numpy_ndarray(inputs), "target": target})


def train_ray_data(task: Task, clock: Clock) -> Timing:
    """The loop of Ray's tutorials: ``iter_torch_batches`` each epoch over a dataset that is kept in memory."""
    import ray

    from irnet_ray.distributed.session import featurize_session

    ends: list[float] = []
    with featurize_session(None):
        ray.data.DataContext.get_current().enable_progress_bars = False
        dataset = ray.data.from_arrow(arrow_table(*(tensor.numpy() for tensor in task.tensors))).materialize()
        pupil = task.start()
        for _ in range(task.epochs):
            for batch in dataset.iter_torch_batches(
                batch_size=task.batch_size, local_shuffle_buffer_size=task.shuffle_buffer
            ):
                pupil.step(batch["inputs"], batch["target"])
            ends.append(clock())
    return Timing(ends)


CONTESTANTS: dict[str, Callable[[Task, Clock], Timing]] = {
    "bare": train_bare,
    "irnet-ray": train_ours,
    "lightning": train_lightning,
    "lightning-by-batch": train_lightning_by_batch,
    "skorch": train_skorch,
    "ray-data": train_ray_data,
}
