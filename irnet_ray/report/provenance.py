"""How a run came about: its data, its split, its recipes, its machines, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from irnet_ray.data.cards import DatasetCard, MatminerSource, TransportSource, WheelSource
from irnet_ray.data.catalog import catalog
from irnet_ray.data.split import SplitPlan
from irnet_ray.report.comparison import point_of
from irnet_ray.report.deviations import deviations
from irnet_ray.report.inventory import Inventory
from irnet_ray.report.wording import cell, count, distinct, listing
from irnet_ray.study.progress import duration
from irnet_ray.study.space import Search
from irnet_ray.study.spec import Study
from irnet_ray.study.trial import NetworkModel, Trial

_VERSIONS = ("irnet_ray", "python", "torch", "ray", "scikit-learn", "numpy", "matminer")


@dataclass(frozen=True)
class Unfinished:
    """A trial without a result.

    Attributes:
        label: Its name, such as ``IRNet-48``.
        task: What it learns from what.
        seed: Its seed.
        trial_id: Its id.
        reason: Why it has none.
    """

    label: str
    task: str
    seed: int
    trial_id: str
    reason: str


@dataclass(frozen=True)
class Provenance:
    """How a run came about.

    Attributes:
        datasets: Cards of the datasets of the catalog.
        own_tables: Names of the user's own tables.
        facts: Headings and their texts, in the order in which a reader asks for them.
        finished: Number of finished trials.
        unfinished: The others.
    """

    datasets: list[DatasetCard]
    own_tables: list[str]
    facts: dict[str, list[str]]
    finished: int
    unfinished: list[Unfinished]


def summarize(study: Study, inventory: Inventory) -> Provenance:
    """Gathers how a run came about.

    Args:
        study: What the run is of.
        inventory: Its trials.
    """
    trials, results = inventory.trials, inventory.results
    matrices = [trial.matrix for trial in trials]
    wall_time = _wall_time([record.result for record in inventory.records.values()])
    return Provenance(
        datasets=[catalog()[name] for name in distinct(each.dataset for each in matrices if each.own_table is None)],
        own_tables=distinct(each.dataset for each in matrices if each.own_table),
        facts={
            "Not as in the paper": deviations(study, trials),
            "Split": [describe_split(study.split)],
            "Rows": _rows(results),
            **({"Recipes": _recipes(trials)} if study.search is None else {"Search": _search(study.search)}),
            **_surroundings([record.result["provenance"] for record in inventory.records.values()]),
            "Resources": _resources([record.result["provenance"] for record in inventory.records.values()]),
            "Seeds": [_seeds(trials)],
            "Training time": [f"{duration(float(results['train_seconds'].sum()))} over all finished trials"],
            **({"Wall time": wall_time} if wall_time else {}),
            **({"Remarks": list(inventory.remarks)} if inventory.remarks else {}),
        },
        finished=len(results),
        unfinished=_unfinished(inventory),
    )


def _seeds(trials: Sequence[Trial]) -> str:
    """Of everything that is random, in the order of the file."""
    return f"{listing(str(seed) for seed in distinct(trial.seed for trial in trials))}; what is not random has seed 0"


def source_of(card: DatasetCard) -> str:
    """Where a dataset's files come from."""
    match card.source:
        case WheelSource() as source:
            return f"files of the Python package {source.package} {source.version}"
        case TransportSource():
            return "a table that matminer is installed with"
        case MatminerSource() as source:
            return f"the dataset {source.dataset} of matminer"


def describe_split(plan: SplitPlan) -> str:
    """Says who was trained, validated and tested on."""
    if plan.train_on_validation:
        once_chosen = describe_split(plan.model_copy(update={"train_on_validation": False}))
        return f"{once_chosen} The validation rows are trained on as well, so that their error means nothing."
    test, validation = (f"{100 * fraction:g}%" for fraction in (plan.test_fraction, plan.validation_fraction))
    if plan.protocol == "published":
        return f"The split that was published with the data; order of the rows by seed {plan.seed}."
    if plan.validation_is_test:
        return f"As in the paper: {test} of all rows are tested on and validated on, seed {plan.seed}. Optimistic."
    return (
        f"{test} of all rows are tested on, {validation} of the others validated on, by compositions, "
        f"seed {plan.seed}. The test rows choose nothing."
    )


def _rows(results: pd.DataFrame) -> list[str]:
    columns = ["dataset", "property", "train_rows", "validation_rows", "test_rows"]
    return [
        f"{row.dataset}: {row.train_rows:,} training, {row.validation_rows:,} validation, {row.test_rows:,} test"
        for row in results[columns].drop_duplicates(subset=[*columns[:1], *columns[2:]]).itertuples()
    ]


