"""What a section of a benchmark measured: a table and what goes with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Section:
    """A table of measurements.

    Attributes:
        title: What was measured.
        table: The measurements.
        notes: What the table does not tell.
    """

    title: str
    table: pd.DataFrame
    notes: str = ""

    def __str__(self) -> str:
        text = f"{self.title}\n{self.table.to_string(index=False, float_format=_number)}"
        return f"{text}\n{self.notes}" if self.notes else text

    def to_markdown(self) -> str:
        """The table and the notes for a page, under the title."""
        rows = [[_cell(value) for value in row] for row in self.table.itertuples(index=False)]
        lines = [[str(column) for column in self.table.columns], ["---"] * self.table.shape[1], *rows]
        text = "\n".join([f"{self.title}:", "", *(f"| {' | '.join(cells)} |" for cells in lines)])
        return f"{text}\n\n{self.notes}" if self.notes else text

    def store(self, path: Path) -> None:
        """Writes the table as CSV, three digits or more."""
        self.table.to_csv(path, index=False, float_format="%.4g")


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else _number(value)
    return f"{value:,}" if isinstance(value, int | np.integer) and not isinstance(value, bool) else str(value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}".removesuffix(".")
