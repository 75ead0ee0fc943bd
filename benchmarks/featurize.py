"""What attributes cost and how exact they are, beside matminer: `python benchmarks/featurize.py`.

Both compute the same rows in the same process with one thread; each section is a process of its own. Times are of the
processor, so that other programs hardly change them, and leave out the first call, which reads tables of elements. Two
more sections measure scaling over cores through Ray Data, and the memory that very many rows take.
Without files of your own the formulas are those that are installed with matminer, and the structures are prototypes
and their supercells of random elements with all atoms a little displaced, so that no two are alike.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # before numpy comes

import argparse
import itertools
import json
import multiprocessing
import random
import resource
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pymatgen.core import Composition, Structure
from running import conditions
from scaling import memory_section, scaling_section
from section import Section
from structures import ATOMS, choose, prototypes, read_structures

from irnet_ray.crystal import to_crystal
from irnet_ray.data.load import load
from irnet_ray.errors import CrystalError
from irnet_ray.features import composition, structure
from irnet_ray.formula import parse_all

SEED = 0
REPETITIONS = 3  # of what takes milliseconds; the median counts
LARGEST_DEVIATION = 1e-6
MATMINER_ERRORS = (ValueError, RuntimeError, LookupError, ArithmeticError)  # where it cannot do a structure


def seconds(work: Callable[[], Any], repetitions: int = 1) -> tuple[float, Any]:
    """Median processor time of some work (s), and its result."""
    times = []
    for _ in range(repetitions):
        started = time.process_time()
        result = work()
        times.append(time.process_time() - started)
    return statistics.median(times), result


def peak_memory() -> str:
    """The most memory that this process has held, on Linux."""
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"


def deviations(ours: Any, theirs: Any, labels: Sequence[str]) -> str:
    """Says how far two tables lie apart."""
    apart = np.abs(np.subtract(ours, theirs)) / (1.0 + np.abs(theirs))
    by_column = pd.Series(np.where(np.isnan(apart), np.inf, apart).max(axis=0), index=list(labels))
    beyond = by_column.index[by_column > LARGEST_DEVIATION]
    return (
        f"largest |a - b| / (1 + |b|): {by_column.max():.1e} in '{by_column.idxmax()}'\n"
        f"columns beyond {LARGEST_DEVIATION:g}: {', '.join(beyond) or f'none of {len(labels)}'}"
    )


def composition_section(options: argparse.Namespace) -> Section:
    """Rows a second of the 145 composition attributes, from formulas as text."""
    formulas = read_formulas(options)
    sample = formulas[: options.matminer_rows]
    composition.composition_attributes(parse_all(["NaCl"]))  # reads tables of elements
    whole, _ = seconds(lambda: composition.composition_attributes(parse_all(formulas)), REPETITIONS)
    memory = peak_memory()
    same, ours = seconds(lambda: composition.composition_attributes(parse_all(sample)), REPETITIONS)
    featurizers = matminer_composition()
    run_matminer(featurizers, Composition("NaCl"))
    slow, theirs = seconds(lambda: [run_matminer(featurizers, Composition(each)) for each in sample])
    rows = [("irnet-ray", len(formulas), whole), ("irnet-ray", len(sample), same), ("matminer", len(sample), slow)]
    table = pd.DataFrame([(*row, row[1] / row[2]) for row in rows], columns=["program", "rows", "s", "rows/s"])
    table["ratio"] = table["rows/s"] / table["rows/s"].iloc[-1]
    return Section(
        f"Composition: {len(composition.LABELS)} attributes from formulas as text",
        table,
        f"{deviations(ours, theirs, composition.LABELS)}\npeak memory: {memory}, with matminer {peak_memory()}",
    )


def read_formulas(options: argparse.Namespace) -> list[str]:
    """Formulas in random order."""
    if options.formulas:
        formulas = pd.read_csv(options.formulas, keep_default_na=False)["formula"].tolist()
    else:
        formulas = load("ricci_transport", "seebeck_p").formulas
    return random.Random(SEED).sample(formulas, min(options.rows, len(formulas)))


def structure_section(options: argparse.Namespace) -> Section:
    """Milliseconds a row of the structure attributes, by number of atoms."""
    featurizers = matminer_structure()
    crystals = read_structures(options.structures) if options.structures else prototypes()
    measured, failures = [], []
    run_both(featurizers, choose(prototypes(), 1)[0])
    for made in choose(crystals, options.structure_rows):
        try:
            measured.append((len(made), *run_both(featurizers, made)))
        except (CrystalError, *MATMINER_ERRORS) as error:
            failures.append(f"left out: {made.reduced_formula}: {type(error).__name__}: {error}\n")
    table = pd.DataFrame([each[:3] for each in measured], columns=["atoms", "irnet-ray (ms)", "matminer (ms)"])
    apart = deviations([each[3] for each in measured], [each[4] for each in measured], structure.LABELS)
    return Section(
        f"Structure: {len(structure.LABELS)} attributes from pymatgen's structures, medians by number of atoms",
        by_atoms(table),
        f"{''.join(failures)}{apart}\npeak memory, with matminer: {peak_memory()}",
    )


def run_both(featurizers: Sequence[Any], made: Structure) -> tuple[float, float, Any, Any]:
    """Times (ms) and attributes, ours and matminer's, whose neighbours shall not come from a structure like this."""
    from matminer.utils.caching import _get_all_nearest_neighbors

    fast, ours = seconds(lambda: structure.structure_attributes(to_crystal(made)), REPETITIONS)
    _get_all_nearest_neighbors.cache_clear()
    slow, theirs = seconds(lambda: run_matminer(featurizers, made))
    return 1e3 * fast, 1e3 * slow, ours, theirs


