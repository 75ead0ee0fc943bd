"""In what a study departs from the paper's protocol."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from irnet_ray.model.architecture import STACKS, Architecture
from irnet_ray.model.baselines import THE_TEN, Baseline
from irnet_ray.model.recipe import RECIPES, Recipe
from irnet_ray.report.comparison import Task, names_of, task_of
from irnet_ray.report.paper import experiments, experiments_on
from irnet_ray.report.wording import capitalized, distinct, listing, words
from irnet_ray.study.spec import Study
from irnet_ray.study.trial import AnyModel, NetworkModel, Trial

_TEST_FRACTION = 0.1
_ALWAYS = (
    "Attributes are standardized and cut at ten deviations, where the paper's networks took them as they are.",
    "Rows are shuffled anew each epoch, where the released code keeps one order.",
    "Batch norm tests with running statistics, where the released code takes those of each tested batch.",
)
"""What irnet-ray does otherwise in every network."""

_IN_THE_PAPER = {"epochs": "as many as its patience takes", "patience": "200, for Figure 1 400"}
"""Where one value of ours does not say it."""


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
        *_representations(trials),
        *_split(study),
        *_sizes(trials),
        *_architectures(networks),
        *(text for recipe in recipes if (text := _recipe(recipe))),
        *_trainer(study),
        *(_ALWAYS if networks else ()),
        *_baselines(trials),
    ]


def _data(trials: Sequence[Trial]) -> list[str]:
    """What stands for which of the paper's sets, for each property."""
    texts = []
    tasks = distinct((each.matrix.dataset, each.matrix.property, each.matrix.representation) for each in trials)
    for dataset, name in distinct(task[:2] for task in tasks):
        representations = [each for *place, each in tasks if place == [dataset, name]]
        near = [found for each in representations for found in experiments_on(dataset, name, each)]
        what = f"{words(name)} of {dataset}"
        if near:
            named = listing(distinct(f"{each.dataset} ({each.rows:,} rows)" for each in near))
            texts.append(f"{capitalized(what)} stands for {named} of the paper, which are other rows.")
        else:
            texts.append(f"{capitalized(what)} is not in the paper from these attributes.")
    return texts


def _representations(trials: Sequence[Trial]) -> list[str]:
    published = {each.representation for each in experiments()}
    new = [each for each in distinct(trial.matrix.representation for trial in trials) if each not in published]
    return [f"The paper does not have {listing(new)} as attributes."] if new else []


def _split(study: Study) -> list[str]:
    plan, is_published = study.split, study.split.protocol == "published"
    if is_published:
        texts = ["The split is the one that was published with the data; the paper splits rows at random."]
    else:
        texts = ["The rows of a composition stay together when they are split; the paper splits rows at random."]
        if plan.test_fraction != _TEST_FRACTION:
            texts.append(f"{100 * plan.test_fraction:g}% of the rows are tested on, where the paper has 10%.")
    if not plan.validation_is_test:
        validation = "" if is_published else "; the validation rows are cut from the training rows"
        texts.append(
            "The test rows choose nothing, where the paper's networks for OQMD and the Materials Project were chosen "
            f"by the rows that they were tested on{validation}."
        )
    if plan.train_on_validation:
        texts.append("The validation rows are trained on as well.")
    if study.skip_bad_rows:
        texts.append("Rows with unreadable formulas are left out.")
    return texts


def _sizes(trials: Sequence[Trial]) -> list[str]:
    sizes = sorted({trial.train_size for trial in trials if trial.train_size is not None})
    if not sizes:
        return []
    return [
        f"Some or all models learn from {listing(f'{size:,}' for size in sizes)} rows, not from all that there are."
    ]


