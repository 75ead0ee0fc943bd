"""Trials through Ray Tune: reused processes, one shared matrix on each node, our own files as the record."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

import ray
from ray import tune
from ray.tune.execution import class_cache

from irnet_ray.distributed.session import slots
from irnet_ray.distributed.train import Assignment, train_together
from irnet_ray.errors import StorageError, TrainingError
from irnet_ray.model.history import Epoch
from irnet_ray.study.execute import MatrixData, Outcome, execute
from irnet_ray.study.local import show_epoch, show_outcome
from irnet_ray.study.progress import Progress
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Trainer
from irnet_ray.study.trial import NetworkModel, Trial

_REPORT_SECONDS = 1.0  # least time between two reports of a trial: each one stops it for a moment


def run_on_ray(
    trials: Sequence[Trial],
    data: Mapping[str, MatrixData],
    run: RunDirectory,
    trainer: Trainer,
    progress: Progress,
) -> None:
    """Trains trials on the connected cluster, as many at a time as it has room for.

    A trial whose loss is not finite, or whose process dies again and again, is recorded as failed, and
    the study goes on.

    Args:
        trials: What is not done, in the order in which to start them.
        data: Rows by matrix.
        run: Where to record the trials; every node must reach it.
        trainer: What each trial runs on.
        progress: Where to show them.

    Raises:
        StorageError: The run directory cannot be written.
    """
    _take_waiting_workers()
    by_id = {trial.id: trial for trial in trials}
    shared = {key: ray.put(matrix) for key, matrix in data.items()}
    assignments = {
        trial.id: Assignment(trial, shared[trial.matrix.canonical()], run.uri, trainer, _REPORT_SECONDS)
        for trial in trials
    }
    function = tune.with_parameters(_train, assignments=assignments)
    watcher = _Watcher(by_id, run, progress, trainer.restarts)
    with tempfile.TemporaryDirectory(prefix="irnet-ray-tune-") as scratch:
        tune.Tuner(
            tune.with_resources(function, lambda config: _resources(by_id[config["trial_id"]], trainer)),
            param_space={"trial_id": tune.grid_search(list(by_id))},
            tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=slots(trainer)),
            run_config=tune.RunConfig(
                storage_path=scratch,
                callbacks=[watcher],
                stop=watcher.stopper,
                failure_config=tune.FailureConfig(max_failures=trainer.restarts),
                verbose=0,
            ),
        ).fit()
    if watcher.stopper.reason is not None:
        raise StorageError(watcher.stopper.reason)


def _resources(trial: Trial, trainer: Trainer) -> tune.PlacementGroupFactory:
    """What Tune sets aside for a trial.

    Workers that train together have a placement group of their own; what starts them and waits needs no core, and
    Tune wants to set aside something. There are never more trials at a time than the cluster has room for.
    """
    if _is_shared(trial, trainer):
        return tune.PlacementGroupFactory([{"memory": 1}])
    return tune.PlacementGroupFactory([{"CPU": trainer.cpus_per_worker, "GPU": trainer.gpus_per_worker}])


def _is_shared(trial: Trial, trainer: Trainer) -> bool:
    return trainer.workers > 1 and isinstance(trial.model, NetworkModel)


def _take_waiting_workers() -> None:
    """Lets trials run in the workers that Ray started ahead, with torch imported.

    Tune gives its processes a variable that is meant for PyTorch Lightning, and whatever has an environment of its
    own gets a new process: that costs a study five seconds. A Ray without this table is merely slower.
    """
    vars(class_cache).get("DEFAULT_ENV_VARS", {}).clear()


def _train(config: dict[str, Any], assignments: Mapping[str, Assignment]) -> None:
    """Does one trial in a process that Tune made for it; what it ends in goes back as its last report."""
    assignment = assignments[config["trial_id"]]
    shared = _is_shared(assignment.trial, assignment.trainer)
    last = train_together(assignment) if shared else _train_alone(assignment)
    if last is not None:
        tune.report(last)


def _train_alone(assignment: Assignment) -> dict[str, Any]:
    """Does one trial in this process."""
    trial, run = assignment.trial, RunDirectory(assignment.run_uri)
    data: MatrixData = ray.get(assignment.data)
    try:
        outcome = execute(trial, data, run, assignment.trainer, _Reporter(assignment.report_seconds))
    except TrainingError as error:
        run.fail(trial.id, str(error))
        return {"failure": str(error)}
    except StorageError as error:
        return {"storage_failure": str(error)}
    return {"result": outcome.result, "stopped": outcome.stopped}


class _Reporter:
    """Tells the driver from time to time how far a trial is."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._reported = time.monotonic()

    def __call__(self, epoch: Epoch) -> None:
        if time.monotonic() - self._reported >= self._seconds:
            tune.report({"epoch": epoch})
            self._reported = time.monotonic()


class _Stopper(tune.Stopper):
    """Ends the study once the run directory cannot be written."""

    reason: str | None = None

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self.reason is not None


class _Watcher(tune.Callback):
    """Shows what trials report."""

    def __init__(self, trials: Mapping[str, Trial], run: RunDirectory, progress: Progress, restarts: int) -> None:
        self.stopper = _Stopper()
        self._restarts = restarts
        self._trials = trials
        self._run = run
        self._progress = progress

    def __getstate__(self) -> dict[str, Any]:
        """Leaves out what is open: Tune pickles its callbacks to restore them, which we never do."""
        return {}

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any) -> None:
        known = self._trials[trial.config["trial_id"]]
        if "result" in result:
            show_outcome(self._progress, known, Outcome(result["result"], result["stopped"]))
        elif "failure" in result:
            self._progress.failed(known.id, result["failure"])
        elif "storage_failure" in result:
            self.stopper.reason = result["storage_failure"]
        elif "epoch" in result:
            show_epoch(self._progress, known, result["epoch"])

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        known = self._trials[trial.config["trial_id"]]
        message = f"its process ended {self._restarts + 1} times without a result; the logs of Ray tell why"
        self._run.fail(known.id, message)
        self._progress.failed(known.id, message)
