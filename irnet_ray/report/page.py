"""From a run's files to the page that shows them, and the files beside it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from irnet_ray.errors import RunError
from irnet_ray.report.advice import advice_table, fit_series, law_table, without_unfinished
from irnet_ray.report.beside_paper import beside_paper
from irnet_ray.report.claims import Finding, Judged, judge
from irnet_ray.report.comparison import Comparison, compare, file_suffix, names_of
from irnet_ray.report.drawings import draw_all
from irnet_ray.report.evidence import read_evidence
from irnet_ray.report.formats import table_files, to_csv
from irnet_ray.report.illustrations import illustrate
from irnet_ray.report.input_illustrations import illustrate_inputs, input_groups
from irnet_ray.report.inventory import ensemble_mae, take_inventory
from irnet_ray.report.provenance import summarize
from irnet_ray.report.render import Advice, Content, Section, render
from irnet_ray.report.series import left_out, series_of, series_words
from irnet_ray.report.series_illustrations import illustrate_series
from irnet_ray.report.tables import error_table
from irnet_ray.report.unfinished_rows import with_unfinished
from irnet_ray.report.wording import listing, model_label
from irnet_ray.storage import join
from irnet_ray.study.finished_trial import Record
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.run_trials import trials_of_run
from irnet_ray.study.spec import Study

_FOLDER = "report"


def build_report(run: RunDirectory) -> str:
    """Writes a run's report from its files, in place of an earlier one.

    The same files give the same report, byte by byte. It holds ``index.html``, which needs nothing beside itself,
    ``findings.json``, in ``figures`` each figure as PNG and SVG with its data as CSV, and in ``tables`` each table as
    CSV, Markdown and LaTeX.

    Args:
        run: Some of its trials are finished.

    Returns:
        Where ``index.html`` is.

    Raises:
        RunError: No trial is finished.
        StorageError: The run cannot be read, or the report not be written.
    """
    files = dict(_files(_content(run)))  # all of them, before the earlier ones go
    run.storage.delete_folder(_FOLDER)
    for name, file in files.items():
        run.storage.write(f"{_FOLDER}/{name}", file)
    return join(run.uri, _FOLDER, "index.html")


def _content(run: RunDirectory) -> Content:
    """Gathers all that a page shows."""
    study = run.study()
    inventory = take_inventory(run, trials_of_run(run))
    results = inventory.results
    if results.empty:
        raise RunError(f"'{run.uri}': no trial is finished, so there is nothing to report; run the study first")
    # A search asks what is best, not why.
    comparisons = compare(inventory.trials, results) if study.search is None else []
    given_up, stopped = frozenset(run.cuts()) | frozenset(run.failures()), frozenset(run.stopped())
    optimistic, records = study.split.validation_is_test, inventory.records
    judged = [Judged(each, read_evidence(records, each), optimistic, given_up, stopped) for each in comparisons]
    sections = _with_names_of_their_own(
        [*_series_sections(judged), *_input_sections(judged), *(_section(records, each) for each in judged)]
    )
    drawn = draw_all([each for section in sections for each in section.illustrations])
    finished = error_table(results, lambda trial_ids: ensemble_mae([records[each] for each in trial_ids]))
    errors = with_unfinished(finished, inventory)
    if study.search is not None:
        errors = errors.sort_values("val_mae", ignore_index=True)
    return Content(
        study=study,
        inventory=inventory,
        findings=judge(judged) if judged else {},
        sections=sections,
        advice=_advice(comparisons),
        errors=errors,
        beside_paper=beside_paper(judged),
        provenance=summarize(study, inventory),
        drawings=dict(drawn),
    )


def _files(content: Content) -> Iterator[tuple[str, bytes]]:
    """Each file's name and what it holds."""
    yield "index.html", render(content).encode()
    yield "findings.json", _findings_json(content.findings, content.study)
    yield from table_files("tables/errors", content.errors).items()
    yield from table_files("tables/beside_paper", content.beside_paper).items()
    for number, advice in enumerate(content.advice):
        suffix = f"_{number + 1}" if number else ""
        yield from table_files(f"tables/advice{suffix}", advice.table).items()
        yield from table_files(f"tables/laws{suffix}", advice.laws).items()
    for illustration in (each for section in content.sections for each in section.illustrations):
        if illustration.name not in content.drawings:
            continue
        yield f"figures/{illustration.name}.png", content.drawings[illustration.name].png
        yield f"figures/{illustration.name}.svg", content.drawings[illustration.name].svg.encode()
        yield f"figures/{illustration.name}.csv", to_csv(illustration.data)
        yield from table_files(f"tables/{illustration.name}", illustration.table).items()


def _series_sections(judged: Sequence[Judged]) -> list[Section]:
    """The figures over numbers of training rows."""
    comparisons = [each.comparison for each in judged]
    found = series_of(judged, lambda each: each.comparison)
    sections = []
    for members in found:
        others = left_out([each.comparison for each in members], comparisons)
        name = series_words(members[0].comparison) if len(found) > 1 else ""
        illustrations = illustrate_series(members, others, name)
        sections.append(Section(name or "All numbers of training rows", illustrations, _attributes(members[0])))
    return sections


def _input_sections(judged: Sequence[Judged]) -> list[Section]:
    """The figures over representations."""
    groups = input_groups(judged)
    tasks = [replace(members[0].comparison.task, representation="") for members in groups]
    sections = []
    for members, task, name in zip(groups, tasks, names_of(tasks), strict=True):
        title = name or f"{task.dataset}, {task.words()['property']}"
        attributes = {"dataset": task.dataset, "property": task.property}
        illustrations = illustrate_inputs(members, file_suffix(name))
        sections.append(Section(f"All representations: {title}", illustrations, attributes))
    return sections


def _with_names_of_their_own(sections: Sequence[Section]) -> list[Section]:
    """Numbers the files of figures whose names came out the same."""
    taken: Counter[str] = Counter()
    renamed = []
    for section in sections:
        illustrations = []
        for each in section.illustrations:
            taken[each.name] += 1
            again = taken[each.name]
            illustrations.append(each if again == 1 else replace(each, name=f"{each.name}_{again}"))
        renamed.append(replace(section, illustrations=illustrations))
    return renamed


def _section(records: Mapping[str, Record], judged: Judged) -> Section:
    """The figures of a comparison."""
    comparison = judged.comparison
    note = ""
    if others := comparison.other_architectures:
        note = f"Of architectures of one depth the first is shown; only in the table of errors: {listing(others)}."
    illustrations = illustrate(records, judged, file_suffix(comparison.name))
    return Section(comparison.name, illustrations, _attributes(judged), note)


def _attributes(judged: Judged) -> dict[str, str]:
    """By what the page's filters know a comparison."""
    task = judged.comparison.task
    return {"dataset": task.dataset, "property": task.property, "representation": task.representation}


def _advice(comparisons: Sequence[Comparison]) -> list[Advice]:
    found = fit_series(comparisons)
    return [
        Advice(
            name=series.data if len(found) > 1 else "",
            dataset=series.dataset,
            table=advice_table(series),
            laws=law_table(series),
            missing=without_unfinished(series) if series.unfinished else "",
        )
        for series in found
    ]


def _findings_json(findings: Mapping[str, Sequence[Finding]], study: Study) -> bytes:
    rows = []
    for question, group in findings.items():
        for finding in group:
            row = asdict(finding)
            place = row.pop("place")
            models = [model_label(*point) for point in place["models"]]
            rows.append(
                {**row, **place, "models": models, "question": question, "optimistic": study.split.validation_is_test}
            )
    return (json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
