"""The report as one HTML file that needs nothing beside itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from irnet_ray.report.claims import Finding
from irnet_ray.report.figures.style import to_svg
from irnet_ray.report.illustrations import Illustration
from irnet_ray.report.provenance import Provenance, source_of
from irnet_ray.report.tables import lay_out
from irnet_ray.report.wording import count, number, title_of, words
from irnet_ray.study.spec import Study

_HEADINGS = {
    "ensemble_mae": "MAE of the seeds' average",
    "n_parameters": "parameters",
    "ours_to_paper": "ours / paper",
    "paper_rows": "its rows",
    "test_mae_std": "± over seeds",
    "test_r2": "test R²",
    "train_size": "training rows",
    "train_seconds": "time",
}


@dataclass(frozen=True)
class Section:
    """The figures of one comparison, or of a series of them.

    Attributes:
        name: What tells it from the run's others; empty if it is the only one.
        illustrations: The figures.
    """

    name: str
    illustrations: list[Illustration]


def render(
    study: Study,
    findings: Sequence[Finding],
    sections: Sequence[Section],
    errors: pd.DataFrame,
    beside_paper: pd.DataFrame,
    provenance: Provenance,
) -> str:
    """Writes the page.

    Args:
        study: What the run is of.
        findings: What it says of the paper's claims.
        sections: Its comparisons.
        errors: Of ``error_table``.
        beside_paper: Of ``beside_paper``.
        provenance: How the run came about.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("irnet_ray.report", ""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        number=number, bound=_bound, words=words, svg=_svg, source=source_of, heading=_heading, model_title=title_of
    )
    return environment.get_template("page.html").render(
        study=study,
        optimistic=study.split.validation_is_test,
        sections=sections,
        findings=[finding for finding in findings if finding.speaks],
        unjudged=[finding for finding in findings if not finding.speaks],
        verdicts=_tally(findings),
        table=lay_out(errors.drop(columns="shortcut")),
        paper_table=None if beside_paper.empty else lay_out(beside_paper),
        provenance=provenance,
        total=count(provenance.finished + len(provenance.unfinished), "trial"),
    )


def _bound(value: float | None) -> str:
    """An end of an interval, which may lie beyond what was tried."""
    return "beyond" if value is None else number(value)


def _svg(illustration: Illustration) -> Markup:
    assert illustration.figure is not None
    return Markup(to_svg(illustration.figure, illustration.name, str(escape(illustration.title))))


def _heading(column: str) -> str:
    """A column's heading for people: ``test MAE (eV/atom)``."""
    name, separator, unit = column.partition(" (")
    text = _HEADINGS.get(name) or words(name).replace("mae", "MAE").replace("rmse", "RMSE").replace("p90", "P90")
    return f"{text}{separator}{unit}"


def _tally(findings: Sequence[Finding]) -> str:
    """Counts verdicts: ``2 claims reproduced, 1 inconclusive``."""
    counts = Counter(finding.verdict for finding in findings)
    return ", ".join(f"{amount} {verdict}" for verdict, amount in counts.items())
