"""A network that several workers train together, through Ray Train."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import ray
import ray.train
from ray.train.torch import TorchConfig, TorchTrainer
from ray.tune.integration.ray_train import TuneReportCallback

from irnet_ray.distributed.assignment import Assignment, Reporter
from irnet_ray.distributed.early_stopping import NAME
from irnet_ray.distributed.memory import is_lack_of_memory
from irnet_ray.distributed.session import configure_environment
from irnet_ray.distributed.shards import OneBlockEach, read_shard, training_dataset
from irnet_ray.distributed.shared_storage import check_seen
from irnet_ray.errors import ConfigurationError, StorageError, TrainingError
from irnet_ray.model.workers import Workers
from irnet_ray.storage import PATIENCE_SECONDS
from irnet_ray.study.execute import MatrixData, Outcome, Part, execute, out_of_memory
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.trial import Trial


def train_together(assignment: Assignment) -> dict[str, Any] | None:
    """Does a trial by several workers, from within a Tune trial, which their reports become those of.

    A worker that dies is replaced, and all go on from the checkpoint, as often as ``trainer.restarts`` says.

    Returns:
        What to report last, where the workers could not do it.
    """
    configure_environment()
    trial, trainer = assignment.trial, assignment.trainer
    data: MatrixData = ray.get(assignment.data)
    train = data.rows.select(data.split.subset(trial.train_size).learnt)
    try:
        TorchTrainer(
            _work,
            train_loop_config={"assignment": assignment},
            torch_config=TorchConfig(backend="nccl" if trainer.gpus_per_worker else "gloo"),
            scaling_config=ray.train.ScalingConfig(
                num_workers=trainer.workers,
                use_gpu=trainer.gpus_per_worker > 0,
                resources_per_worker={"CPU": trainer.cpus_per_worker, "GPU": trainer.gpus_per_worker},
            ),
            run_config=ray.train.RunConfig(
                name=trial.id,
                storage_path=os.getcwd(),
                failure_config=ray.train.FailureConfig(max_failures=trainer.restarts),
                callbacks=[TuneReportCallback()],
            ),
            datasets={"train": training_dataset(train, trainer.workers)},
            dataset_config=OneBlockEach(),
        ).fit()
    except ray.train.WorkerGroupError as error:
        causes = list(error.worker_failures.values())
        for cause in causes:
            if isinstance(cause, StorageError):
                return {"storage_failure": str(cause)}
        run = RunDirectory(assignment.run_uri, PATIENCE_SECONDS)
        if (result := run.result_if_done(trial.id)) is not None:
            return asdict(Outcome(result))
        message = f"a worker ended {trainer.restarts + 1} times without a result ({_first_cause(causes, trial)})"
        run.fail(trial.id, message)
        return {"failure": message}
    return None


def _first_cause(causes: Sequence[Exception], trial: Trial) -> str:
    """Why workers ended, in a line; those that only lost their connection to another one tell nothing."""
    if any(is_lack_of_memory(f"{type(cause).__name__}: {cause}") for cause in causes):
        return out_of_memory(trial)
    lines = [str(cause).strip().splitlines() or [type(cause).__name__] for cause in causes]
    return min((first for first, *_ in lines), key=lambda line: "connection" in line.lower())


def _work(config: dict[str, Any]) -> None:
    """One worker's part of the trial."""
    assignment: Assignment = config["assignment"]
    trainer, trial = assignment.trainer, assignment.trial
    context = ray.train.get_context()
    device = "cuda" if trainer.gpus_per_worker else "cpu"
    workers = Workers(context.get_world_size(), context.get_world_rank(), device)
    run = RunDirectory(assignment.run_uri, PATIENCE_SECONDS)
    check_seen(run, assignment.holder)
    part = Part(workers, read_shard(ray.train.get_dataset_shard("train")))
    reporter = Reporter(assignment, ray.train.report)
    try:
        outcome = execute(
            trial,
            ray.get(assignment.data),
            run,
            trainer,
            reporter,
            should_stop=reporter.should_stop,
            stopped_by=NAME,
            part=part,
        )
        last: dict[str, Any] = asdict(outcome)
    except (TrainingError, ConfigurationError) as error:
        if workers.is_first:
            run.fail(trial.id, str(error))
        last = {"failure": str(error)}
    ray.train.report(last)
