"""What was learnt from the same data with different numbers of training rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from irnet_ray.report.comparison import Comparison

Item = TypeVar("Item")

FEWEST_SIZES = 3
"""Numbers of training rows that make a series."""


def series_of(items: Sequence[Item], comparison_of: Callable[[Item], Comparison]) -> list[list[Item]]:
    """Groups what differs in the number of training rows alone, three of them or more.

    Recipes may differ, as fewer rows take more epochs. Of several with as many rows the first of the study stands for
    all.

    Args:
        items: Comparisons, or whatever has one.
        comparison_of: Gives an item's comparison.

    Returns:
        Each series by ascending numbers of training rows; those without a finished trial are left out.
    """
    groups: dict[tuple[str, str, str, float | None], dict[int, Item]] = {}
    for item in items:
        comparison = comparison_of(item)
        rows = comparison.train_rows
        if rows and not comparison.results.empty:
            task = comparison.task
            key = (task.dataset, task.property, task.representation, task.width)
            groups.setdefault(key, {}).setdefault(rows, item)
    return [[members[rows] for rows in sorted(members)] for members in groups.values() if len(members) >= FEWEST_SIZES]


def series_words(comparison: Comparison) -> str:
    """What a series is of, by any of its comparisons."""
    words = comparison.task.words()
    names = ("dataset", "property", "representation", "width")
    return ", ".join(words[name] for name in names if words[name])
