"""What scheduling costs where a study has thousands of trials: `python benchmarks/many_trials.py`.

The trials are trees on a small table, and run on many simulated nodes of one core, as processes of this machine. Next
to how long all took stand the processor time of the driver, which schedules and shows them, its memory, and how long
it takes afterwards to list them, to gather their results, and to build their report. Each number of trials is done by
a driver of its own. Simulated nodes take some 300 MB each.

In a minute or two: `--trials 100 200 --nodes 2`.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from running import Record, in_fresh_process, parser_of, tell
from section import Section

from irnet_ray.distributed.run import run_on_ray
from irnet_ray.distributed.session import configure_environment, session
from irnet_ray.report.page import build_report
from irnet_ray.report.status_text import status_table
from irnet_ray.study.featurize import compute_here
from irnet_ray.study.prepare import prepare
from irnet_ray.study.progress import Progress
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Study

_STORE = {"object_store_memory": 100 * 2**20}  # bytes
_ELEMENTS = ("Li", "Na", "K", "Mg", "Ca", "Sr", "Ti", "V", "Fe", "Co", "Ni", "Cu", "Zn", "Al")


@contextmanager
def simulated_nodes(number: int) -> Iterator[str]:
    """Starts a head that trains nothing and so many nodes of a core; gives the cluster's address."""
    from ray.cluster_utils import Cluster

    configure_environment()
    os.environ["RAY_AUTH_MODE"] = "disabled"  # simulated nodes ask for no token, and a driver that shows one gets lost
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **_STORE})
    try:
        for _ in range(number):
            cluster.add_node(wait=False, num_cpus=1, **_STORE)
        cluster.wait_for_nodes(timeout=600)
        yield cluster.address
    finally:
        cluster.shutdown()


def study_of(trials: int, folder: Path) -> Study:
    """A study of so many trees, which differ by their seeds."""
    generator = np.random.default_rng(0)
    pairs = itertools.product(itertools.combinations(_ELEMENTS, 2), ("O", "S", "F"))
    formulas = [f"{first}{second}{other}3" for (first, second), other in pairs]
    table = pd.DataFrame({"formula": formulas, "energy": generator.normal(size=len(formulas))})
    table.to_csv(folder / "table.csv", index=False)
    return Study.model_validate(
        {
            "name": "many",
            "data": {
                "dataset": {"path": str(folder / "table.csv"), "properties": {"energy": "eV/atom"}},
                "property": "energy",
                "train_size": 100,
            },
            "models": {"tree": {"kind": "random_forest", "trees": 1}},
            "seeds": list(range(trials)),
        }
    )


def measure(trials: int, address: str) -> dict[str, float]:
    """Runs a study on a cluster.

    Returns:
        Times (s): wall and driver, as processor time; list, results and report; and memory (MiB) that the driver took
        at most, and more than before its first trial.
    """
    with tempfile.TemporaryDirectory() as folder:
        study, run = study_of(trials, Path(folder)), RunDirectory(f"{folder}/run")
        run.claim(study)
        all_trials = study.trials()
        costs = {trial.id: 1.0 for trial in all_trials}
        named = {trial.id: trial for trial in all_trials}
        quiet = Console(quiet=True)
        with session(address, study.trainer):
            data = prepare(all_trials, compute_here)
            before = peak_mebibytes()
            started, begun = time.perf_counter(), time.process_time()
            with Progress(named, costs, already_done=0, console=quiet) as progress:
                run_on_ray(all_trials, data, run, study.trainer, progress)
            wall, driver = time.perf_counter() - started, time.process_time() - begun
        if len(run.finished()) < trials:
            raise RuntimeError(f"only {len(run.finished())} of {trials} trials are done")
        return {
            "wall": wall,
            "driver": driver,
            "mebibytes": peak_mebibytes(),
            "more_mebibytes": peak_mebibytes() - before,
            "list": seconds_of(lambda: status_table(run)),
            "results": seconds_of(lambda: run.write_results(all_trials)),
            "report": seconds_of(lambda: build_report(run)),
        }


def peak_mebibytes() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def seconds_of(what: Callable[[], object]) -> float:
    """How long it takes (s)."""
    started = time.perf_counter()
    what()
    return time.perf_counter() - started


def growth_section(measured: pd.DataFrame) -> Section:
    """What a trial costs by their number, and how much more than with the fewest."""
    table = measured[["trials"]].copy()
    for name in ("wall", "driver"):
        table[f"{name} (ms a trial)"] = 1000 * measured[name] / measured["trials"]
    table["driver, to the first row"] = table["driver (ms a trial)"] / table["driver (ms a trial)"].iloc[0]
    names = {"mebibytes": "driver's memory (MiB)", "list": "list (s)", "results": "results (s)", "report": "report (s)"}
    table = table.join(measured[list(names)].rename(columns=names))
    return Section(f"Stand-in trials on {measured['nodes'].iloc[0]} simulated nodes of a core", table)


def main() -> None:
    """Measures and prints."""
    parser = parser_of(__doc__)
    parser.add_argument("--trials", type=int, nargs="+", default=[500, 1000, 2000, 5000])
    parser.add_argument("--nodes", type=int, default=50)
    options: argparse.Namespace = parser.parse_args()
    record = Record(options.output, "ray")
    measured = []
    with simulated_nodes(options.nodes) as address:
        for trials in options.trials:
            tell(f"{trials} trials on {options.nodes} nodes")
            row = in_fresh_process(measure, trials, address)
            measured.append({"trials": trials, "nodes": options.nodes, **row})
            record.write(pd.DataFrame(measured))
    print(growth_section(pd.DataFrame(measured)))


if __name__ == "__main__":
    main()
