"""Blocks of the pages that show what the paper's studies came to, from the files that ``--keep`` copied."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import pandas as pd
from run_blocks import DOCS, machine

from irnet_ray.report.claims import OF_OURS
from irnet_ray.report.wording import model_label, number
from irnet_ray.study.progress import duration

FIGURES = {
    "design_problem-laptop": ["mae_by_depth", "learning_curves"],
    "composition-laptop": [],
    "structure-laptop": [
        f"{figure}_by_representation_formation_energy" for figure in ("agreement", "error_distribution")
    ],
    "small_data-laptop": [],
    "data_size-laptop": ["error_by_size", "gain_by_size"],
    "error_analysis-laptop": [
        f"{figure}_oqmd_formation_enthalpy_100000_training_rows" for figure in ("agreement", "error_distribution")
    ],
}
"""What the pages show of each run."""

_SETTINGS = {
    "structure-laptop": " --set 'data.dataset={path: ../jarvis.jsonl, ...}'  # as in the study's first lines",
}
"""What was typed besides the study's name and profile."""

_KEPT = ("findings.json", *(f"tables/{name}.csv" for name in ("errors", "beside_paper", "advice", "error_by_size")))
_MARKS = {"reproduced": "**reproduced**", "contradicted": "**contradicted**"}


def kept_files(run: str) -> list[str]:
    """What of a run's report is kept, by its path there."""
    return [*_KEPT, *(f"figures/{name}.png" for name in FIGURES[run])] if run in FIGURES else []


def study(name: str) -> Callable[[], str]:
    """A block with the verdicts, the errors beside the paper's, the figures and the conditions of a study."""

    def render() -> str:
        folder = DOCS / name
        if not folder.exists():
            return "Not run yet."
        parts = [each(folder) for each in (_conditions, _verdicts, _errors_by_size, _beside_paper, _advice)]
        drawn = [figure for figure in FIGURES[name] if (folder / f"{figure}.png").exists()]
        figures = [f"![{figure.replace('_', ' ')}]({name}/{figure}.png)" for figure in drawn]
        return "\n\n".join(filter(None, [*parts, *figures]))

    return render


def _conditions(folder: Path) -> str:
    results = pd.read_csv(folder / "results.csv")
    study_name, _, profile = folder.name.partition("-")
    hours = duration(float(results["train_seconds"].sum() + results["predict_seconds"].sum()))
    return (
        f"```console\n$ irnet-ray run studies/{study_name}.yaml --profile {profile}"
        f"{_SETTINGS.get(folder.name, '')}\n```\n\n"
        f"{len(results):,} finished trials, {hours} of training and predicting in all{_wall_time(folder)}, "
        f"{machine(folder)}."
        f"{_without_result(folder)}"
    )


def _wall_time(folder: Path) -> str:
    """By the clock; nothing where a run was kept without it."""
    seconds = json.loads((folder / "provenance.json").read_text()).get("wall_seconds")
    return f", in {duration(seconds)} by the clock" if seconds else ""


def _without_result(folder: Path) -> str:
    """Names what was cut or failed, by the notes in the table of errors."""
    errors = pd.read_csv(folder / "errors.csv")
    if "note" not in errors:
        return ""
    lacking = errors.dropna(subset=["note"])
    texts = [
        f"{_model(row)} for {row['dataset']}, {row['property'].replace('_', ' ')}, {_rows(row)} ({row['note']})"
        for row in lacking.to_dict("records")
    ]
    return f" Not all have a result: {'; '.join(texts)}."


def _model(row: dict[Hashable, Any]) -> str:
    return model_label(row["model"], None if pd.isna(row["depth"]) else int(row["depth"]))


def _rows(row: dict[Hashable, Any]) -> str:
    return "all rows" if pd.isna(row["train_size"]) else f"{row['train_size']:,.0f} rows"


def _table(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _findings(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "findings.json").read_text())
    return [finding for finding in found if finding["effect"] is not None or finding["verdict"] != "missing"]


