"""Trained networks in one file: plain values and tensors with a digest, no code that loading could run."""

from __future__ import annotations

import os
import pickle
import uuid
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from irnet_ray import __version__
from irnet_ray.errors import DataError, StorageError
from irnet_ray.features.representation import featurizer, parse_representation
from irnet_ray.model import checkpoint
from irnet_ray.model.architecture import Architecture
from irnet_ray.model.fit import Fitted
from irnet_ray.model.history import Epoch
from irnet_ray.model.network import Network
from irnet_ray.model.parameters import check_parameters
from irnet_ray.model.recipe import Recipe
from irnet_ray.model.rows import Standardization

if TYPE_CHECKING:
    from irnet_ray.model.regressor import IRNetRegressor

_FORMAT = "irnet-ray regressor"
_VERSION = 1  # raised when a file of the former version can no longer be read


def save(regressor: IRNetRegressor, path: str | os.PathLike[str]) -> None:
    """Writes a fitted regressor, whole or not at all.

    Raises:
        StorageError: The file cannot be written.
    """
    place = Path(path)
    temporary = place.with_name(f".{place.name}.{uuid.uuid4().hex}.part")
    try:
        temporary.write_bytes(checkpoint.encode(_state(regressor)))
        os.replace(temporary, place)
    except OSError as error:
        problem = f"cannot write '{place}': {error.strerror or error}"
        raise StorageError(f"{problem}; make room, or choose another path") from error
    finally:
        with suppress(OSError):  # there may be no such file, and why was told
            temporary.unlink()


Regressor = TypeVar("Regressor", bound="IRNetRegressor")


def load(kind: type[Regressor], path: str | os.PathLike[str], device: str) -> Regressor:
    """Reads what ``save`` wrote.

    Args:
        kind: The class of the regressor.
        path: The file.
        device: Where the networks are put.

    Raises:
        StorageError: The file cannot be read.
        DataError: The file is truncated, altered, something else, or of another version.
    """
    state = _read(path)
    regressor = kind(**{**state["parameters"], "device": device})
    check_parameters(regressor.get_params(deep=False), kind.__name__)
    architecture, recipe = Architecture.parse(state["architecture"]), Recipe.model_validate(state["recipe"])
    regressor.architecture_, regressor.recipe_ = architecture, recipe
    regressor.representation_, regressor.seeds_ = state["representation"], state["seeds"]
    regressor.n_features_in_ = state["n_features_in"]
    if state["feature_names_in"] is not None:
        regressor.feature_names_in_ = np.array(state["feature_names_in"], dtype=object)
    rows = state["validation_rows"]
    regressor.validation_rows_ = None if rows is None else rows.numpy()
    regressor.members_ = [_restore_network(member, architecture, recipe, device) for member in state["members"]]
    return regressor


def _state(regressor: IRNetRegressor) -> dict[str, Any]:
    """All that ``load`` needs, as plain values and tensors."""
    names = getattr(regressor, "feature_names_in_", None)
    rows = regressor.validation_rows_
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "written_by": __version__,
        "parameters": _plain_parameters(regressor),
        "architecture": str(regressor.architecture_),
        "recipe": regressor.recipe_.model_dump(),
        "representation": regressor.representation_,
        "attributes_version": _attributes_version(regressor.representation_),
        "n_features_in": regressor.n_features_in_,
        "feature_names_in": None if names is None else [str(name) for name in names],
        "validation_rows": None if rows is None else torch.tensor(rows),
        "seeds": regressor.seeds_,
        "members": [_network_state(member) for member in regressor.members_],
    }


def _plain_parameters(regressor: IRNetRegressor) -> dict[str, Any]:
    """The parameters without numpy's numbers and generators; a recipe's name stays a name."""
    given = regressor.get_params(deep=False)
    plain = check_parameters(given, type(regressor).__name__).model_dump()
    if isinstance(given["recipe"], str):
        plain["recipe"] = given["recipe"]
    seed = given["random_state"]
    return {**plain, "random_state": int(seed) if isinstance(seed, int | np.integer) else None}


def _attributes_version(representation: str | None) -> list[int] | None:
    """Changes when attributes are computed in another way; None where none are computed."""
    if representation is None:
        return None
    return [featurizer(part).version for part in parse_representation(representation)]


def _read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads a file of this version; tensors are on the CPU."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise StorageError(f"cannot read '{path}': {error.strerror or error}; check the path") from error
    try:
        state = checkpoint.decode(content)
    except (RuntimeError, pickle.UnpicklingError) as error:
        raise _foreign(path) from error
    if state is None or state.get("format") != _FORMAT:
        raise _foreign(path)
    if state["version"] != _VERSION or state["attributes_version"] != _attributes_version(state["representation"]):
        raise DataError(
            f"'{path}' was saved by irnet-ray {state['written_by']}, whose files or attributes irnet-ray "
            f"{__version__} does not understand; load it with that version, or train again"
        )
    return state


def _foreign(path: str | os.PathLike[str]) -> DataError:
    return DataError(f"'{path}' is damaged, or no file of IRNetRegressor.save; save it again")


def _network_state(fitted: Fitted) -> dict[str, Any]:
    return {
        "weights": {name: tensor.cpu() for name, tensor in fitted.network.state_dict().items()},
        "inputs": _standardization_state(fitted.inputs),
        "target": _standardization_state(fitted.target),
        "history": [asdict(epoch) for epoch in fitted.history],
        "best_epoch": fitted.best_epoch,
        "seconds": fitted.seconds,
    }


def _restore_network(state: dict[str, Any], architecture: Architecture, recipe: Recipe, device: str) -> Fitted:
    network = Network(
        architecture,
        len(state["inputs"]["mean"]),
        seed=0,  # of weights that are replaced
        momentum=recipe.batch_norm_momentum,
        epsilon=recipe.batch_norm_epsilon,
    )
    network.load_state_dict(state["weights"])
    return Fitted(
        network=network.to(device).eval(),
        inputs=_restore_standardization(state["inputs"]),
        target=_restore_standardization(state["target"]),
        history=[Epoch(**epoch) for epoch in state["history"]],
        best_epoch=state["best_epoch"],
        seconds=state["seconds"],
    )


def _standardization_state(standardization: Standardization) -> dict[str, Any]:
    return {
        "mean": torch.tensor(standardization.mean),
        "scale": torch.tensor(standardization.scale),
        "limit": float(standardization.limit),
    }


def _restore_standardization(state: dict[str, Any]) -> Standardization:
    return Standardization(state["mean"].numpy(), state["scale"].numpy(), state["limit"])