def _architectures(networks: Sequence[Trial]) -> list[str]:
    widths = {trial.model.width for trial in networks if isinstance(trial.model, NetworkModel)}
    narrow = [f"{width:g}" for width in sorted(widths) if width != 1]
    others = distinct(str(trial.architecture) for trial in networks if not _is_published(trial))
    texts = [f"Layers have {listing(narrow)} of the paper's units."] if narrow else []
    return [*texts, *([f"The paper does not have these networks: {listing(others)}."] if others else [])]


def _is_published(trial: Trial) -> bool:
    """Whether a network is one of the paper's, but for its width."""
    architecture, model = trial.architecture, trial.model
    assert architecture is not None
    assert isinstance(model, NetworkModel)
    if architecture.depth not in STACKS:
        return False
    return architecture == Architecture.of(architecture.depth, architecture.shortcut, model.width)


def _trainer(study: Study) -> list[str]:
    trainer = study.trainer
    texts = []
    if trainer.bfloat16:
        texts.append("Products are computed in bfloat16.")
    if trainer.workers > 1:
        norm = "of all" if trainer.synchronized_batch_norm else "each of its own rows"
        texts.append(f"{trainer.workers} workers train a network together, with batch norm {norm}.")
    if study.early_stopping is not None:
        texts.append("Trainings that look poor are ended early.")
    return texts


def _recipe(recipe: Recipe) -> str:
    """What differs from the recipe ``paper``."""
    paper, given = RECIPES["paper"], recipe.model_dump()
    changes = [
        f"{words(key)} {_value(given[key])} ({_IN_THE_PAPER.get(key, _value(value))})"
        for key, value in paper.items()
        if given[key] != value
    ]
    return f"Recipe {recipe.label}, with the paper's values in brackets: {', '.join(changes)}." if changes else ""


def _value(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _settings_of(baseline: type[Baseline], trials: Sequence[Trial]) -> set[AnyModel]:
    return {trial.model for trial in trials if isinstance(trial.model, baseline)}


def _baselines(trials: Sequence[Trial]) -> list[str]:
    others = distinct(
        trial.model.title
        for trial in trials
        if not isinstance(trial.model, NetworkModel) and not isinstance(trial.model, THE_TEN)
    )
    texts = _the_ten(trials) if any(isinstance(trial.model, THE_TEN) for trial in trials) else []
    if others:
        texts.append(f"Not of the paper's ten, and kept apart from them: {listing(others)}.")
    return texts


def _the_ten(trials: Sequence[Trial]) -> list[str]:
    """Which of the ten were tried in how many settings, from place to place where that differs."""
    places: dict[Task, list[Trial]] = {}
    for trial in trials:
        places.setdefault(replace(task_of(trial), width=None, recipe=None), []).append(trial)
    few: dict[int, list[str]] = {}
    single: dict[tuple[str, ...], list[str]] = {}
    for name, members in zip(names_of(list(places)), places.values(), strict=True):
        used = [each for each in THE_TEN if _settings_of(each, members)]
        few.setdefault(len(used), []).append(name)
        single.setdefault(tuple(each.title for each in used if _is_not_searched(each, members)), []).append(name)
    texts = [
        f"Of the paper's ten traditional models {number or 'none'} {'were' if number > 1 else 'was'} tried"
        f"{_where(names, places)}."
        for number, names in few.items()
        if number < len(THE_TEN)
    ]
    if len(THE_TEN) in few:
        texts.append("The paper does not state the grids of its ten traditional models; ours are in docs/baselines.md.")
    texts.append("Trees and linear models minimize squared errors, where the paper speaks of mean absolute errors.")
    for titles, names in single.items():
        if titles:
            texts.append(f"Tried in one setting, not searched{_where(names, places)}: {listing(titles)}.")
    return texts


def _is_not_searched(baseline: type[Baseline], trials: Sequence[Trial]) -> bool:
    return bool(baseline.grid) and len(_settings_of(baseline, trials)) == 1


def _where(names: Sequence[str], places: Collection[Task]) -> str:
    """Of which data something is true; empty where of all."""
    return f" on {'; '.join(names)}" if len(names) < len(places) else ""
