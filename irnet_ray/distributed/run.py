"""Trials through Ray Tune: reused processes, one shared matrix on each node, our own files as the record."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

import ray
from ray import tune
from ray.tune.execution import class_cache

from irnet_ray.errors import StorageError, TrainingError
from irnet_ray.model.history import Epoch
from irnet_ray.study.execute import MatrixData, execute
from irnet_ray.study.local import show_epoch
from irnet_ray.study.progress import Progress
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Trainer
from irnet_ray.study.trial import Trial

_REPORT_SECONDS = 1.0  # least time between two reports of a trial: each one stops it for a moment
_RESTARTS = 2  # of a trial whose process died; it goes on from its checkpoint


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
    function = tune.with_parameters(_train, trials=by_id, shared=shared, run_uri=run.uri, trainer=trainer)
    watcher = _Watcher(by_id, run, progress)
    with tempfile.TemporaryDirectory(prefix="irnet-ray-tune-") as scratch:
        tune.Tuner(
            tune.with_resources(function, {"cpu": trainer.cpus, "gpu": trainer.gpus}),
            param_space={"trial_id": tune.grid_search(list(by_id))},
            tune_config=tune.TuneConfig(reuse_actors=True),
            run_config=tune.RunConfig(
                storage_path=scratch,
                callbacks=[watcher],
                stop=watcher.stopper,
                failure_config=tune.FailureConfig(max_failures=_RESTARTS),
                verbose=0,
            ),
        ).fit()
    if watcher.stopper.reason is not None:
        raise StorageError(watcher.stopper.reason)


def _take_waiting_workers() -> None:
    """Lets trials run in the workers that Ray started ahead, with torch imported.

    Tune gives its processes a variable that is meant for PyTorch Lightning, and whatever has an environment of its
    own gets a new process: that costs a study five seconds. A Ray without this table is merely slower.
    """
    vars(class_cache).get("DEFAULT_ENV_VARS", {}).clear()


def _train(
    config: dict[str, Any],
    trials: Mapping[str, Trial],
    shared: Mapping[str, Any],
    run_uri: str,
    trainer: Trainer,
) -> None:
    """Does one trial in a worker; what it ends in goes back as its last report."""
    trial = trials[config["trial_id"]]
    run = RunDirectory(run_uri)
    data: MatrixData = ray.get(shared[trial.matrix.canonical()])
    try:
        outcome: dict[str, Any] = {"result": execute(trial, data, run, trainer, _Reporter())}
    except TrainingError as error:
        run.fail(trial.id, str(error))
        outcome = {"failure": str(error)}
    except StorageError as error:
        outcome = {"storage_failure": str(error)}
    tune.report(outcome)


class _Reporter:
    """Tells the driver from time to time how far a trial is."""

    def __init__(self) -> None:
        self._reported = time.monotonic()

    def __call__(self, epoch: Epoch) -> None:
        if time.monotonic() - self._reported >= _REPORT_SECONDS:
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

    def __init__(self, trials: Mapping[str, Trial], run: RunDirectory, progress: Progress) -> None:
        self.stopper = _Stopper()
        self._trials = trials
        self._run = run
        self._progress = progress

    def __getstate__(self) -> dict[str, Any]:
        """Leaves out what is open: Tune pickles its callbacks to restore them, which we never do."""
        return {}

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any) -> None:
        known = self._trials[trial.config["trial_id"]]
        if "result" in result:
            self._progress.finished(known.id, result["result"])
        elif "failure" in result:
            self._progress.failed(known.id, result["failure"])
        elif "storage_failure" in result:
            self.stopper.reason = result["storage_failure"]
        elif "epoch" in result:
            show_epoch(self._progress, known, result["epoch"])

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        known = self._trials[trial.config["trial_id"]]
        message = f"its process ended {_RESTARTS + 1} times without a result; the logs of Ray tell why"
        self._run.fail(known.id, message)
        self._progress.failed(known.id, message)
