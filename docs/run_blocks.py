"""Blocks of the pages that show the results of runs, and the files of runs that they need."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from irnet_ray.report.provenance import wall_seconds

DOCS = Path(__file__).parent
NAMES = {"plain": "plain network", "srnet": "SRNet", "irnet": "IRNet"}
BEST = ("best-five", "best-oqmd")
_OF_REPORTS = {"quickstart": ["figures/mae_by_depth.png"], **{name: ["tables/errors.csv"] for name in BEST}}


def keep(run: Path, of_report: Sequence[str] = ()) -> None:
    """Keeps what the pages show of a run, in a folder of the run's name.

    Args:
        run: The run.
        of_report: Files of its report, those that it has.
    """
    folder = DOCS / run.name
    shutil.rmtree(folder, ignore_errors=True)  # with what an earlier run had
    folder.mkdir()
    shutil.copy(run / "results.csv", folder)
    for name in (*of_report, *_OF_REPORTS.get(run.name, ())):
        if (run / "report" / name).exists():
            shutil.copy(run / "report" / name, folder)
    results = [json.loads(path.read_text()) for path in sorted((run / "trials").glob("*/result.json"))]
    provenances = sorted((result["provenance"] for result in results), key=lambda each: each["finished"])
    commits = " and ".join(dict.fromkeys(each["commit"] for each in provenances))
    facts = {**provenances[0], "commit": commits, "wall_seconds": wall_seconds(results)}
    (folder / "provenance.json").write_text(json.dumps(facts, indent=2) + "\n")


def quickstart() -> str:
    """The table, and the conditions under which it came about."""
    folder = DOCS / "quickstart"
    results = pd.read_csv(folder / "results.csv")
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
    return "\n".join([*lines, "", f"and a random forest {_cell(forest)}. {_conditions(results, folder)}"])


def best() -> str:
    """What single networks by the recipe ``best`` and the average of several come to, beside published errors."""
    lines = [
        "| dataset | networks | test MAE (eV/atom) | their average | minutes of a core, each |",
        "| --- " * 5 + "|",
    ]
    for name in BEST:
        for row in pd.read_csv(DOCS / name / "errors.csv").to_dict("records"):
            spread = "" if pd.isna(row["test_mae_std"]) else f" ± {row['test_mae_std']:.4f}"
            average = "" if pd.isna(row["ensemble_mae"]) else f"{row['ensemble_mae']:.4f}"
            lines.append(
                f"| {row['dataset']} | {row['seeds']} | {row['test_mae']:.4f}{spread} | {average} "
                f"| {row['train_seconds'] / 60:.0f} |"
            )
    results = [pd.read_csv(DOCS / name / "results.csv").iloc[0] for name in BEST]
    rows = " and ".join(f"{each['train_rows']:,} training and {each['test_rows']:,} test rows" for each in results)
    first = results[0]
    text = f"IRNet-17, {first['width']:g} of the paper's width, {first['representation']}, {rows}"
    return "\n".join([*lines, "", f"{text}, {machine(DOCS / BEST[0])}."])


def _conditions(results: pd.DataFrame, folder: Path) -> str:
    first, seeds = results.iloc[0], results["seed"].nunique()
    return (
        f"OQMD formation enthalpies, {first['train_rows']:,} training and {first['test_rows']:,} test rows, "
        f"145 composition attributes, {first['width']:g} of the paper's width, {first['epochs']:.0f} epochs, "
        f"{seeds} {'seed' if seeds == 1 else 'seeds'}. {results['train_seconds'].sum() / 60:.1f} minutes of one core "
        f"altogether, {machine(folder)}."
    )


def machine(folder: Path) -> str:
    """Hardware, versions and commit of a run."""
    provenance = json.loads((folder / "provenance.json").read_text())
    precision = ", products in bfloat16" if provenance.get("trainer", {}).get("bfloat16") else ""
    return (
        f"on {provenance['cores']} cores of an {provenance['processor']}{precision}, torch {provenance['torch']}, "
        f"Ray {provenance['ray']}, commit {provenance['commit']}"
    )


def _cell(rows: pd.DataFrame) -> str:
    return f"{rows['test_mae'].mean():.3f} ({rows['train_seconds'].mean():.0f} s)"
