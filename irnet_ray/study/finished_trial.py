"""Reading what a finished trial left behind, and telling in one line what is wrong with it."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, FiniteFloat, ValidationError

from irnet_ray.config import describe
from irnet_ray.errors import DamageError
from irnet_ray.model.history import Epoch

FloatArray = npt.NDArray[np.float64]
Parsed = TypeVar("Parsed")

RESULT, PREDICTIONS, HISTORY, DONE = "result.json", "predictions.parquet", "history.csv", "DONE"

_DIGEST = re.compile(
    rf"(?P<digest>[0-9a-f]{{64}})  (?P<name>{'|'.join(map(re.escape, (RESULT, PREDICTIONS, HISTORY)))})"
)

_EPOCH: dict[str, type] = {field.name: int if field.type == "int" else float for field in fields(Epoch)}


@dataclass(frozen=True)
class Record:
    """What a finished trial left behind.

    Attributes:
        result: Keys as in ``RESULT_COLUMNS``, and ``provenance``.
        history: One row an epoch, columns as in ``Epoch``.
        target: The property of the test rows in its unit, shape ``(test rows,)``.
        prediction: What was predicted for them, shape ``(test rows,)``.
        compositions: The number of each test row's composition, from 0, where somebody has looked; shape
            ``(test rows,)``.
    """

    result: Mapping[str, Any]
    history: pd.DataFrame
    target: FloatArray
    prediction: FloatArray
    compositions: npt.NDArray[np.int64] | None = None


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
    test_r2: float  # not a number where the property does not vary
    test_p90: FiniteFloat
    train_rows: int
    validation_rows: int
    test_rows: int
    train_seconds: FiniteFloat
    predict_seconds: FiniteFloat
    provenance: dict[str, Any]


def dump_digests(contents: Mapping[str, bytes]) -> bytes:
    """SHA-256 digests of files by their names, in the format of ``sha256sum``, which can check them."""
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}" for name, content in sorted(contents.items())]
    return "".join(f"{line}\n" for line in lines).encode()


def parse_digests(content: bytes | None, trial_id: str) -> dict[str, str]:
    """Reads what ``dump_digests`` made; nothing where there is no file.

    Raises:
        DamageError: It is damaged.
    """
    if content is None:
        return {}
    *lines, end = content.decode("ascii", "replace").split("\n")
    matches = [_DIGEST.fullmatch(line) for line in lines]
    digests = {match["name"]: match["digest"] for match in matches if match}
    if end or not all(matches) or not digests.keys() >= {RESULT, PREDICTIONS}:
        raise DamageError(trial_id, "its DONE is damaged")
    return digests


def read_checked(
    content: bytes | None, trial_id: str, name: str, digests: Mapping[str, str], parse: Callable[[bytes | None], Parsed]
) -> Parsed:
    """Parses a file that is what was written.

    Args:
        content: Of the file; ``None`` where there is none.
        trial_id: For the message.
        name: Of the file.
        digests: By names of files; what is not among them is not checked.
        parse: Reads the content.

    Raises:
        DamageError: It is something else, or cannot be parsed.
    """
    if name not in digests or (content is not None and hashlib.sha256(content).hexdigest() == digests[name]):
        return parse(content)
    try:
        parse(content)
    except DamageError:
        raise  # tells more
    except Exception as error:
        raise DamageError(trial_id, f"its {name} is damaged ({_first_line(error)})") from error
    raise DamageError(trial_id, f"its {name} is damaged (it is not what was written)")


def parse_result(content: bytes | None, trial_id: str) -> dict[str, Any]:
    """Reads ``result.json``.

    Raises:
        DamageError: It is missing or damaged.
    """
    if content is None:
        raise DamageError(trial_id, "it is marked as done but has no result.json")
    try:
        result = json.loads(content)
        _Result.model_validate(result)
    except ValidationError as error:
        raise DamageError(trial_id, f"its result.json is damaged ({describe(error, result)})") from error
    except ValueError as error:
        raise DamageError(trial_id, f"its result.json is damaged ({error})") from error
    found: dict[str, Any] = result
    return found


def parse_history(content: bytes | None, trial_id: str) -> pd.DataFrame:
    """Reads ``history.csv``: one row an epoch, columns as in ``Epoch``; no rows where there is no file.

    Raises:
        DamageError: It is damaged.
    """
    if content is None:
        return pd.DataFrame(columns=list(_EPOCH))
    try:
        return pd.read_csv(io.BytesIO(content), usecols=list(_EPOCH), dtype=_EPOCH)
    except ValueError as error:
        raise DamageError(trial_id, f"its history.csv is damaged ({_first_line(error)})") from error


def parse_test_rows(content: bytes | None, trial_id: str, rows: int) -> tuple[FloatArray, FloatArray]:
    """Reads target and prediction of the test rows from ``predictions.parquet``, both of shape ``(rows,)``.

    Args:
        content: Of the file.
        trial_id: For the message.
        rows: How many there must be.

    Raises:
        DamageError: It is missing or damaged, or there are others.
    """
    if content is None:
        raise DamageError(trial_id, "it has no predictions.parquet")
    try:
        table = pq.read_table(io.BytesIO(content), columns=["part", "target", "prediction"], use_threads=False)
        test = table.filter(pa.compute.equal(table["part"], "test"))
        target, prediction = (test[name].to_numpy().astype(np.float64) for name in ("target", "prediction"))
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise DamageError(trial_id, f"its predictions.parquet is damaged ({_first_line(error)})") from error
    if len(target) != rows:
        raise DamageError(trial_id, f"its predictions.parquet has {len(target):,} of {rows:,} test rows")
    if not (np.isfinite(target).all() and np.isfinite(prediction).all()):
        raise DamageError(trial_id, "some of its predictions are not finite")
    return target, prediction


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
