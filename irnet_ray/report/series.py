"""What was learnt from the same data with different numbers of training rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from irnet_ray.report.comparison import Comparison

Item = TypeVar("Item")
_Key = tuple[str, str, str, float | None]

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
    groups: dict[_Key, dict[int, Item]] = {}
    for item in items:
        comparison = comparison_of(item)
        rows = comparison.train_rows
        if rows and not comparison.results.empty:
            groups.setdefault(_key(comparison), {}).setdefault(rows, item)
    return [[members[rows] for rows in sorted(members)] for members in groups.values() if len(members) >= FEWEST_SIZES]


def is_of_the_series_of(member: Comparison, other: Comparison) -> bool:
    """Whether two comparisons are on parts of the same data with networks of one width."""
    return _key(member) == _key(other)


def left_out(members: Sequence[Comparison], comparisons: Sequence[Comparison]) -> list[Comparison]:
    """What would belong to a series but has no finished trial, or as many training rows as one of its members."""
    taken = {member.task for member in members}
    return [each for each in comparisons if is_of_the_series_of(members[0], each) and each.task not in taken]


def _key(comparison: Comparison) -> _Key:
    task = comparison.task
    return task.dataset, task.property, task.representation, task.width


def series_words(comparison: Comparison) -> str:
    """What a series is of, by any of its comparisons."""
    words = comparison.task.words()
    names = ("dataset", "property", "representation", "width")
    return ", ".join(words[name] for name in names if words[name])
