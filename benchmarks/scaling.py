"""How attributes scale over cores through Ray Data, and what memory very many rows take; see ``featurize.py``."""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pymatgen.core import Structure
from section import Section
from structures import METALS, NONMETALS, SEED, prototypes

from irnet_ray.features.featurizers import FEATURIZERS
from irnet_ray.study.featurize import Compute, RowsInMemory, Work, compute_here

LARGEST_CRYSTAL = 30  # atoms
CRYSTALS = 500  # different ones; the keys do not matter here, so they are repeated
SECONDS_BETWEEN_LOOKS = 0.2


def scaling_section(options: argparse.Namespace) -> Section:
    """Rows a second in this process, and through Ray Data on one core and more."""
    from irnet_ray.distributed.featurize import compute_on_ray
    from irnet_ray.distributed.session import featurize_session

    texts = [
        _poscar(made)
        for made in itertools.islice((each for each in prototypes() if len(each) <= LARGEST_CRYSTAL), CRYSTALS)
    ]
    rows = RowsInMemory("poscar", (texts * (options.ray_rows // CRYSTALS + 1))[: options.ray_rows])
    work = Work(rows, FEATURIZERS["structure"], np.arange(options.ray_rows))
    measured = [("this process", 1, _rate(compute_here, work))]
    for cores in sorted({1, 2, os.cpu_count() or 1}):
        if cores <= (os.cpu_count() or 1):
            with featurize_session(None, cores):
                list(compute_on_ray(Work(rows, work.featurizer, np.arange(256 * cores))))  # starts the workers
                measured.append(("Ray Data", cores, _rate(compute_on_ray, work)))
    table = pd.DataFrame(measured, columns=["way", "cores", "rows/s"])
    table["speedup"] = table["rows/s"] / table["rows/s"].iloc[0]
    crystals = f"{options.ray_rows:,} crystals (POSCAR) of up to {LARGEST_CRYSTAL} atoms"
    return Section(f"Scaling: structure attributes of {crystals}, workers running already", table)


def _poscar(made: Any) -> str:
    text: str = Structure(made.lattice, made.elements + 1, made.positions).to(fmt="poscar")
    return text


def _rate(compute: Compute, work: Work) -> float:
    started = time.perf_counter()
    done = sum(len(computed) for _, computed in compute(work))
    return done / (time.perf_counter() - started)


def memory_section(options: argparse.Namespace) -> Section:
    """The most memory that all processes together hold while very many formulas become a table of attributes."""
    measured = []
    for way, run in (("one process", _run_here), ("Ray Data", _run_on_ray)):
        for count in (options.many_rows // 10, options.many_rows):
            with tempfile.TemporaryDirectory() as folder:
                pd.Series(many_formulas(count), name="formula").to_csv(Path(folder, "many.csv"), index=False)
                measured.append((way, count, *_watch(run, folder)))
    table = pd.DataFrame(measured, columns=["way", "formulas", "s", "peak memory (MiB)"])
    return Section("Memory: from a CSV to a Parquet file of 145 attributes, all processes together", table)


def many_formulas(count: int) -> list[str]:
    """Different ternary and quaternary formulas."""
    generator = random.Random(SEED)
    formulas: dict[str, None] = {}
    while len(formulas) < count:
        elements = [*generator.sample(METALS, generator.choice((2, 3))), generator.choice(NONMETALS)]
        formulas["".join(f"{element}{generator.randint(1, 12)}" for element in elements)] = None
    return list(formulas)


def _run_here(folder: str) -> None:
    _write_table(folder, compute_here)


def _run_on_ray(folder: str) -> None:
    from irnet_ray.distributed.featurize import compute_on_ray
    from irnet_ray.distributed.session import featurize_session

    with featurize_session(None):
        _write_table(folder, compute_on_ray)


def _write_table(folder: str, compute: Compute) -> None:
    from irnet_ray.study.feature_table import write_feature_table

    os.environ["IRNET_RAY_CACHE"] = folder
    write_feature_table(str(Path(folder, "many.csv")), "composition", Path(folder, "many.parquet"), compute)


def _watch(run: Callable[[str], None], folder: str) -> tuple[float, float]:
    """Runs in a process of its own; how long (s), and the most memory of it and its children (MiB)."""
    process = multiprocessing.get_context("spawn").Process(target=run, args=(folder,))
    started = time.perf_counter()
    process.start()
    most = 0.0
    while process.is_alive():
        most = max(most, sum(map(_memory, _family(process.pid or 0))))
        process.join(SECONDS_BETWEEN_LOOKS)
    if process.exitcode:
        raise RuntimeError(f"the process ended with {process.exitcode}")
    return time.perf_counter() - started, most


def _family(parent: int) -> list[int]:
    """A process and all that come from it, on Linux."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    family = [parent]
    for member in family:
        family += children.get(member, [])
    return family


def _memory(process: int) -> float:
    """Memory of a process, shared pages divided among those that share them (MiB)."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:  # it has just ended
        return 0.0
    return sum(float(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024
