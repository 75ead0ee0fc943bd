"""What benchmarks share: processes of their own, sections on the screen, the conditions of a measurement."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from irnet_ray.study.result import provenance
from irnet_ray.study.spec import Trainer


def conditions(*packages: str) -> dict[str, str]:
    """Hardware, versions of this package and of others, and commit."""
    facts = provenance(Trainer())
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("irnet-ray", *packages))
    return {
        "versions": f"{versions}, Python {facts['python']}",
        "commit": str(facts["commit"]),
        "machine": f"{facts['processor']}, {facts['cores']} cores, {facts['system']}",
        "time": str(facts["finished"]),
    }


def print_conditions(*packages: str) -> None:
    """Prints what a measurement depends on, one fact a line, and an empty line."""
    print(*(f"{name}: {fact}" for name, fact in conditions(*packages).items()), "", sep="\n", flush=True)


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the benchmark's docstring, with the option ``--output``."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, metavar="FILE", help="write all measurements there, too, as CSV")
    return parser


def tell(message: str) -> None:
    """Says on the error output how far a benchmark is."""
    print(message, file=sys.stderr, flush=True)


def write(measured: pd.DataFrame, output: Path | None) -> None:
    """Writes all measurements as CSV, if asked for."""
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        measured.to_csv(output, index=False, float_format="%.6g")


def in_fresh_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls a function of a module in a process that has done nothing else, and gives what it gives."""
    spawning = multiprocessing.get_context("spawn")
    quiet = {"initializer": warnings.simplefilter, "initargs": ("ignore",)}
    with ProcessPoolExecutor(1, mp_context=spawning, **quiet) as pool:
        return pool.submit(function, *arguments).result()
