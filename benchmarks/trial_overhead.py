"""What a one-worker trial costs beyond its training: `python benchmarks/trial_overhead.py`.

Runs twelve small trials on Ray, one at a time so that no trial waits for a core, and compares the time from the first
trial's start to the last one's end with the sum of their training times. Prints a table of medians over repetitions.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from irnet_ray.distributed.run import run_on_ray
from irnet_ray.distributed.session import session
from irnet_ray.study.prepare import compute_missing_here, prepare
from irnet_ray.study.progress import Progress
from irnet_ray.study.read import read_study
from irnet_ray.study.run_directory import RunDirectory

STUDY = """
name: overhead
data: {{dataset: {{path: table.csv, properties: {{energy: eV/atom}}}}, property: energy, train_size: {rows}}}
models:
  networks: {{depth: 17, shortcut: layer, width: 0.25, recipe: {{base: fast, epochs: {epochs}}}}}
seeds: [{seeds}]
trainer: {{cpus: {cpus}}}
"""
ELEMENTS = ("Li", "Na", "K", "Mg", "Ca", "Sr", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Al")


class Stopwatch(Progress):
    """Notes when each trial ended and how long it trained."""

    def __enter__(self) -> Stopwatch:
        super().__enter__()
        self.ends: list[float] = []
        self.training: list[float] = []
        return self

    def finished(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Notes the end of a trial."""
        self.ends.append(time.perf_counter())
        self.training.append(float(result["train_seconds"]))


def make_table(folder: Path, rows: int) -> None:
    """Writes random ternary oxides with a property that depends on their composition."""
    generator = np.random.default_rng(0)
    metals = generator.choice(len(ELEMENTS), size=(rows, 2))
    amounts = generator.integers(1, 9, size=(rows, 3))
    formulas = [
        f"{ELEMENTS[first]}{a}{ELEMENTS[second]}{b}O{c}"
        for (first, second), (a, b, c) in zip(metals, amounts, strict=True)
    ]
    energy = metals.sum(axis=1) - amounts[:, 2]
    pd.DataFrame({"formula": formulas, "energy": energy}).to_csv(folder / "table.csv", index=False)


def measure(folder: Path, repetition: int, trials: int) -> tuple[float, float, float]:
    """Runs the trials once: total time, training time, and time to the first trial's end beyond its training (s)."""
    study = read_study(folder / "study.yaml")
    grid = study.trials()[:trials]
    data = prepare(grid, compute_missing_here)
    run = RunDirectory(str(folder / f"run{repetition}"))
    run.claim(study)
    watch = Stopwatch(
        {trial.id: trial for trial in grid},
        dict.fromkeys((trial.id for trial in grid), 1.0),
        already_done=0,
        console=Console(quiet=True),
    )
    started = time.perf_counter()
    with watch:
        run_on_ray(grid, data, run, study.trainer, watch)
    total = time.perf_counter() - started
    return total, sum(watch.training), watch.ends[0] - started - watch.training[0]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_table(folder, 2 * options.rows)
        seeds = ", ".join(str(seed) for seed in range(options.trials))
        study = STUDY.format(rows=options.rows, epochs=options.epochs, seeds=seeds, cpus=1)
        (folder / "study.yaml").write_text(study)
        trainer = read_study(folder / "study.yaml").trainer
        rows = []
        with session(None, trainer, cores=1):
            for repetition in range(options.repetitions):
                total, training, first = measure(folder, repetition, options.trials)
                rows.append((total, training, (total - training) / options.trials, first, total / training))
    columns = ["total (s)", "training (s)", "beyond training (s a trial)", "first trial (s)", "total / training"]
    table = pd.DataFrame(rows, columns=columns)
    print(f"{options.trials} trials, one at a time; the first trial of a repetition starts the worker process")
    print(table.round(3).to_string(index=False))
    print(f"\nmedian: {table['beyond training (s a trial)'].median():.3f} s a trial beyond its training")


if __name__ == "__main__":
    main()
