"""Puts the figure and the table of a run of the quickstart study into the README.

`python docs/build_readme.py runs/quickstart` copies the run's results and figure to `docs/quickstart/`, and rewrites
the README between its two markers from those files alone.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pandas as pd

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"
BEGIN = "<!-- quickstart: written by `python docs/build_readme.py runs/quickstart` -->"
END = "<!-- quickstart ends -->"
NAMES = {"plain": "plain network", "srnet": "SRNet", "irnet": "IRNet"}


def copy_run(run: Path) -> None:
    """Keeps what the README shows of a run."""
    folder = DOCS / "quickstart"
    folder.mkdir(exist_ok=True)
    shutil.copy(run / "results.csv", folder)
    shutil.copy(run / "report" / "mae_by_depth.png", folder)
    first = next(iter(sorted((run / "trials").glob("*/result.json"))))
    (folder / "provenance.json").write_text(json.dumps(json.loads(first.read_text())["provenance"], indent=2) + "\n")


def render(folder: Path) -> str:
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


def main() -> None:
    """Rewrites the README."""
    copy_run(Path(sys.argv[1]))
    text = README.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    README.write_text(f"{before}{BEGIN}\n{render(DOCS / 'quickstart')}\n{END}{after}")


if __name__ == "__main__":
    main()
