"""By what the reader of a page may leave things out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from irnet_ray.report.wording import capitalized, distinct, filter_model, model_order, words
from irnet_ray.study.trial import Trial


@dataclass(frozen=True)
class Choice:
    """A box to check.

    Attributes:
        value: As in the page's data attributes.
        label: For people.
    """

    value: str
    label: str


@dataclass(frozen=True)
class Filter:
    """Boxes of one kind.

    Attributes:
        name: Of the data attribute.
        title: For people.
        choices: The boxes.
    """

    name: str
    title: str
    choices: list[Choice]


def filters_of(trials: Sequence[Trial]) -> list[Filter]:
    """The filters that a run's page has: those of which it shows two values or more.

    Args:
        trials: All that the study plans.
    """
    models = sorted(distinct(trial.model_name for trial in trials), key=model_order)
    depths = sorted({trial.architecture.depth for trial in trials if trial.architecture})
    values = {
        "dataset": {name: name for name in distinct(trial.matrix.dataset for trial in trials)},
        "property": {name: words(name) for name in distinct(trial.matrix.property for trial in trials)},
        "representation": {name: name for name in distinct(trial.matrix.representation for trial in trials)},
        "depth": {str(depth): f"{depth}" for depth in depths},
        "model": {kind: _kind_title(kind) for kind in distinct(filter_model(model) for model in models)},
    }
    titles = {"model": "Shortcuts"}
    return [
        Filter(name, titles.get(name, capitalized(name)), [Choice(value, label) for value, label in choices.items()])
        for name, choices in values.items()
        if len(choices) > 1
    ]


def _kind_title(kind: str) -> str:
    return {"plain": "none (plain)", "srnet": "each stack (SRNet)", "irnet": "each layer (IRNet)"}.get(
        kind, "classical learning"
    )
