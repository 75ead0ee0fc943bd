"""A grid of trials as Ray's documentation teaches it: a `TorchTrainer` in each Tune trial.

Each trial is a module-level function that builds a `TorchTrainer` of one worker. Its loop asks Ray Data for each batch
of each epoch and reports each epoch. It has it easier than in a tutorial: the rows are standardized before and lie in
Ray's object store, and Ray is told of three times the cores, so that trials, workers and tasks of Ray Data never wait
for one another. Only as many trials run at a time as there are cores.
"""

from __future__ import annotations

import logging
import math
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import ray
import ray.train
import ray.train.torch
import torch
from contestants import Pupil, arrow_table
from ray import tune
from ray.tune.integration.ray_train import TuneReportCallback

from irnet_ray.model.architecture import Architecture
from irnet_ray.model.recipe import Recipe
from irnet_ray.model.rows import Standardization
from irnet_ray.study.execute import configure_process
from irnet_ray.study.featurize import compute_here
from irnet_ray.study.prepare import prepare
from irnet_ray.study.spec import Study, Trainer

SHUFFLE_BUFFER = 2048  # rows
ROWS_TO_PREDICT = 8192


def measure_textbook(study: Study, cores: int) -> dict[str, float]:
    """Trains a study's trials.

    Returns:
        Wall time after Ray has started and the data lies in it (s), the sum of the times that the loops took (s), and
        the mean validation MAE.
    """
    trials = study.trials()
    ray.init(
        address="local", num_cpus=3 * cores, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
    )
    try:
        rows, shared = put_rows(study)
        configurations = [
            {
                **shared,
                "architecture": trial.model.architecture,
                "recipe": trial.model.recipe.model_dump(),
                "seed": seed,
            }
            for trial, seed in zip(trials, study.seeds, strict=True)
        ]
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            metrics = run_grid(configurations, rows, cores, folder)
            seconds = time.perf_counter() - started
    finally:
        ray.shutdown()
    return {
        "wall": seconds,
        "training": sum(each["seconds"] for each in metrics),
        "val_mae": float(np.mean([each["best"] for each in metrics])),
    }


def put_rows(study: Study) -> tuple[dict[str, ray.data.Dataset], dict[str, Any]]:
    """Puts standardized rows into Ray's object store, and tells what a loop must know of them."""
    trial = study.trials()[0]
    (data,) = prepare([trial], compute_here).values()
    split = data.split.subset(trial.train_size)
    train = data.rows.take(split.train)
    inputs, target = Standardization.of(train.inputs, limit=10.0), Standardization.of(train.target[:, None])
    rows = {}
    for name, part in (("train", train), ("validation", data.rows.take(split.validation))):
        table = arrow_table(inputs.apply(part.inputs), target.apply(part.target[:, None])[:, 0])
        rows[name] = ray.data.from_arrow(table).materialize()
    steps = math.ceil(len(train) / trial.model.recipe.batch_size)
    return rows, {"attributes": train.attributes, "steps": steps, "unit": float(target.scale[0])}


def run_grid(
    configurations: list[dict[str, Any]], rows: dict[str, ray.data.Dataset], cores: int, folder: str
) -> list[Mapping[str, Any]]:
    """Runs one Tune trial for each configuration; gives the last metrics of each."""
    results = tune.Tuner(
        tune.with_parameters(train_trial, rows=rows, folder=folder),
        param_space={"configuration": tune.grid_search(configurations)},
        tune_config=tune.TuneConfig(max_concurrent_trials=cores),
        run_config=tune.RunConfig(name="tune", storage_path=folder, verbose=0),
    ).fit()
    if results.num_errors:
        raise RuntimeError(f"trials of the textbook's grid failed: {results.errors[0]}")
    return [result.metrics for result in results]


def train_trial(config: dict[str, Any], rows: dict[str, ray.data.Dataset], folder: str) -> None:
    """One Tune trial."""
    ray.train.torch.TorchTrainer(
        train_loop,
        train_loop_config=config["configuration"],
        datasets=rows,
        scaling_config=ray.train.ScalingConfig(num_workers=1),
        run_config=ray.train.RunConfig(
            name=tune.get_context().get_trial_id(),
            storage_path=str(Path(folder, "train")),
            callbacks=[TuneReportCallback()],
        ),
    ).fit()


def train_loop(config: dict[str, Any]) -> None:
    """What the one worker of a trial does."""
    configure_process(Trainer())
    started = time.perf_counter()
    recipe = Recipe.model_validate(config["recipe"])
    architecture = Architecture.parse(config["architecture"])
    pupil = Pupil.of(architecture, recipe, config["attributes"], config["steps"], config["seed"])
    train, validation = (ray.train.get_dataset_shard(name) for name in ("train", "validation"))
    best = math.inf
    for epoch in range(recipe.epochs):
        pupil.network.train()
        for batch in train.iter_torch_batches(
            batch_size=recipe.batch_size, local_shuffle_buffer_size=SHUFFLE_BUFFER, local_shuffle_seed=epoch
        ):
            pupil.step(batch["inputs"], batch["target"])
        val_mae = config["unit"] * validate(pupil.network, validation)
        best = min(best, val_mae)
        seconds = time.perf_counter() - started
        ray.train.report({"epoch": epoch + 1, "val_mae": val_mae, "best": best, "seconds": seconds})


@torch.inference_mode()
def validate(network: torch.nn.Module, validation: ray.data.DataIterator) -> float:
    """Mean absolute error, in standard deviations of the property."""
    network.eval()
    errors = [
        (network(batch["inputs"]) - batch["target"]).abs()
        for batch in validation.iter_torch_batches(batch_size=ROWS_TO_PREDICT)
    ]
    return float(torch.cat(errors).mean())
