"""Reading what a finished trial left behind, and telling in one line what is wrong with it."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, FiniteFloat, ValidationError

from irnet_ray.config import describe
from irnet_ray.errors import RunError
from irnet_ray.model.history import Epoch

FloatArray = npt.NDArray[np.float64]

_REPAIR = "delete its folder and run the study again"


_HISTORY: dict[str, type] = {field.name: int if field.type == "int" else float for field in fields(Epoch)}


class _Result(BaseModel, extra="allow"):
    """The keys of ``result.json``, see ``docs/stored-data.md``."""

    trial_id: str
    dataset: str
    property: str
    unit: str
    representation: str
    model: str
    depth: int | None
    shortcut: str | None
    width: float | None
    train_size: int
    seed: int
    recipe: str | None
    settings: str | None
    n_parameters: int | None
    best_epoch: int | None
    epochs: int | None
    val_mae: FiniteFloat
    test_mae: FiniteFloat
    test_rmse: FiniteFloat
    test_r2: FiniteFloat
    test_p90: FiniteFloat
    train_rows: int
    validation_rows: int
    test_rows: int
    train_seconds: FiniteFloat
    predict_seconds: FiniteFloat
    provenance: dict[str, Any]


def parse_result(content: bytes | None, trial_id: str) -> dict[str, Any]:
    """Reads ``result.json``.

    Raises:
        RunError: It is missing or damaged.
    """
    if content is None:
        raise RunError(f"trial {trial_id}: it is marked as done but has no result.json; {_REPAIR}")
    try:
        result = json.loads(content)
        _Result.model_validate(result)
    except ValidationError as error:
        raise RunError(
            f"trial {trial_id}: its result.json is damaged ({describe(error, result)}); {_REPAIR}"
        ) from error
    except ValueError as error:
        raise RunError(f"trial {trial_id}: its result.json is damaged ({error}); {_REPAIR}") from error
    found: dict[str, Any] = result
    return found


def parse_history(content: bytes | None, trial_id: str) -> pd.DataFrame:
    """Reads ``history.csv``: one row an epoch, columns as in ``Epoch``; no rows where there is no file.

    Raises:
        RunError: It is damaged.
    """
    if content is None:
        return pd.DataFrame(columns=list(_HISTORY))
    try:
        return pd.read_csv(io.BytesIO(content), usecols=list(_HISTORY), dtype=_HISTORY)
    except ValueError as error:
        raise RunError(f"trial {trial_id}: its history.csv is damaged ({_first_line(error)}); {_REPAIR}") from error


def parse_test_rows(content: bytes | None, trial_id: str, rows: int) -> tuple[FloatArray, FloatArray]:
    """Reads target and prediction of the test rows from ``predictions.parquet``, both of shape ``(rows,)``.

    Args:
        content: Of the file.
        trial_id: For the message.
        rows: How many there must be.

    Raises:
        RunError: It is missing or damaged, or there are others.
    """
    if content is None:
        raise RunError(f"trial {trial_id}: it has no predictions.parquet; {_REPAIR}")
    try:
        table = pq.read_table(io.BytesIO(content), columns=["part", "target", "prediction"], use_threads=False)
        test = table.filter(pa.compute.equal(table["part"], "test"))
        target, prediction = (test[name].to_numpy().astype(np.float64) for name in ("target", "prediction"))
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise RunError(
            f"trial {trial_id}: its predictions.parquet is damaged ({_first_line(error)}); {_REPAIR}"
        ) from error
    if len(target) != rows:
        raise RunError(
            f"trial {trial_id}: its predictions.parquet has {len(target):,} of {rows:,} test rows; {_REPAIR}"
        )
    if not (np.isfinite(target).all() and np.isfinite(prediction).all()):
        raise RunError(f"trial {trial_id}: some of its predictions are not finite; {_REPAIR}")
    return target, prediction


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
