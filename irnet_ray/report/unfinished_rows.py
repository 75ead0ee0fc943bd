"""What a table of errors says of trials without a result, so that no gap is silent."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from irnet_ray.report.inventory import Inventory
from irnet_ray.report.tables import GROUP_COLUMNS, in_order
from irnet_ray.report.wording import count, distinct

_DATA = ["dataset", "property", "representation"]


def with_unfinished(errors: pd.DataFrame, inventory: Inventory) -> pd.DataFrame:
    """Adds a row for each planned model without a result, and a note where seeds are missing.

    Args:
        errors: Of ``error_table``.
        inventory: The trials of the run.

    Returns:
        The table with a column ``note``, which is missing where all trials are finished; ``seeds`` is 0 and all errors
        are missing where none is.
    """
    if not inventory.reasons:
        return errors
    lacking = pd.DataFrame([_row(trial.describe(), inventory.reasons) for trial in inventory.unfinished])
    groups = _fill(lacking, inventory).groupby(GROUP_COLUMNS, dropna=False, sort=False)
    notes = _with_plain_keys(groups.agg(note=("reason", _note)).reset_index())
    known = _with_plain_keys(errors)
    left = known.merge(notes, on=GROUP_COLUMNS, how="left", sort=False)
    right = notes.merge(known[GROUP_COLUMNS], on=GROUP_COLUMNS, how="left", indicator=True)
    merged = pd.concat([left, right[right.pop("_merge") == "left_only"]], ignore_index=True)
    merged["seeds"] = merged["seeds"].fillna(0).astype(int)
    numbers = {**dict.fromkeys(("train_size", "depth", "n_parameters"), "Int64"), "width": "float64"}
    return in_order(_in_the_studys_order(merged.astype(numbers), inventory))


def _in_the_studys_order(table: pd.DataFrame, inventory: Inventory) -> pd.DataFrame:
    """Sorts rows by their data as the study lists them."""
    matrices = [trial.matrix for trial in inventory.trials]
    tasks = distinct((each.dataset, each.property, each.representation) for each in matrices)
    places = {task: place for place, task in enumerate(tasks)}
    order = [places[tuple(place)] for place in table[_DATA].to_numpy()]
    return table.assign(order=order).sort_values(["order", "train_size"], kind="stable").drop(columns="order")


def _with_plain_keys(table: pd.DataFrame) -> pd.DataFrame:
    """The table with keys that can be compared: what is missing is ``None`` in each column."""
    keys = table[GROUP_COLUMNS].astype(object)
    return table.assign(**{column: keys[column].where(keys[column].notna(), None) for column in GROUP_COLUMNS})


def _row(described: dict[str, object], reasons: Mapping[str, str]) -> dict[str, object]:
    return {**described, "reason": reasons[str(described["trial_id"])]}


def _fill(lacking: pd.DataFrame, inventory: Inventory) -> pd.DataFrame:
    """Takes units, and the number of rows where all are asked for, from finished trials on the same data."""
    results = inventory.results
    asked_for_all = {trial.id for trial in inventory.trials if trial.train_size is None}
    units = _by_task(results, "unit", ["dataset", "property"])
    sizes = _by_task(results[results["trial_id"].isin(asked_for_all)], "train_size", _DATA)
    lacking["unit"] = [units.get(place, "") for place in zip(lacking["dataset"], lacking["property"], strict=True)]
    lacking["train_size"] = [
        sizes.get(tuple(place)) if pd.isna(size) else size
        for place, size in zip(lacking[_DATA].to_numpy(), lacking["train_size"], strict=True)
    ]
    return lacking


def _by_task(results: pd.DataFrame, column: str, keys: list[str]) -> dict[Hashable, Any]:
    """A column's value for each of the data."""
    first = results.drop_duplicates(keys)
    return dict(zip(first[keys].itertuples(index=False, name=None), first[column], strict=True))


def _note(reasons: pd.Series) -> str:
    """``2 trials without a result: cut after 900 s``."""
    different = distinct(reasons)
    others = f" (and {count(len(different) - 1, 'other reason')})" if len(different) > 1 else ""
    return f"{count(len(reasons), 'trial')} without a result: {different[0]}{others}"
