"""TensorBoard events of a trial."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from irnet_ray.model.history import Epoch
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.trial import Trial

FOLDER = "tensorboard"
"""Folder of a run that holds the events."""


class EventLog:
    """Writes a trial's learning curves and hyperparameters where ``irnet-ray monitor`` finds them.

    TensorBoard names a run after its folder, so the folder says in words which trial it is. On storage
    that is no local disk the events arrive when the trial ends well.

    Args:
        run: The run that the trial belongs to.
        trial: The trial.
    """

    def __init__(self, run: RunDirectory, trial: Trial) -> None:
        self._run = run
        self._trial = trial
        self._folder = f"{FOLDER}/{folder_name(trial)}"
        local = run.storage.local_path
        self._scratch = None if local else tempfile.TemporaryDirectory(prefix="irnet-ray-events-")
        self._best_val_mae = math.inf
        self._directory = local / self._folder if local else Path(self._scratch.name)  # type: ignore[union-attr]

    def __enter__(self) -> EventLog:
        from torch.utils.tensorboard import SummaryWriter

        with self._failures_explained():
            for former in self._directory.glob("events.*"):  # of an attempt that did not end
                former.unlink()
            self._writer = SummaryWriter(str(self._directory))
        return self

    def add(self, epoch: Epoch) -> None:
        """Adds an epoch's errors and learning rate, by optimizer steps as in Figure 1 of the paper.

        Raises:
            StorageError: The events cannot be written.
        """
        self._best_val_mae = min(self._best_val_mae, epoch.val_mae)
        with self._failures_explained():
            self._writer.add_scalar("mae/train", epoch.train_mae, epoch.step)
            self._writer.add_scalar("mae/validation", epoch.val_mae, epoch.step)
            self._writer.add_scalar("learning_rate", epoch.learning_rate, epoch.step)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            with self._failures_explained():
                self._end()
        else:
            with suppress(OSError):  # what ended the trial is told
                self._writer.close()
        if self._scratch is not None:
            with self._scratch:
                if error is None:
                    self._upload()

    def _upload(self) -> None:
        for path in self._directory.iterdir():
            self._run.storage.write(f"{self._folder}/{path.name}", path.read_bytes())

    def _end(self) -> None:
        axes = {key: value for key, value in self._trial.describe().items() if value is not None}
        self._writer.add_hparams(axes, {"best/mae/validation": self._best_val_mae}, run_name=".")
        self._writer.close()

    @contextmanager
    def _failures_explained(self) -> Iterator[None]:
        """Turns what TensorBoard's writer says where a disk is full into the line of other files of the run.

        Raises:
            StorageError: Says what to do.
        """
        try:
            yield
        except OSError as error:
            raise self._run.storage.failure("write", self._folder, error) from error


def folder_name(trial: Trial) -> str:
    """For example ``oqmd-formation_enthalpy-irnet-48-20000-seed0-3f9a2c1b7d10``."""
    rows = trial.train_size or "all"
    return f"{trial.matrix.dataset}-{trial.matrix.property}-{trial.label}-{rows}-seed{trial.seed}-{trial.id}"
