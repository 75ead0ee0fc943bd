"""What a trial cost beside the paper's."""

from __future__ import annotations

from irnet_ray.features import representation
from irnet_ray.model.architecture import Architecture
from irnet_ray.study.trial import Trial

LEAST_EPOCHS = 201
"""The paper's networks train until 200 epochs bring no lower error, which takes one epoch more."""

_HELD_OUT = 0.1  # of the paper's rows, which validate and test
_BACKWARD = 2  # times the products of a pass forward: gradients of the inputs and of the weights


def fraction_of_cost(trial: Trial, rows: tuple[int, int, int], epochs: int, paper_rows: int) -> float:
    """The part of the paper's multiply-adds in matrix products that went into a network, at most.

    The paper's is taken as a network of the same depth and placement at full width that trained for the fewest epochs
    that its recipe can take.

    Args:
        trial: Of a network.
        rows: Its training, validation and test rows.
        epochs: For which it was trained.
        paper_rows: Of the paper's dataset.
    """
    ours = trial.architecture
    assert ours is not None
    inputs = len(representation.labels(trial.matrix.representation))
    theirs = Architecture.of(ours.depth, ours.shortcut)
    held_out = round(paper_rows * _HELD_OUT)
    whole = _multiply_adds(theirs, inputs, (paper_rows - held_out, held_out, held_out), LEAST_EPOCHS)
    return _multiply_adds(ours, inputs, rows, epochs) / whole


def _multiply_adds(architecture: Architecture, inputs: int, rows: tuple[int, int, int], epochs: int) -> float:
    train, validation, test = rows
    passes = epochs * ((1 + _BACKWARD) * train + validation) + test
    return float(passes * architecture.count_parameters(inputs))