def _recipes(trials: Sequence[Trial]) -> list[str]:
    recipes = distinct(trial.model.recipe for trial in trials if isinstance(trial.model, NetworkModel))
    baselines = distinct(trial.model for trial in trials if not isinstance(trial.model, NetworkModel))
    networks = [
        f"{recipe.label}: {recipe.optimizer} at {recipe.learning_rate:g} ({recipe.schedule.replace('_', ' ')}), "
        f"weight decay {recipe.weight_decay:g}, batches of {recipe.batch_size}, {recipe.loss.upper()} loss, "
        f"at most {count(recipe.epochs, 'epoch')}, "
        f"{'no patience' if recipe.patience is None else f'patience {recipe.patience}'}"
        for recipe in recipes
    ]
    settings = {each.title: [other.label for other in baselines if other.kind == each.kind] for each in baselines}
    return [*networks, *(f"{title}: {_of_settings(labels)}" for title, labels in settings.items())]


def _of_settings(labels: Sequence[str]) -> str:
    """Names a baseline's settings, or how many were tried."""
    if len(labels) == 1:
        return labels[0] or "no settings"
    return f"{len(labels)} settings, of which the validation rows choose one"


def _search(search: Search) -> list[str]:
    how = f"{search.algorithm}, {count(search.samples, 'sample')}, seed {search.seed}, for the lowest validation MAE"
    space = search.model_dump(mode="json")["space"]
    return [how, *(f"{key}: {kind} {values}" for key, each in space.items() for kind, values in each.items())]


def _surroundings(provenances: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Machines, versions, commits and days, each different one once."""
    machines = distinct(_machine(each) for each in provenances)
    versions = distinct(tuple(f"{key} {each[key]}" for key in _VERSIONS if key in each) for each in provenances)
    commits = distinct(str(each["commit"]) for each in provenances if each.get("commit"))
    times = sorted(str(each["finished"]) for each in provenances if each.get("finished"))
    facts = {
        "Machine": machines,
        "Versions": [", ".join(each) for each in versions],
        "Commit": commits,
        "Finished": [_from_to(times[0], times[-1])] if times else [],
    }
    return {heading: texts for heading, texts in facts.items() if texts}


def _resources(provenances: Sequence[Mapping[str, Any]]) -> list[str]:
    """What trials had, each different amount once."""
    texts = []
    for trainer in (each.get("trainer", {}) for each in provenances):
        cores, gpus = (trainer.get(f"{each}_per_worker", 0) * trainer.get("workers", 1) for each in ("cpus", "gpus"))
        texts.append(f"{count(cores, 'core')} and {count(gpus, 'GPU')} a trial")
    return distinct(texts)


def _wall_time(results: Sequence[Mapping[str, Any]]) -> list[str]:
    seconds = wall_seconds(results)
    return [f"{duration(seconds)} during which trials ran"] if seconds else []


def wall_seconds(results: Sequence[Mapping[str, Any]]) -> float:
    """Time by the clock during which at least one of finished trials ran (s); pauses of the run are no part of it.

    A trial that was interrupted counts as if it had run at one go until its end.

    Args:
        results: Keys as in ``RESULT_COLUMNS``, and ``provenance``.
    """
    spans = []
    for each in results:
        if finished := each["provenance"].get("finished"):
            end = datetime.fromisoformat(finished).timestamp()
            spans.append((end - each["train_seconds"] - each["predict_seconds"], end))
    total, reached = 0.0, -math.inf
    for start, end in sorted(spans):
        total += max(end - max(start, reached), 0.0)
        reached = max(reached, end)
    return total


def _from_to(first: str, last: str) -> str:
    """Two moments in words: ``26 November 2026, 14:03 to 15:40 UTC``."""
    begin, end = (datetime.fromisoformat(text) for text in (first, last))
    day = f"{begin.day} {begin:%B %Y}, {begin:%H:%M}"
    if (end - begin).total_seconds() < 60:
        return f"{day} UTC"
    return f"{day} to {f'{end:%H:%M}' if begin.date() == end.date() else f'{end.day} {end:%B %Y}, {end:%H:%M}'} UTC"


def _machine(provenance: Mapping[str, Any]) -> str:
    processor, cores, system = (cell(provenance.get(key)) for key in ("processor", "cores", "system"))
    gpu = provenance.get("gpu")
    return ", ".join([processor, f"{cores} cores", *([gpu] if gpu else []), system])


def _unfinished(inventory: Inventory) -> list[Unfinished]:
    return [
        Unfinished(
            label=point_of(trial).label,
            task=f"{trial.matrix.dataset}, {trial.matrix.property}, {trial.matrix.representation}, "
            f"{'all' if trial.train_size is None else f'{trial.train_size:,}'} training rows",
            seed=trial.seed,
            trial_id=trial.id,
            reason=inventory.reasons[trial.id],
        )
        for trial in inventory.unfinished
    ]
