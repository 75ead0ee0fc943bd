"""What benchmarks share: processes of their own, sections on the screen, the conditions of a measurement."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shlex
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from irnet_ray.study.result import provenance
from irnet_ray.study.spec import Trainer


def conditions(*packages: str) -> dict[str, str]:
    """Hardware, versions of this package and of others, and commit."""
    facts = provenance(Trainer())
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("irnet-ray", *packages))
    return {
        "versions": f"{versions}, Python {facts['python']}",
        "commit": str(facts["commit"]),
        "machine": f"{facts['processor']}, {facts['cores']} cores{gpu}, {facts['system']}",
        "time": str(facts["finished"]),
    }


class Record:
    """Where the measurements of a benchmark go; made before the first of them.

    Prints the command and the conditions, and writes them beside the table, from which the pages of ``docs/`` are made.

    Args:
        output: The table, a CSV file; None writes nothing.
        packages: Whose versions matter.
    """

    def __init__(self, output: Path | None, *packages: str) -> None:
        command = shlex.join(["python", os.path.relpath(sys.argv[0]), *sys.argv[1:]])
        self._facts = {"command": command, **conditions(*packages)}
        self._output = output
        print(*(f"{name}: {fact}" for name, fact in self._facts.items()), "", sep="\n", flush=True)

    def write(self, measured: pd.DataFrame) -> None:
        """Writes all measurements so far."""
        if self._output:
            self._output.parent.mkdir(parents=True, exist_ok=True)
            measured.to_csv(self._output, index=False, float_format="%.6g")
            self._output.with_suffix(".json").write_text(json.dumps(self._facts, indent=2) + "\n")


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the benchmark's docstring, with the option ``--output``."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, metavar="FILE", help="write all measurements there, too, as CSV")
    return parser


def tell(message: str) -> None:
    """Says on the error output how far a benchmark is."""
    print(message, file=sys.stderr, flush=True)


def in_fresh_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls a function of a module in a process that has done nothing else, and gives what it gives."""
    spawning = multiprocessing.get_context("spawn")
    quiet = {"initializer": warnings.simplefilter, "initargs": ("ignore",)}
    with ProcessPoolExecutor(1, mp_context=spawning, **quiet) as pool:
        return pool.submit(function, *arguments).result()
