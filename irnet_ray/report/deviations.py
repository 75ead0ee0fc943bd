"""In what a study departs from the paper's protocol."""

from __future__ import annotations

from collections.abc import Sequence

from irnet_ray.data.split import SplitPlan
from irnet_ray.model.baselines import THE_TEN
from irnet_ray.model.recipe import RECIPES, Recipe
from irnet_ray.report.paper import experiments
from irnet_ray.report.wording import distinct, listing, words
from irnet_ray.study.spec import Study
from irnet_ray.study.trial import NetworkModel, Trial

_ALWAYS = (
    "Attributes are standardized and cut at ten deviations, where the paper's networks took them as they are.",
    "Rows are shuffled anew each epoch, where the released code keeps one order.",
    "Batch norm tests with running statistics, where the released code takes those of each tested batch.",
)
"""What irnet-ray does otherwise in every network, by ``docs/training.md``."""


def deviations(study: Study, trials: Sequence[Trial]) -> list[str]:
    """All of them in words, those of the data first.

    Args:
        study: The study.
        trials: Its trials.
    """
    networks = [trial for trial in trials if isinstance(trial.model, NetworkModel)]
    recipes = distinct(trial.model.recipe for trial in trials if isinstance(trial.model, NetworkModel))
    return [
        *_data(trials),
        *_split(study.split),
        *_sizes(trials),
        *_widths(networks),
        *(text for recipe in recipes if (text := _recipe(recipe))),
        *(_ALWAYS if networks else ()),
        *_baselines(trials),
    ]


def _data(trials: Sequence[Trial]) -> list[str]:
    texts = []
    for dataset in distinct(trial.matrix.dataset for trial in trials):
        near = [each for each in experiments() if any(name == dataset for name, _ in each.like)]
        if near:
            named = listing(distinct(f"{each.dataset} ({each.rows:,} rows)" for each in near))
            texts.append(f"{dataset} stands for {named} of the paper; they are not the same rows.")
        else:
            texts.append(f"{dataset} is no dataset of the paper.")
    return texts


def _split(plan: SplitPlan) -> list[str]:
    if plan.validation_is_test and plan.test_fraction == 0.1:
        return []
    if plan.validation_is_test:
        return [f"{100 * plan.test_fraction:g}% of the rows are tested on, where the paper has 10%."]
    return [
        "The test rows choose nothing, where the paper's networks for OQMD and the Materials Project were chosen by "
        "the rows that they were tested on."
    ]


def _sizes(trials: Sequence[Trial]) -> list[str]:
    sizes = sorted({trial.train_size for trial in trials if trial.train_size is not None})
    if not sizes:
        return []
    return [
        f"Some or all models learn from {listing(f'{size:,}' for size in sizes)} rows, not from all that there are."
    ]


def _widths(networks: Sequence[Trial]) -> list[str]:
    widths = sorted({trial.model.width for trial in networks if isinstance(trial.model, NetworkModel)})
    narrow = [f"{width:g}" for width in widths if width != 1]
    return [f"Layers have {listing(narrow)} of the paper's units."] if narrow else []


def _recipe(recipe: Recipe) -> str:
    """What differs from the recipe ``paper``."""
    paper, given = RECIPES["paper"], recipe.model_dump()
    changes = [
        f"{words(key)} {_value(given[key])} ({_value(value)})" for key, value in paper.items() if given[key] != value
    ]
    return f"Recipe {recipe.label}, with the paper's values in brackets: {', '.join(changes)}." if changes else ""


def _value(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _baselines(trials: Sequence[Trial]) -> list[str]:
    used = [each for each in THE_TEN if any(isinstance(trial.model, each) for trial in trials)]
    others = distinct(
        trial.model.title
        for trial in trials
        if not isinstance(trial.model, NetworkModel) and not isinstance(trial.model, THE_TEN)
    )
    texts = []
    if used and len(used) < len(THE_TEN):
        texts.append(f"Of the paper's ten traditional models {len(used)} {'was' if len(used) == 1 else 'were'} tried.")
    elif used:
        texts.append("The paper does not state the grids of its ten traditional models; ours are in docs/baselines.md.")
    if others:
        texts.append(f"{listing(others)} is none of the paper's ten and is kept apart.")
    return texts
