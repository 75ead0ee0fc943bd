"""Puts what was measured into the README, between markers, from the files beside this one alone.

`python docs/build_readme.py runs/quickstart` copies that run's results and figure to `docs/quickstart/` first;
`python benchmarks/featurize.py --store docs/featurizing` writes the others.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pandas as pd

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"
NAMES = {"plain": "plain network", "srnet": "SRNet", "irnet": "IRNet"}


def copy_run(run: Path) -> None:
    """Keeps what the README shows of a run."""
    folder = DOCS / "quickstart"
    folder.mkdir(exist_ok=True)
    shutil.copy(run / "results.csv", folder)
    shutil.copy(run / "report" / "mae_by_depth.png", folder)
    first = next(iter(sorted((run / "trials").glob("*/result.json"))))
    (folder / "provenance.json").write_text(json.dumps(json.loads(first.read_text())["provenance"], indent=2) + "\n")


def render_quickstart(folder: Path) -> str:
    """The table, and the conditions under which it came about."""
    results = pd.read_csv(folder / "results.csv")
    provenance = json.loads((folder / "provenance.json").read_text())
    networks = results[results["model"].isin(list(NAMES))]
    lines = [
        f"Test MAE in {results['unit'][0]} (training time of one core):",
        "",
        f"| layers | {' | '.join(NAMES.values())} |",
        "| --- | --- | --- | --- |",
    ]
    for depth, rows in networks.groupby("depth"):
        cells = [_cell(rows[rows["model"] == model]) for model in NAMES]
        lines.append(f"| {depth:.0f} | {' | '.join(cells)} |")
    forest = results[results["model"] == "random_forest"]
    return "\n".join([*lines, "", f"and a random forest {_cell(forest)}. {_conditions(results, provenance)}"])


def _conditions(results: pd.DataFrame, provenance: dict[str, str]) -> str:
    first, seeds = results.iloc[0], results["seed"].nunique()
    return (
        f"OQMD formation enthalpies, {first['train_rows']:,} training and {first['test_rows']:,} test rows, "
        f"145 composition attributes, {first['width']:g} of the paper's width, {first['epochs']:.0f} epochs, "
        f"{seeds} {'seed' if seeds == 1 else 'seeds'}. {results['train_seconds'].sum() / 60:.1f} minutes of one core "
        f"altogether, on {provenance['cores']} cores of an {provenance['processor']}, torch {provenance['torch']}, "
        f"Ray {provenance['ray']}, commit {provenance['commit']}."
    )


def _cell(rows: pd.DataFrame) -> str:
    return f"{rows['test_mae'].mean():.3f} ({rows['train_seconds'].mean():.0f} s)"


def render_featurizing(folder: Path) -> str:
    """Speeds beside matminer's, and the conditions under which they came about."""
    composition, structure, scaling, memory = (
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
    most, many = scaling.iloc[-1], memory[memory["formulas"] == memory["formulas"].max()]
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


BLOCKS = {"quickstart": render_quickstart, "featurizing": render_featurizing}


def block(name: str) -> str:
    """A block of the README as it should be, without its markers."""
    return BLOCKS[name](DOCS / name)


def main() -> None:
    """Rewrites the README."""
    if len(sys.argv) > 1:
        copy_run(Path(sys.argv[1]))
    text = README.read_text()
    for name in BLOCKS:
        pattern = re.compile(f"(<!-- {name}: .*? -->\n).*?(<!-- {name} ends -->)", flags=re.DOTALL)
        text = pattern.sub(lambda found, name=name: f"{found[1]}{block(name)}\n{found[2]}", text)
    README.write_text(text)


if __name__ == "__main__":
    main()
