"""From a run's files to the page that shows them, and the files beside it."""

from __future__ import annotations

import json
from dataclasses import asdict

import pandas as pd

from irnet_ray.errors import RunError
from irnet_ray.report.comparison import Comparison, compare, file_suffix
from irnet_ray.report.evidence import ensemble_mae, read_evidence
from irnet_ray.report.figures.style import to_png
from irnet_ray.report.findings import judge
from irnet_ray.report.illustrations import illustrate
from irnet_ray.report.provenance import describe_forest, summarize
from irnet_ray.report.render import Section, render
from irnet_ray.report.tables import error_table
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.run_trials import trials_of_run
from irnet_ray.study.spec import Study
from irnet_ray.study.trial import ForestModel, Trial

_FOLDER = "report"


def build_report(run: RunDirectory) -> str:
    """Writes a run's report from its files, in place of an earlier one.

    The same files give the same report, byte by byte. It holds ``index.html``, which needs nothing beside
    itself, ``findings.json``, ``errors.csv``, and each figure as PNG with its data as CSV.

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
    sections = [_section(run, study, comparison) for comparison in comparisons]
    errors = error_table(_name_forests(results, trials), lambda trial_ids: ensemble_mae(run, trial_ids))
    if study.search is not None:
        errors = errors.sort_values("val_mae", ignore_index=True)
    files = {
        "index.html": render(study, sections, errors, summarize(run, study, trials, results)).encode(),
        "findings.json": _findings_json(sections, study),
        "errors.csv": _csv(errors),
    }
    for illustration in (each for section in sections for each in section.illustrations):
        if illustration.figure is not None:
            files[f"{illustration.name}.png"] = to_png(illustration.figure)
            files[f"{illustration.name}.csv"] = _csv(illustration.data)
    run.storage.delete_folder(_FOLDER)
    for name, content in files.items():
        run.storage.write(f"{_FOLDER}/{name}", content)
    return f"{run.uri.rstrip('/')}/{_FOLDER}/index.html"


def _section(run: RunDirectory, study: Study, comparison: Comparison) -> Section:
    optimistic = study.split.validation_is_test
    evidence = read_evidence(run, comparison)
    suffix = file_suffix(comparison.name)
    return Section(
        comparison=comparison,
        findings=judge(comparison, evidence, optimistic=optimistic),
        illustrations=illustrate(run, comparison, evidence, suffix=suffix, optimistic=optimistic),
    )


def _name_forests(results: pd.DataFrame, trials: list[Trial]) -> pd.DataFrame:
    """Where there are several forests, gives each its settings for a recipe, so that they are not averaged."""
    labels = {
        trial.id: describe_forest(trial.model.settings) for trial in trials if isinstance(trial.model, ForestModel)
    }
    if len(set(labels.values())) <= 1:
        return results
    return results.assign(recipe=results["trial_id"].map(labels).fillna(results["recipe"]))


def _findings_json(sections: list[Section], study: Study) -> bytes:
    rows = [
        {**asdict(finding), **asdict(section.comparison.task), "optimistic": study.split.validation_is_test}
        for section in sections
        for finding in section.findings
    ]
    return (json.dumps(rows, indent=2, ensure_ascii=False) + "\n").encode()


def _csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()
