"""What a study costs beyond its training: `python benchmarks/study_overhead.py`.

study: trials of some ten seconds on all cores. The time from the moment at which Ray has started and the data is
ready to the last trial's end, beside the sum of the times that its trials trained (with validation), over the cores.

textbook: the same networks, rows, seeds and epochs as textbook code, a `TorchTrainer` in each Tune trial; its training
is what its loops took, with Ray Data's batches in them. See `textbook.py`.

alone: small trials one at a time, so that no trial waits for a core: what each takes beyond training and predicting the
test rows. Worker processes start and import torch while the data is read; what is left of that is the first trial's.

All that is named runs once in each repetition, each in a process of its own, as a study is.
In a minute or two: `--repetitions 1 --trials 4 --rows 4000 --epochs 4`.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich.console import Console
from running import Record, in_fresh_process, parser_of, tell
from section import Section
from trials import add_trial_options, study_of

from irnet_ray.distributed.run import run_on_ray
from irnet_ray.distributed.session import session
from irnet_ray.study.featurize import compute_here
from irnet_ray.study.prepare import prepare
from irnet_ray.study.progress import Progress
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Study


class Stopwatch(Progress):
    """Notes when each trial ended, how long it trained and predicted, and its validation MAE."""

    def __init__(self, study: Study) -> None:
        trials = {trial.id: trial for trial in study.trials()}
        super().__init__(trials, dict.fromkeys(trials, 1.0), already_done=0, console=Console(quiet=True))
        self.ends: list[float] = []
        self.results: list[Mapping[str, Any]] = []

    def finished(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Notes the end of a trial."""
        self.ends.append(time.perf_counter())
        self.results.append(result)

    def values(self, column: str) -> list[float]:
        """What the trials' results say, in the order in which they ended."""
        return [float(result[column]) for result in self.results]


def measure_study(study: Study, cores: int) -> dict[str, float]:
    """Runs a study on so many cores.

    Returns:
        Times (s): wall, training, training and prediction, and what the first trial and the others took beyond these
        if they ran one at a time; and the mean validation MAE.
    """
    trials = study.trials()
    watch = Stopwatch(study)
    with tempfile.TemporaryDirectory() as folder, session(None, study.trainer, cores=cores):
        run = RunDirectory(folder)
        data = prepare(trials, compute_here)
        run.claim(study)
        started = time.perf_counter()
        with watch:
            run_on_ray(trials, data, run, study.trainer, watch)
        wall = time.perf_counter() - started
    if len(watch.results) < len(trials):
        raise RuntimeError(f"only {len(watch.results)} of {len(trials)} trials have a result")
    training, predicting = watch.values("train_seconds"), watch.values("predict_seconds")
    lengths = (end - begin for begin, end in itertools.pairwise([started, *watch.ends]))
    beyond = [each - train - predict for each, train, predict in zip(lengths, training, predicting, strict=True)]
    return {
        "wall": wall,
        "training": sum(training),
        "work": sum(training) + sum(predicting),
        "first beyond": beyond[0],
        "further beyond": sum(beyond[1:]) / max(1, len(beyond[1:])),
        "val_mae": sum(watch.values("val_mae")) / len(trials),
    }


def run_study(options: argparse.Namespace) -> dict[str, float]:
    """The study of trials of some ten seconds."""
    return measure_study(long_study(options), options.cores)


def run_textbook(options: argparse.Namespace) -> dict[str, float]:
    """The same as textbook code."""
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"  # Tune prints much otherwise
    from textbook import measure_textbook

    return measure_textbook(long_study(options), options.cores)


def run_alone(options: argparse.Namespace) -> dict[str, float]:
    """Small trials one at a time."""
    return measure_study(small_study(options), 1)


def long_study(options: argparse.Namespace) -> Study:
    """Trials of some ten seconds."""
    return study_of(options, {"base": "fast", "epochs": options.epochs}, range(options.trials))


def small_study(options: argparse.Namespace) -> Study:
    """Trials of some seconds."""
    small = argparse.Namespace(**{**vars(options), "rows": options.small_rows})
    return study_of(small, {"base": "fast", "epochs": options.small_epochs}, range(options.trials))


def comparison_section(measured: pd.DataFrame) -> Section:
    """Wall times of the study and of the textbook's, medians."""
    both = measured[measured["what"].isin(["study", "textbook"])]
    both = both.assign(program=both["what"].replace({"study": "irnet-ray"}), share=both["training"] / both["cores"])
    ours = both[both["what"] == "study"].set_index("repetition")
    both["beyond"] = both["wall"] / both["share"]
    both["to wall"] = both["wall"] / both["repetition"].map(ours["wall"])
    names = {
        "wall": "wall (s)",
        "training": "training (s)",
        "share": "training / cores (s)",
        "beyond": "wall / that",
        "to wall": "wall / irnet-ray's",
        "val_mae": "validation MAE",
    }
    table = both.groupby("program", sort=False)[list(names)].median().rename(columns=names).reset_index()
    trials, cores = both[["trials", "cores"]].iloc[0]
    return Section(f"{trials} trials on {cores} cores, medians of {both['repetition'].nunique()} repetitions", table)


def alone_section(measured: pd.DataFrame) -> Section:
    """What small trials cost, in each repetition."""
    alone = measured[measured["what"] == "alone"]
    alone = alone.assign(each=(alone["wall"] - alone["work"]) / alone["trials"])
    names = {
        "wall": "wall (s)",
        "work": "training, prediction (s)",
        "first beyond": "first trial beyond (s)",
        "further beyond": "each further beyond (s)",
        "each": "all of them (s a trial)",
    }
    return Section(
        f"{alone['trials'].iloc[0]} small trials, one at a time",
        alone[list(names)].rename(columns=names),
        f"Median: {alone['each'].median():.3f} s a trial beyond training and prediction.",
    )


PARTS = {"study": run_study, "textbook": run_textbook, "alone": run_alone}


def main() -> None:
    """Measures and prints."""
    parser = parser_of(__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    add_trial_options(parser)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--small-rows", type=int, default=4000, help="of 'alone' (%(default)s)")
    parser.add_argument("--small-epochs", type=int, default=5, help="of 'alone' (%(default)s)")
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    parts = options.parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    record = Record(options.output, "torch", "ray")
    prepare([*long_study(options).trials(), *small_study(options).trials()], compute_here)  # fills the feature cache
    measured = []
    for repetition, part in itertools.product(range(options.repetitions), parts):
        tell(f"repetition {repetition + 1} of {options.repetitions}: {part}")
        counts = {"repetition": repetition, "what": part, "trials": options.trials, "cores": options.cores}
        measured.append({**counts, **in_fresh_process(PARTS[part], options)})
        record.write(pd.DataFrame(measured))
    table = pd.DataFrame(measured)
    if {"study", "textbook"} & set(parts):
        print(comparison_section(table), end="\n\n")
    if "alone" in parts:
        print(alone_section(table))


if __name__ == "__main__":
    main()
