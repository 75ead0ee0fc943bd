"""How the report writes names, numbers and lists."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, TypeVar

import pandas as pd

from irnet_ray.model.baselines import BASELINES

Item = TypeVar("Item")

MODEL_TITLES = {
    "plain": "plain network",
    "srnet": "SRNet",
    "irnet": "IRNet",
    **{name: baseline.title for name, baseline in BASELINES.items()},
    "best_of_ten": "best of ten traditional models",
}
"""What people call the models, in the order in which the report shows them."""


def model_label(model: str, depth: int | None) -> str:
    """A model's short name, such as ``IRNet-48`` or ``random forest``."""
    title = MODEL_TITLES.get(model, model)
    return title if depth is None else f"{title.removesuffix(' network')}-{depth}"


def title_of(model: str) -> str:
    """A model's name at the beginning of a line."""
    return capitalized(model_label(model, None))


def capitalized(text: str) -> str:
    """The text with a capital letter first; ``str.capitalize`` would make the others small."""
    return text[:1].upper() + text[1:]


def model_order(model: str) -> int:
    """Place of a model among others."""
    return list(MODEL_TITLES).index(model) if model in MODEL_TITLES else len(MODEL_TITLES)


def filter_model(model: str) -> str:
    """What the page's filter of shortcuts calls a model: ``plain``, ``srnet``, ``irnet`` or ``classical``."""
    return model if model in ("plain", "srnet", "irnet") else "classical"


def words(name: str) -> str:
    """A property's or column's name without underscores."""
    return name.replace("_", " ")


def number(value: float, digits: int = 3) -> str:
    """A measured number with so many significant digits, trailing zeros kept; thousands are separated."""
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    text = f"{value:#.{digits}g}"
    return text if "e" in text else text.rstrip(".")


def cell(value: Any, digits: int | None = None) -> str:
    """A table's cell: a dash for nothing, whole numbers and settings as they are, measured numbers rounded.

    Args:
        value: A text, a number, or a missing value.
        digits: Significant digits of a measured number; ``None`` writes the number as it was set.
    """
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, str):
        return value
    if digits is not None:
        return number(float(value), digits)
    return f"{int(value):,}" if float(value).is_integer() else f"{value:g}"


_HEADINGS = {
    "ensemble_mae": "MAE of the seeds' average",
    "half_within": "half are within",
    "interval": "95% interval",
    "n_parameters": "parameters",
    "ours_to_paper": "ours / paper",
    "paper_rows": "its rows",
    "part_of_cost": "part of the cost",
    "test_mae_std": "± over seeds",
    "test_r2": "test R²",
    "train_size": "training rows",
    "train_rows": "training rows",
    "train_seconds": "time",
}


def heading(column: str) -> str:
    """A column's heading for people: ``test MAE (eV/atom)``."""
    name, separator, unit = column.partition(" (")
    if name.lower() != name:  # a model's name
        return column
    text = _HEADINGS.get(name) or words(name).replace("mae", "MAE").replace("rmse", "RMSE")
    text = re.sub(r"\bp(\d\d)\b", r"P\1", text)
    return f"{text}{separator}{unit}"


def listing(items: Iterable[str]) -> str:
    """Joins items as a sentence does: ``a, b and c``."""
    *others, last = items
    return f"{', '.join(others)} and {last}" if others else last


def with_unit(text: str, unit: str) -> str:
    """A quantity with its unit in brackets, if it has one: ``Test MAE (eV/atom)``."""
    return f"{text} ({unit})" if unit else text


def count(amount: int, noun: str) -> str:
    """An amount with its noun: ``1 seed``, ``3 seeds``."""
    return f"{amount:,} {noun}" if amount == 1 else f"{amount:,} {noun}s"


def distinct(values: Iterable[Item]) -> list[Item]:
    """The different values in the order of their first appearance."""
    return list(dict.fromkeys(values))
