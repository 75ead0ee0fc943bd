"""The report as one HTML file that needs nothing beside itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from irnet_ray.report.comparison import Comparison
from irnet_ray.report.figures.style import to_svg
from irnet_ray.report.findings import Finding
from irnet_ray.report.illustrations import Illustration
from irnet_ray.report.provenance import Provenance, source_of
from irnet_ray.report.tables import lay_out
from irnet_ray.report.wording import count, number, title_of, words
from irnet_ray.study.spec import Study

_HEADINGS = {
    "ensemble_mae": "MAE of the seeds' average",
    "n_parameters": "parameters",
    "test_mae_std": "± over seeds",
    "test_r2": "test R²",
    "train_size": "training rows",
    "train_seconds": "time",
}


@dataclass(frozen=True)
class Section:
    """What the page shows of one comparison.

    Attributes:
        comparison: The trials.
        findings: What they say of the paper's claims.
        illustrations: Their figures.
    """

    comparison: Comparison
    findings: list[Finding]
    illustrations: list[Illustration]


def render(study: Study, sections: Sequence[Section], errors: pd.DataFrame, provenance: Provenance) -> str:
    """Writes the page.

    Args:
        study: What the run is of.
        sections: Its comparisons.
        errors: Of ``error_table``.
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
        number=number, words=words, svg=_svg, source=source_of, heading=_heading, model_title=title_of
    )
    return environment.get_template("page.html").render(
        study=study,
        optimistic=study.split.validation_is_test,
        sections=sections,
        verdicts=_tally(sections),
        table=lay_out(errors.drop(columns="shortcut")),
        provenance=provenance,
        total=count(provenance.finished + len(provenance.unfinished), "trial"),
    )


def _svg(illustration: Illustration) -> Markup:
    assert illustration.figure is not None
    return Markup(to_svg(illustration.figure, illustration.name, str(escape(illustration.title))))


def _heading(column: str) -> str:
    """A column's heading for people: ``test MAE (eV/atom)``."""
    name, separator, unit = column.partition(" (")
    text = _HEADINGS.get(name) or words(name).replace("mae", "MAE").replace("rmse", "RMSE").replace("p90", "P90")
    return f"{text}{separator}{unit}"


def _tally(sections: Sequence[Section]) -> str:
    """Counts verdicts: ``2 claims reproduced, 1 inconclusive``."""
    counts = Counter(finding.verdict for section in sections for finding in section.findings)
    return ", ".join(f"{amount} {verdict}" for verdict, amount in counts.items())
