"""Trials through Ray Tune: reused processes, one shared matrix on each node, our own files as the record."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.execution import class_cache

from irnet_ray.distributed.assignment import Assignment, Reporter, from_config, to_config
from irnet_ray.distributed.early_stopping import NAME, AshaOfEachGroup, rungs_of, start_decisions
from irnet_ray.distributed.memory import is_lack_of_memory, outlive_lack_of_memory
from irnet_ray.distributed.reservations import Reservations
from irnet_ray.distributed.resources import slots
from irnet_ray.distributed.search import SampleSearcher
from irnet_ray.distributed.shared_storage import check_seen, holder_on_disk
from irnet_ray.distributed.train import train_together
from irnet_ray.errors import ConfigurationError, StorageError, TrainingError
from irnet_ray.storage import PATIENCE_SECONDS
from irnet_ray.study.execute import MatrixData, Outcome, execute, out_of_memory
from irnet_ray.study.local import show_epoch, show_outcome
from irnet_ray.study.progress import Progress
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.search import Samples
from irnet_ray.study.space import EarlyStopping
from irnet_ray.study.spec import Trainer
from irnet_ray.study.trial import Trial

_REPORT_SECONDS = 1.0  # least time between two reports of a trial: each one stops it for a moment
_AS_MANY_AS_THERE_ARE = -1


@dataclass(frozen=True)
class Scheduling:
    """How poor trials are ended early.

    Attributes:
        settings: When.
        ended: Trials that ended in an earlier run, to compare with.
    """

    settings: EarlyStopping
    ended: Sequence[Trial] = ()


def run_on_ray(
    trials: Sequence[Trial],
    data: Mapping[str, MatrixData],
    run: RunDirectory,
    trainer: Trainer,
    progress: Progress,
    scheduling: Scheduling | None = None,
) -> None:
    """Trains trials on the connected cluster, as many at a time as it has room for.

    A trial that cannot be trained, whose loss is not finite, or whose process dies again and again, is recorded as
    failed, and the study goes on.

    Args:
        trials: What is not done, in the order in which to start them.
        data: Rows by matrix.
        run: Where to record the trials; every node must reach it.
        trainer: What each trial runs on.
        progress: Where to show them.
        scheduling: How poor trials are ended early, if they are.

    Raises:
        StorageError: The run directory cannot be written.
    """
    watcher = _Watcher(run, progress, trainer)
    space = {"trial": tune.grid_search([to_config(trial)["trial"] for trial in trials])}
    _tune(data, run, trainer, watcher, scheduling, param_space=space)


def search_on_ray(
    samples: Samples,
    data: Mapping[str, MatrixData],
    run: RunDirectory,
    trainer: Trainer,
    progress: Progress,
    scheduling: Scheduling | None = None,
) -> None:
    """Trains the samples of a search, as ``run_on_ray`` does trials.

    Raises:
        StorageError: The run directory cannot be written.
    """
    watcher = _Watcher(run, progress, trainer)
    searcher = SampleSearcher(samples, watcher.stopper.stop)
    _tune(data, run, trainer, watcher, scheduling, search_alg=searcher, num_samples=_AS_MANY_AS_THERE_ARE)


def _tune(
    data: Mapping[str, MatrixData],
    run: RunDirectory,
    trainer: Trainer,
    watcher: _Watcher,
    scheduling: Scheduling | None,
    *,
    param_space: dict[str, Any] | None = None,
    **what: Any,
) -> None:
    """Lets Tune start trials and waits until all have ended."""
    _take_waiting_workers()
    outlive_lack_of_memory()
    decisions = start_decisions() if scheduling else None
    scheduler = AshaOfEachGroup(scheduling.settings, decisions) if scheduling else None
    if scheduler is not None and scheduling is not None:
        scheduler.learn(run, scheduling.ended)
    shared, uri = {key: ray.put(matrix) for key, matrix in data.items()}, run.uri
    holder = holder_on_disk(run)

    def assign(trial: Trial) -> Assignment:
        rungs = rungs_of(trial, scheduling.settings if scheduling else None)
        rows = shared[trial.matrix.canonical()]
        return Assignment(trial, rows, uri, trainer, _REPORT_SECONDS, rungs, decisions, holder)

    function = tune.with_parameters(_train, assign=assign)
    with tempfile.TemporaryDirectory(prefix="irnet-ray-tune-") as scratch:
        tune.Tuner(
            tune.with_resources(function, lambda config: _resources(assign(from_config(config)))),
            param_space=param_space,
            tune_config=tune.TuneConfig(
                scheduler=scheduler,
                reuse_actors=True,
                max_concurrent_trials=slots(trainer),
                trial_dirname_creator=_trial_id,
                **what,
            ),
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


def _trial_id(trial: Any) -> str:
    """Names the folder in which Tune keeps its notes on a trial."""
    return from_config(trial.config).id


def _resources(assignment: Assignment) -> tune.PlacementGroupFactory:
    """What Tune sets aside for a trial.

    Workers that train together have a placement group of their own; what starts them and waits needs no core, and
    Tune wants to set aside something. There are no more trials at a time than the cluster has room for, or is to have.
    """
    if assignment.is_shared:
        return tune.PlacementGroupFactory([{"memory": 1}])
    trainer = assignment.trainer
    return tune.PlacementGroupFactory([{"CPU": trainer.cpus_per_worker, "GPU": trainer.gpus_per_worker}])


def _take_waiting_workers() -> None:
    """Lets trials run in the workers that Ray started ahead, with torch imported.

    Tune gives its processes a variable that is meant for PyTorch Lightning, and whatever has an environment of its
    own gets a new process: that costs a study five seconds. A Ray without this table is merely slower.
    """
    vars(class_cache).get("DEFAULT_ENV_VARS", {}).clear()


def _train(config: dict[str, Any], assign: Callable[[Trial], Assignment]) -> None:
    """Does one trial in a process that Tune made for it; what it ends in goes back as its last report."""
    assignment = assign(from_config(config))
    last = train_together(assignment) if assignment.is_shared else _train_alone(assignment)
    if last is not None:
        tune.report(last)


def _train_alone(assignment: Assignment) -> dict[str, Any]:
    """Does one trial in this process."""
    trial, run = assignment.trial, RunDirectory(assignment.run_uri, PATIENCE_SECONDS)
    data: MatrixData = ray.get(assignment.data)
    reporter = Reporter(assignment, tune.report)
    try:
        check_seen(run, assignment.holder)
        try:
            outcome = execute(
                trial, data, run, assignment.trainer, reporter, should_stop=reporter.should_stop, stopped_by=NAME
            )
        except (TrainingError, ConfigurationError) as error:
            run.fail(trial.id, str(error))
            return {"failure": str(error)}
    except StorageError as error:
        return {"storage_failure": str(error)}
    return asdict(outcome)


class _Stopper(tune.Stopper):
    """Ends the study once the run directory cannot be written."""

    reason: str | None = None

    def stop(self, reason: str) -> None:
        """Ends the study."""
        self.reason = reason

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self.reason is not None


class _Watcher(tune.Callback):
    """Shows what trials report, and frees what those that died had set aside."""

    def __init__(self, run: RunDirectory, progress: Progress, trainer: Trainer) -> None:
        self.stopper = _Stopper()
        self._restarts = trainer.restarts
        self._run = run
        self._progress = progress
        self._reservations = Reservations() if trainer.workers > 1 else None

    def __getstate__(self) -> dict[str, Any]:
        """Leaves out what is open: Tune pickles its callbacks to restore them, which we never do."""
        return {}

    def on_step_begin(self, iteration: int, trials: list[Any], **_: Any) -> None:
        if self._reservations is not None:
            self._reservations.free_abandoned()

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any) -> None:
        known = from_config(trial.config)
        if "result" in result:
            show_outcome(self._progress, known, Outcome(result["result"], result["stopped"], result["cut"]))
        elif "failure" in result:
            self._progress.failed(known.id, result["failure"])
        elif "storage_failure" in result:
            self.stopper.stop(result["storage_failure"])
        elif "epoch" in result:
            show_epoch(self._progress, known, result["epoch"])

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        known = from_config(trial.config)
        message = f"its process ended {self._restarts + 1} times without a result ({_reason(trial.error_file, known)})"
        try:
            if (result := self._run.result_if_done(known.id)) is not None:
                show_outcome(self._progress, known, Outcome(result))
                return
            self._run.fail(known.id, message)
        except StorageError as error:
            self.stopper.stop(str(error))
        self._progress.failed(known.id, message)


def _reason(error_file: str | None, trial: Trial) -> str:
    """The last line of what Ray tells of a trial's error; where memory lacked, ours, as Ray's is on its settings."""
    file = Path(error_file or "")
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    text = text.rpartition("Failure # ")[2]  # Tune appends those of each try
    if is_lack_of_memory(text):
        return out_of_memory(trial)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "Ray does not tell why"
