"""What a one-worker trial costs beyond its training: `python benchmarks/trial_overhead.py`.

Runs twelve small trials on Ray, one at a time so that no trial waits for a core, and compares the time from the moment
at which the data is ready to the last trial's end with the sum of the times in which they trained and predicted the
test rows. Worker processes start and import torch while the data is read; what is left of that is the first trial's.
Each repetition is a process of its own, as a study is.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from irnet_ray.distributed.run import run_on_ray
from irnet_ray.distributed.session import session
from irnet_ray.study.featurize import compute_here
from irnet_ray.study.prepare import prepare
from irnet_ray.study.progress import Progress
from irnet_ray.study.read import read_study
from irnet_ray.study.run_directory import RunDirectory

STUDY = """
name: overhead
data: {{dataset: {dataset}, property: {property}, train_size: {rows}}}
models:
  networks: {{depth: 17, shortcut: layer, width: 0.25, recipe: {{base: fast, epochs: {epochs}}}}}
seeds: [{seeds}]
"""


class Stopwatch(Progress):
    """Notes when each trial ended, and how long it trained and predicted."""

    def __enter__(self) -> Stopwatch:
        super().__enter__()
        self.ends: list[float] = []
        self.work: list[float] = []
        return self

    def finished(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Notes the end of a trial."""
        self.ends.append(time.perf_counter())
        self.work.append(float(result["train_seconds"]) + float(result["predict_seconds"]))

    def lengths(self, started: float) -> list[float]:
        """Time that each trial took, one after the other (s)."""
        return [end - begin for begin, end in itertools.pairwise([started, *self.ends])]


def measure(path: Path, folder: Path) -> dict[str, float]:
    """Runs the study once, from Ray's start to the last trial's end (s)."""
    study = read_study(path)
    trials = study.trials()
    run = RunDirectory(str(folder))
    run.claim(study)
    works = dict.fromkeys((trial.id for trial in trials), 1.0)
    watch = Stopwatch({trial.id: trial for trial in trials}, works, already_done=0, console=Console(quiet=True))
    begun = time.perf_counter()
    with session(None, study.trainer, cores=1):
        data = prepare(trials, compute_here)
        started = time.perf_counter()
        with watch:
            run_on_ray(trials, data, run, study.trainer, watch)
        total = time.perf_counter() - started
    beyond = [length - work for length, work in zip(watch.lengths(started), watch.work, strict=True)]
    return {
        "Ray and data (s)": started - begun,
        "training, prediction (s)": sum(watch.work),
        "first trial beyond (s)": beyond[0],
        "each further beyond (s)": sum(beyond[1:]) / len(beyond[1:]),
        "all of them (s a trial)": (total - sum(watch.work)) / len(trials),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="oqmd", help="ricci_transport needs no download")
    parser.add_argument("--property", default="formation_enthalpy")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    seeds = ", ".join(str(seed) for seed in range(options.trials))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "study.yaml"
        path.write_text(STUDY.format(**vars(options), seeds=seeds))
        prepare(read_study(path).trials(), compute_here)  # fills the feature cache
        spawning = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawning, max_tasks_per_child=1) as pool:
            folders = [Path(name) / f"run{number}" for number in range(options.repetitions)]
            rows = list(pool.map(measure, [path] * options.repetitions, folders))
    table = pd.DataFrame(rows)
    print(f"{options.trials} trials, one at a time")
    print(table.round(3).to_string(index=False))
    print(f"\nmedian: {table['all of them (s a trial)'].median():.3f} s a trial beyond training and prediction")


if __name__ == "__main__":
    main()
