"""The report as one HTML file that needs nothing beside itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from irnet_ray.report.claims import OF_OURS, Finding
from irnet_ray.report.drawings import Drawing
from irnet_ray.report.figures.style import for_page
from irnet_ray.report.filters import filters_of
from irnet_ray.report.illustrations import Illustration
from irnet_ray.report.inventory import Inventory
from irnet_ray.report.provenance import Provenance, source_of
from irnet_ray.report.strips import HEIGHT, WIDTH, Strip, strips
from irnet_ray.report.tables import Layout, lay_out
from irnet_ray.report.trial_texts import trial_texts
from irnet_ray.report.wording import count, distinct, filter_model, heading, number, title_of
from irnet_ray.study.spec import Study

_FEW = 6  # findings that may be unfolded from the beginning

Drawn = tuple[Finding, Strip | None]


@dataclass(frozen=True)
class Section:
    """The figures of one comparison, or of a series of them.

    Attributes:
        name: What tells it from the run's others; empty if it is the only one.
        illustrations: The figures.
        attributes: By what the page's filters know it, such as its dataset.
        note: What is shown nowhere in them.
    """

    name: str
    illustrations: list[Illustration]
    attributes: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Advice:
    """How deep to go with how many rows.

    Attributes:
        name: The data; empty if there is no other.
        dataset: For the page's filter.
        table: Of ``advice_table``.
        laws: Of ``law_table``.
        missing: What it had to do without; empty if nothing.
    """

    name: str
    dataset: str
    table: pd.DataFrame
    laws: pd.DataFrame
    missing: str = ""


@dataclass(frozen=True)
class Content:
    """All that a page shows.

    Attributes:
        study: What the run is of.
        inventory: Its trials.
        findings: What it says of the paper's claims, by question.
        sections: Its figures.
        advice: One for each series of numbers of training rows.
        errors: Of ``error_table``.
        beside_paper: Of ``beside_paper``.
        provenance: How the run came about.
        drawings: Of the figures that are drawn, by name.
    """

    study: Study
    inventory: Inventory
    findings: Mapping[str, Sequence[Finding]]
    sections: Sequence[Section]
    advice: Sequence[Advice]
    errors: pd.DataFrame
    beside_paper: pd.DataFrame
    provenance: Provenance
    drawings: Mapping[str, Drawing]


def render(content: Content) -> str:
    """Writes the page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("irnet_ray.report", "web"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        data_attributes=_data_attributes,
        heading=heading,
        labels=lambda points: " / ".join(point.label for point in points),
        model_title=title_of,
        number=number,
        place_attributes=_place_attributes,
        source=source_of,
        svg=lambda illustration, section: _svg(illustration, section, content.drawings),
        verdicts=lambda rows: _tally([finding for finding, _ in rows]),
    )
    every = [finding for findings in content.findings.values() for finding in findings]
    questions = {title: claims for title, group in content.findings.items() if (claims := _by_claim(group))}
    unfinished = content.inventory.unfinished
    return environment.get_template("page.html").render(
        study=content.study,
        optimistic=content.study.split.validation_is_test,
        filters=filters_of(content.inventory.trials),
        questions=questions,
        unjudged=[finding for finding in every if not finding.speaks],
        few_findings=sum(finding.speaks for finding in every) <= _FEW,
        strip_width=WIDTH,
        strip_height=HEIGHT,
        verdicts=_tally([finding for finding in every if finding.claim not in OF_OURS]),
        sections=[_laid_out(section) for section in content.sections],
        advice=[{**vars(each), "table": lay_out(each.table), "laws": lay_out(each.laws)} for each in content.advice],
        table=lay_out(content.errors.drop(columns="shortcut")),
        has_unfinished_rows="note" in content.errors,
        paper_table=None if content.beside_paper.empty else lay_out(content.beside_paper),
        provenance=content.provenance,
        total=count(len(content.inventory.trials), "trial"),
        without_result=f"{count(len(unfinished), 'trial')} {'is' if len(unfinished) == 1 else 'are'}",
        trial_texts=_json(trial_texts(content.inventory.results)),
    )


def _laid_out(section: Section) -> dict[str, object]:
    """A section with its tables as texts."""
    illustrations = [{**vars(each), "table": _table(each.table)} for each in section.illustrations]
    return {**vars(section), "illustrations": illustrations}


def _table(table: pd.DataFrame) -> Layout | None:
    return None if table.empty else lay_out(table)


def _by_claim(findings: Sequence[Finding]) -> dict[str, list[Drawn]]:
    """The findings with numbers and their drawings, on one scale."""
    spoken = [finding for finding in findings if finding.speaks]
    claims: dict[str, list[Drawn]] = {}
    for finding, strip in zip(spoken, strips(spoken), strict=True):
        claims.setdefault(finding.claim, []).append((finding, strip))
    return claims


def _data_attributes(keys: Mapping[str, str]) -> Markup:
    """By what the page's filters know an element."""
    return Markup("").join(Markup(' data-{}="{}"').format(name, value) for name, value in keys.items())


def _place_attributes(finding: Finding) -> Markup:
    """By what the page's filters know a finding; what it compares is a list."""
    place = finding.place
    keys = {name: getattr(place, name) for name in ("dataset", "property", "representation")}
    keys["model"] = " ".join(distinct(filter_model(point.model) for point in place.models))
    keys["depth"] = " ".join(distinct(str(point.depth) for point in place.models if point.depth))
    return _data_attributes({name: value for name, value in keys.items() if value})


def _svg(illustration: Mapping[str, object], section: str, drawings: Mapping[str, Drawing]) -> Markup:
    title = ", ".join(filter(None, [str(illustration["title"]), section]))
    return Markup(for_page(drawings[str(illustration["name"])].svg, str(escape(f"{title}; its table follows"))))


def _json(value: object) -> Markup:
    """JSON that cannot end the element that it stands in."""
    return Markup(json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"))


def _tally(findings: Sequence[Finding]) -> str:
    """Counts verdicts: ``2 claims reproduced, 1 inconclusive``."""
    counts = Counter(finding.verdict for finding in findings)
    return ", ".join(f"{amount} {verdict}" for verdict, amount in counts.items())
