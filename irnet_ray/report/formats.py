"""A table as the text of a file, for programs, for pages and for papers."""

from __future__ import annotations

import pandas as pd

from irnet_ray.report.tables import Layout, lay_out
from irnet_ray.report.wording import heading, title_of


def table_files(stem: str, table: pd.DataFrame) -> dict[str, bytes]:
    """A table's files by their names: CSV with all digits, Markdown and LaTeX as the page has it.

    Args:
        stem: Of the names.
        table: As of ``tables``.
    """
    if table.empty:
        return {}
    layout = lay_out(table)
    return {
        f"{stem}.csv": to_csv(table),
        f"{stem}.md": _markdown(layout).encode(),
        f"{stem}.tex": _latex(layout).encode(),
    }


def to_csv(table: pd.DataFrame) -> bytes:
    """With all digits."""
    return table.to_csv(index=False).encode()


def _for_people(layout: Layout) -> tuple[list[str], list[list[str]]]:
    """Headings and rows in words."""
    models = [column == "model" for column in layout.headings]
    rows = [
        [" ".join((title_of(text) if is_model else text).split()) for text, is_model in zip(row, models, strict=True)]
        for row in layout.rows
    ]
    return [heading(column) for column in layout.headings], rows


def _markdown(layout: Layout) -> str:
    headings, rows = _for_people(layout)
    rule = ["---:" if number else "---" for number in layout.is_number]
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (headings, rule, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    common = _common(layout)
    return "\n".join([common, "", *lines] if common else lines) + "\n"


def _common(layout: Layout) -> str:
    """What all rows share, in a sentence; empty if nothing."""
    shared = ", ".join(f"{heading(column)} {value}" for column, value in layout.common.items())
    return f"All rows have {shared}." if shared else ""


def _latex(layout: Layout) -> str:
    """A ``tabular`` with the rules of the package booktabs; what all rows share stands over it as a comment."""
    headings, rows = _for_people(layout)
    columns = "".join("r" if number else "l" for number in layout.is_number)
    table = pd.DataFrame(rows, columns=headings)
    text = table.to_latex(index=False, escape=True, column_format=columns)
    text = text.replace("±", r"$\pm$").replace("²", r"\textsuperscript{2}")
    common = _common(layout)
    return f"% {common}\n{text}" if common else str(text)