def _verdicts(folder: Path) -> str:
    rows = [
        [
            *(finding["claim"], _where(finding), _interval(finding), _number(finding["paper"])),
            *(finding["criterion"], _verdict(finding)),
        ]
        for finding in _findings(folder)
    ]
    return _table(["claim", "on", "ours (95% interval)", "paper", "reproduced by a", "verdict"], rows)


def _where(finding: dict[str, Any]) -> str:
    """The data, and what is compared."""
    return f"{finding['where']}: {' / '.join(finding['models'])}"


def _verdict(finding: dict[str, Any]) -> str:
    return _MARKS.get(finding["verdict"], "no verdict" if finding["verdict"] == "missing" else finding["verdict"])


def _interval(finding: dict[str, Any]) -> str:
    ends = ("effect", "low", "high")
    effect, low, high = finding.get("words") or [_number(finding[end]) or "beyond" for end in ends]
    return f"{effect} ({low} to {high})"


def _number(value: float | None) -> str:
    return "" if value is None or pd.isna(value) else number(value)


def _beside_paper(folder: Path) -> str:
    path = folder / "beside_paper.csv"
    return _closeness(pd.read_csv(path)) if path.exists() else ""


def _closeness(table: pd.DataFrame) -> str:
    rows = [
        [
            f"{row['dataset']}, {row['property'].replace('_', ' ')}, {row['representation']}",
            _rows(row).removesuffix(" rows"),
            row["network"],
            f"{number(row['test_mae'])} {row['unit']}" if row["seeds"] else "no result",
            number(row["paper"]),
            _number(row["ours_to_paper"]),
            "" if pd.isna(row["part_of_cost"]) else f"{100 * row['part_of_cost']:.2g}%",
        ]
        for row in table.to_dict("records")
    ]
    return _table(["data", "rows", "model", "test MAE", "paper", "ours / paper", "part of its cost, at most"], rows)


def closeness() -> str:
    """Every IRNet that the paper has a number for, by the study that gave it the most training rows."""
    paths = [DOCS / name / "beside_paper.csv" for name in FIGURES]
    found = pd.concat([pd.read_csv(path) for path in paths if path.exists()], ignore_index=True)
    networks = found[(found["model"] == "irnet") & (found["seeds"] > 0)].sort_values("train_size", kind="stable")
    alike = ["dataset", "property", "representation", "depth"]
    return _closeness(networks.drop_duplicates(alike, keep="last").sort_values(alike))


def _advice(folder: Path) -> str:
    path = folder / "advice.csv"
    if not path.exists():
        return ""
    table = pd.read_csv(path, keep_default_na=False)
    rows = [
        [
            f"{int(row['train_rows']):,}{'*' if row['reach'] else ''}",
            str(row["layers"]),
            f"{number(row['expected_test_mae'])} {row['unit']} ({row['interval']})",
            row["twice_the_data"],
        ]
        for row in table.to_dict("records")
    ]
    headings = ["training rows", "layers", "expected test MAE (95% interval)", "twice the data"]
    note = "\n\n\\* beyond what was tried." if any(table["reach"]) else ""
    return f"{_table(headings, rows)}{note}"


def verdict_summary() -> str:
    """How many verdicts of each kind each study has on the paper's own claims."""
    kinds = ("reproduced", "contradicted", "inconclusive", "missing")
    rows = []
    for name in FIGURES:
        if (DOCS / name).exists():
            verdicts = [each["verdict"] for each in _findings(DOCS / name) if each["claim"] not in OF_OURS]
            rows.append([f"`{name.partition('-')[0]}`", *(str(verdicts.count(kind)) for kind in kinds)])
    return _table(["study", *kinds[:-1], "no verdict"], rows)


def _errors_by_size(folder: Path) -> str:
    """Test errors of each model at each number of training rows, as the report has them."""
    path = folder / "error_by_size.csv"
    if not path.exists():
        return ""
    table = pd.read_csv(path)
    rows = [
        [f"{row['train_rows']:,}", *(_cell(row[column]) for column in table.columns[1:])]
        for row in table.to_dict("records")
    ]
    return _table([column.replace("_", " ") for column in table.columns], rows)


def _cell(value: object) -> str:
    return _number(value) if isinstance(value, float) else str(value)
