"""From a run's files to the page that shows them, and the files beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from irnet_ray.errors import RunError
from irnet_ray.report.beside_paper import beside_paper
from irnet_ray.report.claims import Finding, Judged, judge
from irnet_ray.report.comparison import compare, file_suffix
from irnet_ray.report.evidence import ensemble_mae, read_evidence
from irnet_ray.report.figures.style import to_png
from irnet_ray.report.illustrations import Illustration, illustrate
from irnet_ray.report.provenance import summarize
from irnet_ray.report.render import Section, render
from irnet_ray.report.series import series_of, series_words
from irnet_ray.report.series_illustrations import illustrate_series
from irnet_ray.report.tables import error_table
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.run_trials import trials_of_run
from irnet_ray.study.spec import Study

_FOLDER = "report"


def build_report(run: RunDirectory) -> str:
    """Writes a run's report from its files, in place of an earlier one.

    The same files give the same report, byte by byte. It holds ``index.html``, which needs nothing beside
    itself, ``findings.json``, ``errors.csv``, ``beside_paper.csv``, and each figure as PNG with its data as CSV.

    Args:
        run: Some of its trials are finished.

    Returns:
        Where ``index.html`` is.

    Raises:
        RunError: No trial is finished, or trials that are to be compared were tested on different rows.
        StorageError: The run cannot be read, or the report not be written.
    """
    study = run.study()
    trials = trials_of_run(run)
    results = run.results(trials)
    if results.empty:
        raise RunError(f"'{run.uri}': no trial is finished, so there is nothing to report; run the study first")
    comparisons = compare(trials, results) if study.search is None else []  # a search asks what is best, not why
    cut = frozenset(run.cuts())
    judged = [Judged(each, read_evidence(run, each), study.split.validation_is_test, cut) for each in comparisons]
    findings = judge(judged) if judged else []
    paper = beside_paper(judged)
    sections = [*_series_sections(judged), *(Section(each.comparison.name, _illustrate(run, each)) for each in judged)]
    errors = error_table(results, lambda trial_ids: ensemble_mae(run, trial_ids))
    if study.search is not None:
        errors = errors.sort_values("val_mae", ignore_index=True)
    files = {
        "index.html": render(study, findings, sections, errors, paper, summarize(run, study, trials, results)).encode(),
        "findings.json": _findings_json(findings, study),
        "errors.csv": _csv(errors),
        "beside_paper.csv": _csv(paper),
    }
    for illustration in (each for section in sections for each in section.illustrations):
        if illustration.figure is not None:
            files[f"{illustration.name}.png"] = to_png(illustration.figure)
            files[f"{illustration.name}.csv"] = _csv(illustration.data)
    run.storage.delete_folder(_FOLDER)
    for name, content in files.items():
        run.storage.write(f"{_FOLDER}/{name}", content)
    return f"{run.uri.rstrip('/')}/{_FOLDER}/index.html"


def _series_sections(judged: Sequence[Judged]) -> list[Section]:
    """The figures over numbers of training rows."""
    found = series_of(judged, lambda each: each.comparison)
    names = [series_words(members[0].comparison) if len(found) > 1 else "" for members in found]
    return [
        Section(name or "all numbers of training rows", illustrate_series(members, name))
        for members, name in zip(found, names, strict=True)
    ]


def _illustrate(run: RunDirectory, judged: Judged) -> list[Illustration]:
    suffix = file_suffix(judged.comparison.name)
    return illustrate(run, judged.comparison, judged.evidence, suffix=suffix, optimistic=judged.optimistic)


def _findings_json(findings: Sequence[Finding], study: Study) -> bytes:
    rows = [{**asdict(finding), "optimistic": study.split.validation_is_test} for finding in findings]
    return (json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()
