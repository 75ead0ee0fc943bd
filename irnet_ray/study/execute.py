"""One trial from its rows to its files; the same in a Ray worker and in a debugger."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from irnet_ray.data.curate import CurationReport
from irnet_ray.data.split import Split
from irnet_ray.errors import ConfigurationError, LimitError, TrainingError
from irnet_ray.model.architecture import Architecture
from irnet_ray.model.baselines.fit import Tested, fit_and_predict
from irnet_ray.model.fit import Fitted, fit
from irnet_ray.model.hardware import Hardware
from irnet_ray.model.history import Epoch
from irnet_ray.model.metrics import evaluate
from irnet_ray.model.rows import AnyRows, Rows, Selection
from irnet_ray.model.workers import ALONE, Workers
from irnet_ray.study.event_log import EventLog
from irnet_ray.study.result import make_result
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Trainer
from irnet_ray.study.trial import NetworkModel, Trial

OnEpoch = Callable[[Epoch], None]
_NO_MEMORY = "can't allocate memory"
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


@dataclass(frozen=True)
class Part:
    """What one of several workers has of a trial.

    Attributes:
        workers: This process among them.
        train: The training rows that it holds.
    """

    workers: Workers
    train: Rows


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        result: What ``result.json`` holds; ``None`` where the trial was stopped or cut, or in a worker but the first.
        stopped: Why a trial was stopped before its time.
        cut: Which limit a trial reached.
    """

    result: dict[str, Any] | None = None
    stopped: str | None = None
    cut: str | None = None


def configure_process(trainer: Trainer) -> None:
    """Gives this process its number of threads, which a reused process would keep from before."""
    torch.set_num_threads(trainer.cpus_per_worker)
    torch.set_flush_denormal(True)  # dying activations of deep plain networks would slow them tenfold


def hardware_of(trainer: Trainer, workers: Workers = ALONE) -> Hardware:
    """What the trainer's settings mean for one of the processes that train a network."""
    return Hardware(
        device="cuda" if trainer.gpus_per_worker else "cpu",
        workers=workers,
        synchronized_batch_norm=trainer.synchronized_batch_norm,
        bfloat16=trainer.bfloat16,
        compiled=trainer.compiled,
    )


def check_local(trainer: Trainer) -> None:
    """Refuses what this one process cannot do.

    Raises:
        ConfigurationError: There is no GPU, or several workers are asked for.
    """
    if trainer.workers > 1:
        raise ConfigurationError("trainer.workers: --local trains in one process; set it to 1, or leave out --local")
    if trainer.gpus and not torch.cuda.is_available():
        raise ConfigurationError("trainer.gpus_per_worker: torch can use no GPU on this machine; set it to 0")


def execute(
    trial: Trial,
    data: MatrixData,
    run: RunDirectory,
    trainer: Trainer,
    on_epoch: OnEpoch | None = None,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    stopped_by: str = "request",
    part: Part | None = None,
) -> Outcome:
    """Trains, tests and records one trial, going on from its checkpoint if it has one.

    Args:
        trial: What to do.
        data: The rows of the trial's matrix.
        run: Where to record it.
        trainer: Threads and device.
        on_epoch: Called after each epoch of a network.
        should_stop: Asked after each epoch whether the trial is to end.
        stopped_by: Who tells it to end.
        part: This worker's part, where several train the trial's network together.

    Raises:
        TrainingError: The loss, or a prediction, became infinite or not a number, or there was no memory left.
        ConfigurationError: The trial's checkpoint was made by another number of workers.
        StorageError: The run directory cannot be written.
    """
    configure_process(trainer)
    if (result := run.result_if_done(trial.id)) is not None:  # its process died between that and telling it
        return Outcome(result)
    split = data.split.subset(trial.train_size)
    # One of several workers must end with an error, so that the others do not wait for it.
    with nullcontext() if part else _memory_explained(trial):
        if isinstance(trial.model, NetworkModel):
            return _execute_network(trial, data, split, run, trainer, on_epoch, should_stop, stopped_by, part)
        alone = trainer.model_copy(update={"workers": 1})
        run.begin(trial, alone)
        return _execute_baseline(trial, data, split, run, alone)


def out_of_memory(trial: Trial) -> str:
    """Why a trial that ran out of it has no result, and what to do."""
    lower = "batch_size or width" if isinstance(trial.model, NetworkModel) else "train_size"
    return f"it ran out of memory; lower its {lower}, or train fewer at once"


