"""Blocks of the pages that show what benchmarks measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import devices
import many_trials
import memory
import pandas as pd
import recipes
import report_page
import study_overhead
import time_to_error
import train_step
import workers
from section import Section

DOCS = Path(__file__).parent
SECTIONS: dict[str, list[Callable[[pd.DataFrame], Section]]] = {
    "train_step": [train_step.speed_section, train_step.fetch_section],
    "study_overhead": [study_overhead.comparison_section, study_overhead.alone_section],
    "workers": [workers.speed_section, workers.error_section],
    "memory": [memory.section],
    "devices": [devices.section],
    "many_trials": [many_trials.growth_section],
    "report": [report_page.section],
    "time_to_error": [time_to_error.section],
    **{name: [recipes.section] for name in ("fast_oqmd", "fast_decay", "fast_mp", "best_oqmd")},
}


def measured(name: str) -> Callable[[], str]:
    """A block with the tables of a benchmark, and how they came about."""

    def render() -> str:
        folder = DOCS / "measured"
        table = pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values=[""])
        facts = json.loads((folder / f"{name}.json").read_text())
        conditions = f"{facts['machine']}; {facts['versions']}; commit {facts['commit']}; {facts['time'][:10]}."
        tables = [section(table).to_markdown() for section in SECTIONS[name]]
        return "\n\n".join([*tables, f"```console\n$ {facts['command']}\n```", conditions])

    return render


def featurizing() -> str:
    """Speeds beside matminer's, and the conditions under which they came about."""
    folder = DOCS / "featurizing"
    composition, structure, scaling, memory_used = (
        pd.read_csv(folder / f"{name}.csv") for name in ("composition", "structure", "scaling", "memory")
    )
    facts = json.loads((folder / "conditions.json").read_text())
    ours, theirs = composition.iloc[0], composition.iloc[-1]
    lines = [
        "| one core | irnet-ray | matminer | times as fast |",
        "| --- | --- | --- | --- |",
        f"| 145 composition attributes, parsing included | {ours['rows/s']:,.0f} rows/s "
        f"| {theirs['rows/s']:,.0f} rows/s | {ours['ratio']:.0f} |",
    ]
    for row in structure.to_dict("records"):
        label = f"matminer's 128 structure attributes, {row['atoms']} atoms"
        lines.append(
            f"| {label} | {row['irnet-ray (ms)']:.1f} ms | {row['matminer (ms)']:,.0f} ms | {row['ratio']:.0f} |"
        )
    most, many = scaling.iloc[-1], memory_used[memory_used["formulas"] == memory_used["formulas"].max()]
    uses = [
        f"{row['s']:.0f} s and {row['peak memory (MiB)']:,.0f} MiB ({row['way']})" for row in many.to_dict("records")
    ]
    return "\n".join(
        [
            *lines,
            "",
            f"Through Ray Data {most['cores']:.0f} cores do {most['rows/s']:.0f} structures a second from POSCAR, "
            f"{most['rows/s'] / scaling['rows/s'].iloc[0]:.2f} times what one process does. A CSV of "
            f"{many['formulas'].iloc[0]:,} formulas becomes a Parquet file of attributes in {' or '.join(uses)}, all "
            f"processes together. Measured by `python benchmarks/featurize.py` (medians; prototypes with displaced "
            f"atoms) on {facts['machine']}; {facts['versions']}; commit {facts['commit']}.",
        ]
    )
