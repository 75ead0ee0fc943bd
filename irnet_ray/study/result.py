"""What a finished trial leaves behind, and under which conditions it came about."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

import irnet_ray
from irnet_ray.model.metrics import Metrics
from irnet_ray.study.spec import Trainer
from irnet_ray.study.trial import Trial

_PACKAGES = ("torch", "ray", "scikit-learn", "numpy", "matminer")

RESULT_COLUMNS = (
    "trial_id",
    "dataset",
    "property",
    "unit",
    "representation",
    "model",
    "depth",
    "shortcut",
    "width",
    "train_size",
    "seed",
    "recipe",
    "settings",
    "n_parameters",
    "best_epoch",
    "epochs",
    "val_mae",
    "test_mae",
    "test_rmse",
    "test_r2",
    "test_p90",
    "train_rows",
    "validation_rows",
    "test_rows",
    "train_seconds",
    "predict_seconds",
)
"""Columns of ``results.csv``; every one is a key of ``result.json``."""

_WHOLE = ("depth", "n_parameters", "best_epoch", "epochs")

TIME_COLUMNS = ("train_seconds", "predict_seconds")
"""The columns that differ from one run of the same trial to the next."""


def make_result(
    trial: Trial,
    trainer: Trainer,
    *,
    unit: str,
    rows: tuple[int, int, int],
    validation: Metrics,
    test: Metrics,
    epochs: int | None,
    best_epoch: int | None,
    train_seconds: float,
    predict_seconds: float,
) -> dict[str, Any]:
    """Gathers a finished trial's row and its provenance.

    Args:
        trial: The trial.
        trainer: What it ran on.
        unit: Of the property.
        rows: Numbers of training, validation and test rows.
        validation: Errors on the validation rows.
        test: Errors on the test rows.
        epochs: Epochs trained; ``None`` for classical learning.
        best_epoch: The epoch whose weights were tested; ``None`` for classical learning.
        train_seconds: Time of training and validation (s).
        predict_seconds: Time to predict the test rows (s).

    Returns:
        The keys of ``RESULT_COLUMNS``, and ``provenance``.
    """
    values = {
        **trial.describe(),
        "train_size": rows[0] if trial.train_size is None else trial.train_size,
        "unit": unit,
        "best_epoch": best_epoch,
        "epochs": epochs,
        "val_mae": validation.mae,
        **{f"test_{name}": value for name, value in asdict(test).items()},
        "train_rows": rows[0],
        "validation_rows": rows[1],
        "test_rows": rows[2],
        "train_seconds": round(train_seconds, 3),
        "predict_seconds": round(predict_seconds, 4),
    }
    return {**{column: values[column] for column in RESULT_COLUMNS}, "provenance": provenance(trainer)}


def results_table(results: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row for each result, columns as in ``RESULT_COLUMNS``; numbers of layers and the like stay whole."""
    table = pd.DataFrame(list(results), columns=list(RESULT_COLUMNS))
    return table.astype(dict.fromkeys(_WHOLE, "Int64"))


def provenance(trainer: Trainer) -> dict[str, Any]:
    """Versions, hardware, what the trial had of it, time of day and the commit of the source tree."""
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    return {**_surroundings(), "gpu": _gpu(trainer), "trainer": trainer.model_dump(), "finished": finished}


def _gpu(trainer: Trainer) -> str | None:
    """Name of the GPU that a trial had; None where it had none."""
    if not trainer.gpus:
        return None
    import torch

    return torch.cuda.get_device_name()


@functools.cache
def _surroundings() -> dict[str, Any]:
    return {
        "irnet_ray": irnet_ray.__version__,
        "commit": _commit(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in _PACKAGES},
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver())}",
    }


def _processor() -> str:
    """The processor's name where the system tells it, else its architecture."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str | None:
    """Commit of the checkout that the package is run from, with ``+`` where files differ from it."""
    folder = Path(__file__).parents[2]
    if not (folder / ".git").exists():
        return None
    try:
        commit = _git(folder, "rev-parse", "--short=12", "HEAD")
        return f"{commit}+" if _git(folder, "status", "--porcelain", "--untracked-files=no") else commit
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
