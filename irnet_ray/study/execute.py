"""One trial from its rows to its files; the same in a Ray worker and in a debugger."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from irnet_ray.data.curate import CurationReport
from irnet_ray.data.split import Split
from irnet_ray.errors import ConfigurationError
from irnet_ray.model.baselines import FittedForest, fit_forest
from irnet_ray.model.fit import Fitted, fit
from irnet_ray.model.hardware import Hardware
from irnet_ray.model.history import Epoch
from irnet_ray.model.metrics import evaluate
from irnet_ray.model.rows import Rows
from irnet_ray.study.event_log import EventLog
from irnet_ray.study.result import make_result
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Trainer
from irnet_ray.study.trial import NetworkModel, Trial

OnEpoch = Callable[[Epoch], None]
_HISTORY_SECONDS = 2.0  # least time between two writings of a history under way


@dataclass(frozen=True)
class MatrixData:
    """Rows that the trials of one matrix share.

    Attributes:
        rows: Attributes and property of every row that any of the trials needs.
        formulas: Reduced formulas, shape ``(rows,)``.
        unit: Of the property.
        split: Positions in ``rows``; a trial takes a subset.
        curation: How many rows were read, dropped and kept.
    """

    rows: Rows
    formulas: npt.NDArray[np.str_]
    unit: str
    split: Split
    curation: CurationReport


def configure_process(trainer: Trainer) -> None:
    """Gives this process the trial's number of threads, which a reused process would keep from before."""
    torch.set_num_threads(trainer.cpus)
    torch.set_flush_denormal(True)  # dying activations of deep plain networks would slow them tenfold


def check_device(trainer: Trainer) -> None:
    """Refuses a trial on a GPU where this process sees none.

    Raises:
        ConfigurationError: There is no GPU.
    """
    if trainer.gpus and not torch.cuda.is_available():
        raise ConfigurationError("trainer.gpus: this machine has no GPU that torch can use; set it to 0")


def execute(
    trial: Trial, data: MatrixData, run: RunDirectory, trainer: Trainer, on_epoch: OnEpoch | None = None
) -> dict[str, Any]:
    """Trains, tests and records one trial, going on from its checkpoint if it has one.

    Args:
        trial: What to do.
        data: The rows of the trial's matrix.
        run: Where to record it.
        trainer: Threads and device.
        on_epoch: Called after each epoch of a network.

    Returns:
        What ``result.json`` holds.

    Raises:
        TrainingError: The loss became infinite or not a number.
        StorageError: The run directory cannot be written.
    """
    configure_process(trainer)
    run.begin(trial)
    split = data.split.subset(trial.train_size)
    train, validation, test = (data.rows.take(part) for part in (split.train, split.validation, split.test))
    fitted = _fit(trial, train, validation, run, trainer, on_epoch)
    started = time.perf_counter()
    test_prediction = fitted.predict(test.inputs)
    predict_seconds = time.perf_counter() - started
    validation_prediction = fitted.predict(validation.inputs)
    network = fitted if isinstance(fitted, Fitted) else None
    result = make_result(
        trial,
        unit=data.unit,
        rows=(len(train), len(validation), len(test)),
        validation=evaluate(validation.target, validation_prediction),
        test=evaluate(test.target, test_prediction),
        epochs=len(network.history) if network else None,
        best_epoch=network.best_epoch if network else None,
        train_seconds=fitted.seconds,
        predict_seconds=predict_seconds,
    )
    predictions = [
        pd.DataFrame({"part": name, "formula": data.formulas[part], "target": rows.target, "prediction": prediction})
        for name, part, rows, prediction in (
            ("validation", split.validation, validation, validation_prediction),
            ("test", split.test, test, test_prediction),
        )
    ]
    run.complete(trial.id, result, pd.concat(predictions, ignore_index=True))
    return result


def _fit(
    trial: Trial, train: Rows, validation: Rows, run: RunDirectory, trainer: Trainer, on_epoch: OnEpoch | None
) -> Fitted | FittedForest:
    if not isinstance(trial.model, NetworkModel):
        return fit_forest(trial.model.settings, train, seed=trial.seed, cpus=trainer.cpus)
    architecture = trial.architecture
    assert architecture is not None
    with EventLog(run, trial) as events:
        recorder = _Recorder(run, trial.id, events, on_epoch)
        fitted = fit(
            architecture,
            trial.model.recipe,
            train,
            validation,
            seed=trial.seed,
            hardware=Hardware("cuda" if trainer.gpus else "cpu"),
            report=recorder,
            resume_from=run.read_checkpoint(trial.id),
            save_checkpoint=lambda content: run.write_checkpoint(trial.id, content),
        )
    run.write_history(trial.id, fitted.history)
    return fitted


class _Recorder:
    """Writes down each epoch as it comes."""

    def __init__(self, run: RunDirectory, trial_id: str, events: EventLog, on_epoch: OnEpoch | None) -> None:
        self._run = run
        self._trial_id = trial_id
        self._events = events
        self._on_epoch = on_epoch
        self._history: list[Epoch] = []
        self._written = time.monotonic()

    def __call__(self, epoch: Epoch) -> None:
        self._history.append(epoch)
        self._events.add(epoch)
        if time.monotonic() - self._written >= _HISTORY_SECONDS:
            self._run.write_history(self._trial_id, self._history)
            self._written = time.monotonic()
        if self._on_epoch is not None:
            self._on_epoch(epoch)
