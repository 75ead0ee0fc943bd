"""The tables of a report: pure functions of a run's results."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from irnet_ray.model.baselines import THE_TEN
from irnet_ray.report.paper import BEST_OF_TEN
from irnet_ray.report.wording import cell, filter_model, model_order

TASK_COLUMNS = ("dataset", "property", "unit", "representation", "train_size")
"""Trials that agree in these learnt the same thing from the same rows."""

_NETWORK_COLUMNS = ("model", "depth", "shortcut", "width", "recipe", "settings", "n_parameters")
GROUP_COLUMNS = [*TASK_COLUMNS, *_NETWORK_COLUMNS]
"""Trials that agree in these differ in their seeds alone."""

# Errors in the property's unit.
_PROPERTY_UNIT = (
    *("val_mae", "test_mae", "test_mae_std", "expected_test_mae", "ensemble_mae", "test_rmse", "test_p90"),
    *("paper", "half_within", "p90", "p95", "p99"),
)
_MEASURED = {
    **dict.fromkeys((*_PROPERTY_UNIT, "paper", "ours_to_paper"), 3),
    "test_r2": 4,
    "train_seconds": 3,
}  # significant digits


def error_table(
    results: pd.DataFrame, ensemble_mae: Callable[[Sequence[str]], float] = lambda trial_ids: math.nan
) -> pd.DataFrame:
    """Averages errors over seeds.

    Args:
        results: Columns as in ``RESULT_COLUMNS``, one row for each trial.
        ensemble_mae: Gives the test MAE of the average of the predictions of several trials; see ``evidence``.

    Returns:
        One row for each model of each task, in the order plain, SRNet, IRNet, classical, with the task, the
        model, ``seeds``, the means ``val_mae``, ``test_mae``, ``test_rmse``, ``test_p90`` (in ``unit``) and
        ``test_r2``, the standard deviation over seeds ``test_mae_std``, the test MAE of the average of the
        seeds' predictions ``ensemble_mae`` (both NaN for one seed) and the mean ``train_seconds``.
    """
    groups = results.groupby(GROUP_COLUMNS, dropna=False, sort=False)
    table = groups.agg(
        seeds=("seed", "nunique"),
        val_mae=("val_mae", "mean"),
        test_mae=("test_mae", "mean"),
        test_mae_std=("test_mae", "std"),
        ensemble_mae=("trial_id", lambda ids: ensemble_mae(list(ids)) if len(ids) > 1 else math.nan),
        test_rmse=("test_rmse", "mean"),
        test_r2=("test_r2", "mean"),
        test_p90=("test_p90", "mean"),
        train_seconds=("train_seconds", "mean"),
    )
    return in_order(table.reset_index())


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Keeps the tasks in the study's order, and within a task orders by model and depth."""
    task = table.groupby(list(TASK_COLUMNS), dropna=False, sort=False).ngroup()
    keys = table.assign(task=task, order=table["model"].map(model_order))
    order = keys.sort_values(["task", "width", "recipe", "order", "depth"], kind="stable", na_position="last").index
    return table.loc[order].reset_index(drop=True)


def error_pivot(results: pd.DataFrame) -> pd.DataFrame:
    """Puts test MAE, averaged over seeds, side by side: a row for each depth, a column for each model.

    Args:
        results: Columns as in ``RESULT_COLUMNS``, one row for each trial.

    Returns:
        The task, ``width``, ``recipe``, ``depth`` (missing for classical learning, which has a row of its
        own), and one column for each network, in ``unit``; missing where there is no such trial. Of a baseline's
        settings, and of several of the paper's ten (``best_of_ten``), the one of the lowest validation MAE counts.
    """
    errors = _best_baselines(error_table(results))
    models = sorted(errors["model"].unique(), key=model_order)
    keys = [*TASK_COLUMNS, "width", "recipe", "depth"]
    groups = errors.groupby([*keys, "model"], dropna=False, sort=False)["test_mae"].mean()
    table = groups.unstack("model").reindex(columns=models).reset_index().rename_axis(columns=None)
    task = table.groupby(list(TASK_COLUMNS), dropna=False, sort=False).ngroup()
    order = table.assign(task=task).sort_values(["task", "width", "recipe", "depth"], na_position="last").index
    return table.loc[order].reset_index(drop=True)


