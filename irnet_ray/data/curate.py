"""From a table as published to a table to learn from: small named steps, each counted.

A table has the columns ``formula``, one for each property, and ``published_split`` where there is one.
Its index is the row's number in the source: the first row of data, behind the header, is row 1, and
files of one set are counted on from one to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from irnet_ray.data.cards import (
    Bounds,
    DropElements,
    DropMissing,
    KeepLowest,
    MedianOfDuplicates,
    ReduceComposition,
    SigmaCut,
    Step,
)
from irnet_ray.errors import FormulaError
from irnet_ray.formula import BadFormula, parse_column, reduced_formulas

FORMULA = "formula"
PUBLISHED_SPLIT = "published_split"


@dataclass(frozen=True)
class StepReport:
    """How many rows a step dropped."""

    step: str
    dropped: int


@dataclass(frozen=True)
class CurationReport:
    """How the rows of a source became fewer.

    Attributes:
        rows_read: Rows of the source.
        steps: The steps in their order.
    """

    rows_read: int
    steps: tuple[StepReport, ...] = ()

    @property
    def rows_kept(self) -> int:
        """Rows after the last step."""
        return self.rows_read - sum(step.dropped for step in self.steps)

    def followed_by(self, step: str, dropped: int) -> CurationReport:
        """The report with one more step."""
        return CurationReport(self.rows_read, (*self.steps, StepReport(step, dropped)))

    def __str__(self) -> str:
        lines = [("rows read", f"{self.rows_read:,}")]
        lines += [(step.step, f"-{step.dropped:,}" if step.dropped else "0") for step in self.steps]
        lines += [("rows kept", f"{self.rows_kept:,}")]
        width = max(len(label) for label, _ in lines)
        return "\n".join(f"{label:<{width}}  {count:>9}" for label, count in lines)


def curate(
    table: pd.DataFrame, steps: Sequence[Step], *, skip_bad_rows: bool = False
) -> tuple[pd.DataFrame, CurationReport]:
    """Takes a table through the steps of a card.

    Args:
        table: The table as read, see the module's description.
        steps: The steps in order.
        skip_bad_rows: Whether ``reduce_composition`` drops unreadable formulas instead of raising.

    Returns:
        The curated table and the number of rows that each step dropped.

    Raises:
        FormulaError: A formula cannot be read.
    """
    report = CurationReport(rows_read=len(table))
    for step in steps:
        before = len(table)
        table = _apply(step, table, skip_bad_rows)
        report = report.followed_by(_label(step), before - len(table))
    return table, report


def _apply(step: Step, table: pd.DataFrame, skip_bad_rows: bool) -> pd.DataFrame:
    match step:
        case DropMissing():
            table = drop_missing(table)
        case ReduceComposition():
            table = reduce_composition(table, skip_bad_rows=skip_bad_rows)
        case DropElements():
            table = drop_elements(table)
        case Bounds():
            table = bounds(table, step.column, step.low, step.high)
        case SigmaCut():
            table = sigma_cut(table, step.column, step.deviations)
        case KeepLowest():
            table = keep_lowest(table, step.column)
        case MedianOfDuplicates():
            table = median_of_duplicates(table)
    return table


def _label(step: Step) -> str:
    match step:
        case Bounds():
            return f"bounds ({step.low:g} < {step.column} < {step.high:g})"
        case SigmaCut():
            return f"sigma_cut ({step.column}, {step.deviations:g} standard deviations)"
        case KeepLowest():
            return f"keep_lowest ({step.column})"
        case _:
            return step.step


def property_columns(table: pd.DataFrame) -> list[str]:
    """The columns of a table that hold properties."""
    return [column for column in table.columns if column not in {FORMULA, PUBLISHED_SPLIT}]


def drop_missing(table: pd.DataFrame) -> pd.DataFrame:
    """Drops rows without a formula and rows without any property."""
    has_formula = table[FORMULA].str.strip() != ""
    has_property = table[property_columns(table)].notna().any(axis=1)
    return table[has_formula & has_property]


def reduce_composition(table: pd.DataFrame, *, skip_bad_rows: bool = False) -> pd.DataFrame:
    """Replaces each formula by its reduced formula.

    Args:
        table: The table.
        skip_bad_rows: Whether to drop unreadable formulas instead of raising.

    Raises:
        FormulaError: Names the row of the first formula that cannot be read.
    """
    compositions, bad = parse_column(table[FORMULA].tolist())
    if bad and not skip_bad_rows:
        raise FormulaError(_complaint(table, bad))
    readable = table.drop(index=table.index[[each.row for each in bad]])
    reduced = pd.Series(reduced_formulas(compositions), index=readable.index, dtype=object)  # text, even without rows
    return readable.assign(**{FORMULA: reduced})


def _complaint(table: pd.DataFrame, bad: Sequence[BadFormula]) -> str:
    first = bad[0]
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    place = f"row {table.index[first.row]}: {first.formula!r}: {first.reason}"
    return f"{place}{more}; correct it, or drop such rows with --skip-bad-rows"


def drop_elements(table: pd.DataFrame) -> pd.DataFrame:
    """Drops rows whose reduced formula is one element."""
    return table[table[FORMULA].str.count("[A-Z]") > 1]


def bounds(table: pd.DataFrame, column: str, low: float, high: float) -> pd.DataFrame:
    """Keeps rows with ``low < column < high``; a missing value is dropped."""
    return table[table[column].between(low, high, inclusive="neither")]


def sigma_cut(table: pd.DataFrame, column: str, deviations: float) -> pd.DataFrame:
    """Keeps rows within some standard deviations of the mean, both computed once; a missing value is dropped."""
    values = table[column]
    return table[(values - values.mean()).abs() <= deviations * values.std(ddof=0)]


def keep_lowest(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Keeps for each formula the row of the lowest value, which the other properties decide if it is shared.

    A formula without any value keeps one row.
    """
    others = [name for name in property_columns(table) if name != column]
    return table.sort_values([column, *others], kind="stable").drop_duplicates(FORMULA).sort_index()


def median_of_duplicates(table: pd.DataFrame) -> pd.DataFrame:
    """Makes one row for each formula, with the median of each property; it stands at the first one's place."""
    medians = table.groupby(FORMULA, sort=False)[property_columns(table)].median()
    first = table.drop_duplicates(FORMULA)[[FORMULA]]
    return first.join(medians, on=FORMULA)