@contextmanager
def _memory_explained(trial: Trial) -> Iterator[None]:
    """Turns what torch and numpy say where there is no memory left into one line.

    Raises:
        TrainingError: Says what to do.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch says it for processors by a mere RuntimeError
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or _NO_MEMORY in str(error):
            raise TrainingError(out_of_memory(trial)) from error
        raise


def _execute_network(
    trial: Trial,
    data: MatrixData,
    split: Split,
    run: RunDirectory,
    trainer: Trainer,
    on_epoch: OnEpoch | None,
    should_stop: Callable[[], bool],
    stopped_by: str,
    part: Part | None,
) -> Outcome:
    """Trains a network, by this process or as one of several workers, and records it."""
    assert isinstance(trial.model, NetworkModel)
    workers = part.workers if part else ALONE
    validation = data.rows.select(split.validation)
    train = part.train if part else data.rows.select(split.learnt)
    fitted = _fit(trial, train, validation, run, trainer, workers, on_epoch, should_stop)
    if not workers.is_first:
        return Outcome()
    if fitted.stopped:
        reason = _describe_stop(stopped_by, fitted.history, trial.model.recipe.epochs, data.unit)
        run.stop(trial.id, reason)
        return Outcome(stopped=reason)
    tested = _test(fitted, validation, data.rows.select(split.test))
    return Outcome(_record(trial, data, split, run, trainer, tested, fitted))


def _execute_baseline(trial: Trial, data: MatrixData, split: Split, run: RunDirectory, trainer: Trainer) -> Outcome:
    """Fits classical learning, within its limits, and records it."""
    assert not isinstance(trial.model, NetworkModel)
    try:
        tested = fit_and_predict(
            trial.model,
            data.rows.take(split.learnt),
            [data.rows.inputs[part] for part in (split.validation, split.test)],
            seed=trial.seed,
            cpus=trainer.cpus_per_worker,
            limits=trainer.limits,
        )
    except LimitError as error:
        run.cut(trial.id, error)
        return Outcome(cut=str(error))
    return Outcome(_record(trial, data, split, run, trainer, tested))


def _describe_stop(who: str, history: Sequence[Epoch], epochs: int, unit: str) -> str:
    error = min(epoch.val_mae for epoch in history)
    return f"stopped by {who} after epoch {len(history)} of {epochs}, validation MAE {error:.4g} {unit}".rstrip()


def _fit(
    trial: Trial,
    train: AnyRows,
    validation: AnyRows,
    run: RunDirectory,
    trainer: Trainer,
    workers: Workers,
    on_epoch: OnEpoch | None,
    should_stop: Callable[[], bool],
) -> Fitted:
    """Trains the network; the first worker writes down how it went."""
    assert isinstance(trial.model, NetworkModel)
    checkpoint = run.read_checkpoint(trial.id)
    with ExitStack() as stack:
        recorder = None
        if workers.is_first:
            run.begin(trial, trainer)
            recorder = _Recorder(run, trial.id, stack.enter_context(EventLog(run, trial)))
        fitted = fit(
            Architecture.parse(trial.model.architecture),
            trial.model.recipe,
            train,
            validation,
            seed=trial.seed,
            hardware=hardware_of(trainer, workers),
            report=_both(recorder, on_epoch),
            should_stop=should_stop,
            resume_from=checkpoint,
            save_checkpoint=lambda content: run.write_checkpoint(trial.id, content),
            checkpoint_seconds=trainer.checkpoint_seconds,
        )
    if workers.is_first:
        run.write_history(trial.id, fitted.history)
    return fitted


def _both(first: OnEpoch | None, second: OnEpoch | None) -> OnEpoch:
    """Calls one after the other, as far as they are there."""

    def call(epoch: Epoch) -> None:
        for each in (first, second):
            if each is not None:
                each(epoch)

    return call


def _test(fitted: Fitted, validation: Selection, test: Selection) -> Tested:
    """Lets a network predict the test rows; the validation rows it has predicted already.

    Raises:
        TrainingError: It predicts infinity or not a number.
    """
    started = time.perf_counter()
    prediction = np.concatenate([fitted.predict(block) for block in test.blocks()])  # no copy of all attributes
    if not np.isfinite(prediction).all():
        raise TrainingError("its predictions of the test rows are not finite; lower its learning rate")
    assert fitted.validation_prediction is not None
    return Tested([fitted.validation_prediction, prediction], fitted.seconds, [0.0, time.perf_counter() - started])


def _record(
    trial: Trial,
    data: MatrixData,
    split: Split,
    run: RunDirectory,
    trainer: Trainer,
    tested: Tested,
    network: Fitted | None = None,
) -> dict[str, Any]:
    """Writes what a model came to; its predictions are those of the validation and of the test rows."""
    parts = {"validation": split.validation, "test": split.test}
    targets = {name: data.rows.target[part] for name, part in parts.items()}
    predictions = dict(zip(parts, tested.predictions, strict=True))
    result = make_result(
        trial,
        trainer,
        unit=data.unit,
        rows=(len(split.learnt), len(split.validation), len(split.test)),
        validation=evaluate(targets["validation"], predictions["validation"]),
        test=evaluate(targets["test"], predictions["test"]),
        epochs=len(network.history) if network else None,
        best_epoch=network.best_epoch if network else None,
        train_seconds=tested.seconds,
        predict_seconds=tested.predict_seconds[-1],
    )
    tables = [
        pd.DataFrame(
            {
                "part": name,
                "formula": data.formulas[part],
                "target": targets[name],
                "prediction": predictions[name],
            }
        )
        for name, part in parts.items()
    ]
    history = network.history if network else None
    run.complete(trial.id, result, pd.concat(tables, ignore_index=True), history)
    return result


class _Recorder:
    """Writes down each epoch as it comes."""

    def __init__(self, run: RunDirectory, trial_id: str, events: EventLog) -> None:
        self._run = run
        self._trial_id = trial_id
        self._events = events
        self._history: list[Epoch] = []
        self._written = time.monotonic()

    def __call__(self, epoch: Epoch) -> None:
        self._history.append(epoch)
        self._events.add(epoch)
        if time.monotonic() - self._written >= _HISTORY_SECONDS:
            self._run.write_history(self._trial_id, self._history)
            self._written = time.monotonic()
