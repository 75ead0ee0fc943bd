"""The trials of a study in this one process, so that a debugger and a profiler work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from irnet_ray.errors import ConfigurationError, TrainingError
from irnet_ray.model.history import Epoch
from irnet_ray.study.execute import MatrixData, Outcome, execute
from irnet_ray.study.progress import Progress
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Trainer
from irnet_ray.study.trial import NetworkModel, Trial


def run_here(
    trials: Iterable[Trial],
    data: Mapping[str, MatrixData],
    run: RunDirectory,
    trainer: Trainer,
    progress: Progress,
) -> None:
    """Trains one trial after the other; results equal those of Ray's workers.

    A trial that cannot be trained, or whose loss is not finite, is recorded as failed, and the study goes on.

    Args:
        trials: What is not done; the next is asked for when the last has ended.
        data: Rows by matrix.
        run: Where to record the trials.
        trainer: Threads and device.
        progress: Where to show them.

    Raises:
        StorageError: The run directory cannot be written.
    """
    for trial in trials:
        try:
            outcome = execute(
                trial,
                data[trial.matrix.canonical()],
                run,
                trainer,
                lambda epoch, trial=trial: show_epoch(progress, trial, epoch),  # type: ignore[misc]
            )
        except (TrainingError, ConfigurationError) as error:
            run.fail(trial.id, str(error))
            progress.failed(trial.id, str(error))
        else:
            show_outcome(progress, trial, outcome)


def show_outcome(progress: Progress, trial: Trial, outcome: Outcome) -> None:
    """Shows how a trial ended."""
    if outcome.result is not None:
        progress.finished(trial.id, outcome.result)
    elif outcome.stopped is not None:
        progress.stopped(trial.id, outcome.stopped)
    elif outcome.cut is not None:
        progress.stopped(trial.id, outcome.cut)


def show_epoch(progress: Progress, trial: Trial, epoch: Epoch) -> None:
    """Shows how far a network is."""
    assert isinstance(trial.model, NetworkModel)
    progress.epoch(trial.id, epoch.epoch, trial.model.recipe.epochs, epoch.val_mae)