def by_atoms(measured: pd.DataFrame) -> pd.DataFrame:
    """Medians of the times and of their ratios, for each range of numbers of atoms, and up to 20 atoms."""
    measured = measured.assign(ratio=measured["matminer (ms)"] / measured["irnet-ray (ms)"])
    names = [f"{low}-{next_low - 1}" for low, next_low in itertools.pairwise(ATOMS)]
    groups = measured.groupby(pd.cut(measured["atoms"], ATOMS, right=False, labels=names), observed=True)
    parts = [(name, rows) for name, rows in groups] + [("1-20", measured[measured["atoms"] <= 20])]
    columns = ["irnet-ray (ms)", "matminer (ms)", "ratio"]
    return pd.DataFrame([{"atoms": name, "rows": len(rows), **rows[columns].median()} for name, rows in parts])


def matminer_composition() -> list[Any]:
    """Featurizers of the composition attributes."""
    from matminer.featurizers.composition import ElementProperty, IonProperty, Stoichiometry, ValenceOrbital

    return [
        Stoichiometry(),
        ElementProperty.from_preset("magpie", impute_nan=True),
        ValenceOrbital(props=["avg"], impute_nan=True),
        IonProperty(fast=True, impute_nan=True),
    ]


def matminer_structure() -> list[Any]:
    """Featurizers of the structure attributes, in the order of ``structure.LABELS``."""
    from matminer.featurizers import structure as theirs

    return [
        theirs.SiteStatsFingerprint.from_preset("CoordinationNumber_ward-prb-2017"),
        theirs.StructuralHeterogeneity(),
        theirs.ChemicalOrdering(),
        theirs.MaximumPackingEfficiency(),
        theirs.SiteStatsFingerprint.from_preset("LocalPropertyDifference_ward-prb-2017"),
    ]


def run_matminer(featurizers: Sequence[Any], material: Any) -> list[float]:
    """Runs matminer's featurizers one after the other, without the table that it makes of many materials."""
    return [float(value) for each in featurizers for value in each.featurize(material)]


SECTIONS = {
    "composition": composition_section,
    "structure": structure_section,
    "scaling": scaling_section,
    "memory": memory_section,
}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all by default")
    parser.add_argument("--formulas", metavar="FILE", help="CSV with a column 'formula'")
    parser.add_argument("--rows", type=int, default=40_000, help="formulas (%(default)s)")
    parser.add_argument("--matminer-rows", type=int, default=4000, help="of these for matminer, too (%(default)s)")
    parser.add_argument("--structures", metavar="FILE", help="JSON lines with a column 'poscar'")
    parser.add_argument("--structure-rows", type=int, default=36, help="structures (%(default)s)")
    parser.add_argument("--ray-rows", type=int, default=6000, help="structures for scaling (%(default)s)")
    parser.add_argument("--store", type=Path, metavar="FOLDER", help="write the tables there, too, as CSV")
    parser.add_argument("--many-rows", type=int, default=1_000_000, help="formulas for memory (%(default)s)")
    options = parser.parse_args()
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"no section is called {', '.join(sorted(unknown))}; choose from {', '.join(SECTIONS)}")
    facts = conditions("matminer", "pymatgen", "pyvoro2", "numpy", "ray")
    print(*(f"{name}: {fact}" for name, fact in facts.items()), sep="\n")
    fresh = {"mp_context": multiprocessing.get_context("spawn"), "max_tasks_per_child": 1}
    quiet = {"initializer": warnings.simplefilter, "initargs": ("ignore",)}  # matminer warns of missing properties
    with ProcessPoolExecutor(1, **fresh, **quiet) as pool:
        for name in options.sections or SECTIONS:
            section = pool.submit(SECTIONS[name], options).result()
            print(f"\n{section}", flush=True)
            if options.store:
                facts[name] = section.notes
                section.store(options.store / f"{name}.csv")
                (options.store / "conditions.json").write_text(json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main()
