"""How much memory a trial takes: `python benchmarks/memory.py`.

Trains one network for a few epochs on all rows of a dataset, through Ray and in one process, and watches the process
that trains. Its peak holds the rows that all trials of a node share (Ray keeps them once), the standardized copy that
is trained on, the network, and the libraries.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time

import pandas as pd
import psutil
from rich.console import Console
from running import Record, in_fresh_process, parser_of
from section import Section

from irnet_ray.distributed.launch import run_study
from irnet_ray.features.representation import labels
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Study

MIB = 2**20


class Watch(threading.Thread):
    """Notes the largest memory of the process that trains: a worker of Ray's, or this one."""

    def __init__(self, local: bool) -> None:
        super().__init__(daemon=True)
        self.local = local
        self.peak = 0
        self.over = threading.Event()

    def run(self) -> None:
        """Looks ten times a second."""
        while not self.over.wait(0.1):
            self.peak = max([self.peak, *(process.memory_info().rss for process in self.trainers())])

    def trainers(self) -> list[psutil.Process]:
        """The processes that train."""
        if self.local:
            return [psutil.Process()]
        found = []
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):  # it may have ended meanwhile
                if "ray::ImplicitFunc" in " ".join(child.cmdline()):
                    found.append(child)
        return found


def measure(study: Study, local: bool) -> dict[str, float | str]:
    """Runs the study's one trial and tells its peak (MiB)."""
    with tempfile.TemporaryDirectory() as folder:
        run_study(study, RunDirectory(folder + "/features"), console=Console(quiet=True), local=True)  # fills the cache
        watch = Watch(local)
        watch.start()
        started = time.perf_counter()
        results = run_study(study, RunDirectory(folder + "/run"), console=Console(quiet=True), local=local)
        watch.over.set()
    rows = int(results[["train_rows", "validation_rows", "test_rows"]].sum(axis=1).iloc[0])
    matrix = rows * len(labels(str(results["representation"].iloc[0]))) * 4 / MIB
    peak = watch.peak / MIB
    return {
        "where": "one process, data included" if local else "worker of Ray",
        "rows": rows,
        "matrix (MiB)": round(matrix),
        "peak (MiB)": round(peak),
        "2 x matrix + 500": round(2 * matrix + 500),
        "seconds": round(time.perf_counter() - started),
    }


def section(measured: pd.DataFrame) -> Section:
    """The peaks."""
    return Section("The most memory of the process that trains", measured)


def main() -> None:
    """Measures and prints."""
    parser = parser_of(__doc__)
    parser.add_argument("--dataset", default="oqmd")
    parser.add_argument("--property", default="formation_enthalpy")
    parser.add_argument("--representation", default="composition+fractions")
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args()
    study = Study.model_validate(
        {
            "name": "memory",
            "data": {
                "dataset": options.dataset,
                "property": options.property,
                "representation": options.representation,
            },
            "models": {
                "networks": {
                    "depth": 17,
                    "shortcut": "layer",
                    "width": options.width,
                    "recipe": {"base": "fast", "epochs": options.epochs},
                }
            },
        }
    )
    record = Record(options.output, "torch", "ray")
    measured = pd.DataFrame([in_fresh_process(measure, study, local) for local in (False, True)])
    record.write(measured)
    print(section(measured))


if __name__ == "__main__":
    main()
