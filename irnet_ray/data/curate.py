"""From a table as published to a table to learn from: small named steps, each counted.

A table has the columns ``formula``, one for each property, and ``published_split`` where there is one. A
table of structures has the column ``structure`` with their text, and gets its formulas from them. The
index is the row's number in the source: the first row of data, behind the header, is row 1, and files of
one set are counted on from one to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from irnet_ray.data.steps import (
    Bounds,
    DropElements,
    DropMissing,
    KeepLowest,
    MedianOfDuplicates,
    ReduceComposition,
    SigmaCut,
    Step,
    UniqueStructure,
    WithoutElements,
)
from irnet_ray.data.structures import formulas_of, without_repeated_structures
from irnet_ray.errors import CrystalError, DataError, FormulaError
from irnet_ray.formula import parse_column, reduced_formulas

FORMULA = "formula"
STRUCTURE = "structure"
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
    table: pd.DataFrame, steps: Sequence[Step], *, form: str | None = None, skip_bad_rows: bool = False
) -> tuple[pd.DataFrame, CurationReport]:
    """Takes a table through the steps of a card.

    Args:
        table: The table as read, see the module's description.
        steps: The steps in order.
        form: In which form of ``irnet_ray.crystal.FORMS`` structures are written.
        skip_bad_rows: Whether ``reduce_composition`` drops unreadable formulas and structures instead of
            raising.

    Returns:
        The curated table and the number of rows that each step dropped.

    Raises:
        FormulaError: A formula cannot be read.
        CrystalError: A structure cannot be read.
    """
    report = CurationReport(rows_read=len(table))
    for step in steps:
        before = len(table)
        table = _apply(step, table, form, skip_bad_rows)
        report = report.followed_by(_label(step), before - len(table))
    return table, report


def _apply(step: Step, table: pd.DataFrame, form: str | None, skip_bad_rows: bool) -> pd.DataFrame:
    match step:
        case DropMissing():
            table = drop_missing(table)
        case ReduceComposition():
            table = reduce_composition(table, form=form, skip_bad_rows=skip_bad_rows)
        case DropElements():
            table = drop_elements(table)
        case WithoutElements():
            table = without_elements(table, step.elements)
        case Bounds():
            table = bounds(table, step.column, step.low, step.high)
        case SigmaCut():
            table = sigma_cut(table, step.column, step.deviations)
        case KeepLowest():
            table = keep_lowest(table, step.column)
        case UniqueStructure():
            table = unique_structure(table, step.column, form or "")
        case MedianOfDuplicates():
            table = median_of_duplicates(table)
    return table


def _label(step: Step) -> str:
    match step:
        case Bounds():
            return f"bounds ({step.low:g} < {step.column} < {step.high:g})"
        case SigmaCut():
            return f"sigma_cut ({step.column}, {step.deviations:g} standard deviations)"
        case WithoutElements():
            return f"{step.step} ({', '.join(step.elements)})"
        case KeepLowest() | UniqueStructure():
            return f"{step.step} ({step.column})"
        case _:
            return step.step


def property_columns(table: pd.DataFrame) -> list[str]:
    """The columns of a table that hold properties."""
    return [column for column in table.columns if column not in {FORMULA, STRUCTURE, PUBLISHED_SPLIT}]


def drop_missing(table: pd.DataFrame) -> pd.DataFrame:
    """Drops rows without a formula or structure and rows without any property."""
    has_material = table[STRUCTURE if STRUCTURE in table else FORMULA].str.strip() != ""
    has_property = table[property_columns(table)].notna().any(axis=1)
    return table[has_material & has_property]


def reduce_composition(table: pd.DataFrame, *, form: str | None = None, skip_bad_rows: bool = False) -> pd.DataFrame:
    """Replaces each formula by its reduced formula, or takes that of the structure.

    Args:
        table: The table.
        form: In which form structures are written.
        skip_bad_rows: Whether to drop unreadable formulas and structures instead of raising.

    Raises:
        FormulaError: Names the row of the first formula that cannot be read.
        CrystalError: Names the row of the first structure that cannot be read.
    """
    refuse: type[DataError] = CrystalError if STRUCTURE in table else FormulaError
    if STRUCTURE in table:
        formulas, reasons = formulas_of(table[STRUCTURE].tolist(), form or "")
    else:
        compositions, bad = parse_column(table[FORMULA].tolist())
        formulas = reduced_formulas(compositions)
        reasons = {each.row: f"{each.formula!r}: {each.reason}" for each in bad}
    if reasons and not skip_bad_rows:
        raise refuse(_complaint(table, reasons))
    readable = table.drop(index=table.index[list(reasons)])
    return readable.assign(**{FORMULA: pd.Series(formulas, index=readable.index, dtype=object)})  # text, even if empty


def _complaint(table: pd.DataFrame, reasons: Mapping[int, str]) -> str:
    row, reason = next(iter(reasons.items()))
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"row {table.index[row]}: {reason}{more}; correct it, or drop such rows with --skip-bad-rows"


def drop_elements(table: pd.DataFrame) -> pd.DataFrame:
    """Drops rows whose reduced formula is one element."""
    return table[table[FORMULA].str.count("[A-Z]") > 1]


def without_elements(table: pd.DataFrame, elements: Sequence[str]) -> pd.DataFrame:
    """Drops rows whose reduced formula holds one of these elements."""
    symbols = table[FORMULA].str.findall("[A-Z][a-z]?")
    return table[[set(elements).isdisjoint(each) for each in symbols]]


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
    return _lowest_first(table, column).drop_duplicates(FORMULA).sort_index()


def unique_structure(table: pd.DataFrame, column: str, form: str) -> pd.DataFrame:
    """Keeps for each formula and crystal structure the row of the lowest value.

    So the paper's OQMD-SC holds each combination of composition and crystal structure once. It says neither
    when two structures are one, which ``without_repeated_structures`` decides here, nor which row stays. A
    structure is dropped if it equals one of a lower value that is kept.

    Args:
        table: The table, with reduced formulas and structures.
        column: The property that decides, the formation energy for example.
        form: In which form structures are written.
    """
    shared = _lowest_first(table[table.duplicated(FORMULA, keep=False)], column)
    kept = set(without_repeated_structures(shared[FORMULA].tolist(), shared[STRUCTURE].tolist(), form))
    repeated = [number for row, number in enumerate(shared.index) if row not in kept]
    return table.drop(index=repeated)


def _lowest_first(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Sorts by a property, missing values last; the order depends on the rows alone."""
    others = [name for name in (*property_columns(table), STRUCTURE) if name != column and name in table]
    return table.sort_values([column, *others], kind="stable")


def median_of_duplicates(table: pd.DataFrame) -> pd.DataFrame:
    """Makes one row for each formula, with the median of each property; it stands at the first one's place."""
    medians = table.groupby(FORMULA, sort=False)[property_columns(table)].median()
    first = table.drop_duplicates(FORMULA)[[FORMULA]]
    return first.join(medians, on=FORMULA)
