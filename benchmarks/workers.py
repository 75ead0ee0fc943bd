"""What more workers bring to one trial: `python benchmarks/workers.py`.

Trains the same network with 1, 2 and more workers of one core each (as many as there are cores), a few seeds each, one
trial at a time through `run_study`, that is, on Ray. Several workers have each their own batch norm, as is the default;
with the first seed also a synchronized one, which makes the steps of one worker, but slowly. An epoch takes the median
of its trial's epochs after the first, validation included; its error is the validation MAE of the best epoch. The batch
size is that of all workers together, so that all take the same number of steps. "beyond" is what a trial takes beyond
training and predicting the test rows, with Ray's start and reading the data in it.

In two minutes: `--rows 2000 --epochs 3 --seeds 0`.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Sequence

import pandas as pd
from rich.console import Console
from running import Record, in_fresh_process, parser_of, tell
from section import Section
from trials import add_trial_options, study_of

from irnet_ray.distributed.launch import run_study
from irnet_ray.study.featurize import compute_here
from irnet_ray.study.prepare import prepare
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Study

ARM = ["workers", "batch norm"]


def study_with(options: argparse.Namespace, workers: int, synchronized: bool, seed: int) -> Study:
    """A study of one trial."""
    recipe = {"base": options.recipe, "epochs": options.epochs, "batch_size": options.batch_size}
    trainer = {"workers": workers, "cpus_per_worker": 1, "synchronized_batch_norm": synchronized}
    return study_of(options, recipe, [seed], trainer)


def trials(counts: Sequence[int], seeds: Sequence[int]) -> list[tuple[int, int, bool]]:
    """Seeds, numbers of workers, and whether their batch norm is synchronized, which means nothing to one."""
    return [
        (seed, workers, synchronized)
        for seed, workers, synchronized in itertools.product(seeds, counts, (False, True))
        if not synchronized or (workers > 1 and seed == seeds[0])
    ]


def measure(study: Study) -> dict[str, object]:
    """Runs a study of one trial; gives its times (s) and errors."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = RunDirectory(folder)
        results = run_study(study, run, console=Console(quiet=True))
        if results.empty:
            raise RuntimeError(f"the trial failed: {run.failures()}")
        result = results.iloc[0]
        history = run.history(result["trial_id"])
    wall = time.perf_counter() - started
    return {
        "workers": study.trainer.workers,
        "batch norm": "synchronized" if study.trainer.synchronized_batch_norm else "each worker's",
        "seed": result["seed"],
        "epoch": history["seconds"].diff().median(),
        "training": result["train_seconds"],
        "beyond": wall - result["train_seconds"] - result["predict_seconds"],
        "val_mae": result["val_mae"],
    }


def speed_section(measured: pd.DataFrame) -> Section:
    """Medians over the seeds."""
    table = measured.groupby(ARM)[["epoch", "training", "beyond"]].median()
    names = {"epoch": "an epoch (s)", "training": "training (s)", "beyond": "beyond (s)"}
    speedup = table["epoch"].iloc[0] / table["epoch"]
    table = table.rename(columns=names).assign(speedup=speedup)
    return Section("Time of a trial", table.reset_index())


def error_section(measured: pd.DataFrame) -> Section:
    """Errors over the seeds, beside their spread with the fewest workers."""
    errors = measured.groupby(ARM)["val_mae"]
    table = errors.agg(["count", "mean", "min", "max", "std"])
    table = table.assign(difference=table["mean"] - table["mean"].iloc[0])
    one = table.iloc[0]
    table["within the spread"] = [one["min"] <= mean <= one["max"] for mean in table["mean"]]
    names = {"count": "seeds", "min": "lowest", "max": "highest", "std": "standard deviation"}
    return Section("Validation MAE over the seeds", table.rename(columns=names).reset_index())


def counts_that_fit() -> list[int]:
    """1, 2, 4 and so on, up to the number of cores."""
    cores = os.cpu_count() or 1
    return list(itertools.takewhile(lambda count: count <= cores, (2**power for power in itertools.count())))


def main() -> None:
    """Measures and prints."""
    parser = parser_of(__doc__)
    add_trial_options(parser)
    parser.add_argument("--workers", type=int, nargs="+", default=counts_that_fit())
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(6)))
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=256, help="of all workers together (%(default)s)")
    options = parser.parse_args()
    record = Record(options.output, "torch", "ray")
    prepare(study_with(options, 1, False, 0).trials(), compute_here)  # fills the feature cache
    measured = []
    for seed, workers, synchronized in trials(options.workers, options.seeds):
        tell(f"seed {seed}: {workers} workers" + (", synchronized" if synchronized else ""))
        measured.append(in_fresh_process(measure, study_with(options, workers, synchronized, seed)))
        record.write(pd.DataFrame(measured))
    table = pd.DataFrame(measured)
    print(speed_section(table), error_section(table), sep="\n\n")


if __name__ == "__main__":
    main()
