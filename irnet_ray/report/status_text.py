"""How far a run is."""

from __future__ import annotations

import pandas as pd

from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.trial import NetworkModel, Trial

_COLUMNS = ["trial_id", "dataset", "property", "model", "depth", "train_size", "seed"]


def status_table(run: RunDirectory) -> pd.DataFrame:
    """One row a trial: what it is, its state, its epoch and its errors as far as they are known.

    A trial is done, failed, begun (training, or interrupted) or waiting.
    """
    finished, failures = run.finished(), run.failures()
    rows = []
    for trial in run.study().trials():
        described = trial.describe()
        row = {column: described[column] for column in _COLUMNS}
        rows.append({**row, **_state(run, trial, finished, failures)})
    return pd.DataFrame(rows).astype({"depth": "Int64", "train_size": "Int64"})


def _state(run: RunDirectory, trial: Trial, finished: set[str], failures: dict[str, str]) -> dict[str, object]:
    if trial.id in finished:
        result = run.result(trial.id)
        return {"state": "done", "epoch": _epochs(trial, result["epochs"]), **_errors(result)}
    if trial.id in failures:
        return {"state": f"failed: {failures[trial.id]}", "epoch": "", "val_mae": None, "test_mae": None}
    history = run.history(trial.id)
    if history.empty:
        return {"state": "waiting", "epoch": "", "val_mae": None, "test_mae": None}
    epoch = _epochs(trial, int(history["epoch"].iloc[-1]))
    return {"state": "begun", "epoch": epoch, "val_mae": history["val_mae"].min(), "test_mae": None}


def _epochs(trial: Trial, epoch: int | None) -> str:
    return f"{epoch}/{trial.model.recipe.epochs}" if isinstance(trial.model, NetworkModel) else ""


def _errors(result: dict[str, object]) -> dict[str, object]:
    return {"val_mae": result["val_mae"], "test_mae": result["test_mae"]}