def _best_baselines(errors: pd.DataFrame) -> pd.DataFrame:
    """Leaves one row a task of the paper's ten, and one of each other baseline."""
    ten = [each.name() for each in THE_TEN]
    is_one = errors["model"].isin(ten)
    if errors.loc[is_one, "model"].nunique() > 1:
        errors = errors.assign(model=errors["model"].mask(is_one, BEST_OF_TEN))
    networks, baselines = (errors[errors["depth"].notna() == is_network] for is_network in (True, False))
    groups = baselines.groupby([*TASK_COLUMNS, "model"], dropna=False, sort=False)
    return pd.concat([networks, baselines.loc[groups["val_mae"].idxmin()]])


@dataclass(frozen=True)
class Layout:
    """A table as text.

    Attributes:
        common: What all rows have in common, by column.
        headings: With units.
        rows: One text for each heading.
        is_number: Whether a column is one of numbers, to be aligned to the right.
        keys: For each row what the page's filters ask for, such as its model, without what they do not know.
    """

    common: dict[str, str]
    headings: list[str]
    rows: list[list[str]]
    is_number: list[bool]
    keys: list[dict[str, str]]


def lay_out(table: pd.DataFrame) -> Layout:
    """Writes the cells of a table; settings that all rows share stand apart."""
    every = [str(column) for column in table.columns if not _is_only_key(str(column), table)]
    models = [column for column in every if model_order(column) < model_order("")]
    settings = [column for column in (*TASK_COLUMNS, *_NETWORK_COLUMNS) if column in every and column != "model"]
    shared = [column for column in settings if len(table) > 1 and _is_shared(table, column)]
    unit = str(table["unit"].iloc[0]) if "unit" in table and table["unit"].nunique() == 1 else None
    columns = [column for column in every if column not in shared and not table[column].isna().all()]
    digits = {column: 3 for column in every if column not in settings and _is_measured(table[column])} | _MEASURED
    units = {"train_seconds": "s", **dict.fromkeys([*_PROPERTY_UNIT, *models], unit or "")}
    return Layout(
        common={column: cell(table[column].dropna().iloc[0]) for column in shared if table[column].notna().any()},
        headings=[f"{column} ({units[column]})" if units.get(column) else column for column in columns],
        rows=[[_text(column, row[column], digits.get(column)) for column in columns] for _, row in table.iterrows()],
        is_number=[pd.api.types.is_numeric_dtype(table[column]) for column in columns],
        keys=[_keys(row) for _, row in table.iterrows()],
    )


def _text(column: str, value: Any, digits: int | None) -> str:
    if column == "part_of_cost" and not pd.isna(value):
        return f"{100 * float(value):.2g}%"
    return cell(value, digits)


def _is_only_key(column: str, table: pd.DataFrame) -> bool:
    """Whether a column is for the page's filters: where models are named, they need not stand there in parts."""
    return column in ("model", "depth") and "network" in table


def _is_measured(values: pd.Series) -> bool:
    """Whether numbers are to be rounded: those of which some are no whole ones."""
    return bool(pd.api.types.is_float_dtype(values) and (values.dropna() % 1 != 0).any())


def _keys(row: pd.Series) -> dict[str, str]:
    known = {column: row[column] for column in ("dataset", "property", "representation", "depth") if column in row}
    if "model" in row:
        known["model"] = filter_model(str(row["model"]) or "best")
    return {column: cell(value) for column, value in known.items() if not pd.isna(value)}


def _is_shared(table: pd.DataFrame, column: str) -> bool:
    """Whether a setting is the same in all rows, or in all that can have it: baselines have no width."""
    can_have_it = table[table["width"].isna()] if column == "settings" and "width" in table else table
    return can_have_it[column].nunique(dropna=column in ("width", "recipe")) <= 1


def format_table(table: pd.DataFrame, style: Literal["table", "json"]) -> str:
    """Writes a table for the terminal or for a program.

    Args:
        table: One of those above, or any other; known columns get their units and digits.
        style: ``table`` aligns columns, rounds to three or four significant digits, and writes what all rows
            share once above them; ``json`` is a list of rows with all digits.
    """
    if style == "json":
        return str(table.to_json(orient="records", double_precision=15, indent=2))
    layout = lay_out(table)
    columns = [[heading, *(row[place] for row in layout.rows)] for place, heading in enumerate(layout.headings)]
    aligned = [_align(column, right) for column, right in zip(columns, layout.is_number, strict=True)]
    lines = ["  ".join(cells).rstrip() for cells in zip(*aligned, strict=True)]
    common = "  ".join(f"{column}: {value}" for column, value in layout.common.items())
    return "\n".join([common, "", *lines] if common else lines)


def _align(column: list[str], right: bool) -> list[str]:
    width = max(len(text) for text in column)
    return [text.rjust(width) if right else text.ljust(width) for text in column]
