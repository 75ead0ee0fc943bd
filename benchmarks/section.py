"""What a section of a benchmark measured: a table and what goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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

    def store(self, path: Path) -> None:
        """Writes the table as CSV, three digits or more."""
        self.table.to_csv(path, index=False, float_format="%.4g")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
