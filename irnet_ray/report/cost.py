"""What a trial cost beside the paper's."""

from __future__ import annotations

from irnet_ray.model.architecture import Architecture
from irnet_ray.model.recipe import Recipe
from irnet_ray.study.estimate import work
from irnet_ray.study.trial import NetworkModel, Trial

LEAST_EPOCHS = 201
"""The paper's networks train until 200 epochs bring no lower error, which takes one epoch more."""

_HELD_OUT = 0.1  # of the paper's rows, which validate and test


def fraction_of_cost(trial: Trial, rows: tuple[int, int, int], epochs: int, paper_rows: int) -> float:
    """The part of the paper's work that went into a network, at most.

    The paper's is taken as a network of the same depth and placement at full width, trained by its recipe for the
    fewest epochs that this can take. Work is counted as ``irnet-ray plan`` does.

    Args:
        trial: Of a network.
        rows: Its training, validation and test rows.
        epochs: For which it was trained.
        paper_rows: Of the paper's dataset.
    """
    model, architecture = trial.model, trial.architecture
    assert isinstance(model, NetworkModel)
    assert architecture is not None
    ours = trial.model_copy(update={"model": model.model_copy(update={"recipe": _for(model.recipe, epochs)})})
    full = NetworkModel(
        architecture=str(Architecture.of(architecture.depth, architecture.shortcut)),
        width=1.0,
        recipe=_for(Recipe.model_validate("paper"), LEAST_EPOCHS),
    )
    held_out = round(paper_rows * _HELD_OUT)
    theirs = work(trial.model_copy(update={"model": full}), (paper_rows - held_out, held_out, held_out))
    return work(ours, rows) / theirs


def _for(recipe: Recipe, epochs: int) -> Recipe:
    return recipe.model_copy(update={"epochs": epochs})
