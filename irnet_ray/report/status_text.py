"""How far a run is."""

from __future__ import annotations

import pandas as pd

from irnet_ray.errors import DamageError
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.run_trials import samples_of, trials_of_run
from irnet_ray.study.search import short_names
from irnet_ray.study.spec import Study
from irnet_ray.study.trial import NetworkModel, Trial

_COLUMNS = ["trial_id", "dataset", "property", "model", "depth", "settings", "train_size", "seed"]
_KNOWN = ["epoch", "epochs_planned", "val_mae", "test_mae"]


def status_table(run: RunDirectory) -> pd.DataFrame:
    """One row a trial: what it is, its state, its epoch and its errors as far as they are known.

    A trial is done, stopped before its time, cut by a limit, failed, damaged, begun (training, or interrupted) or
    waiting. The trials of a search are those that have been drawn, with the values that were.
    """
    endings = _Endings(run)
    values = _sampled_values(run, run.study())
    rows = []
    for trial in trials_of_run(run):
        described = trial.describe()
        row = {column: described[column] for column in _COLUMNS}
        rows.append({**row, **values.get(trial.id, {}), **endings.state(trial)})
    columns = [*_COLUMNS, "state", *_KNOWN]
    table = pd.DataFrame(rows, columns=None if rows else columns)
    return table.astype(dict.fromkeys(("depth", "train_size", "epoch", "epochs_planned"), "Int64"))


def _sampled_values(run: RunDirectory, study: Study) -> dict[str, dict[str, object]]:
    """What was drawn for each trial of a search, as far as no other column tells it."""
    if study.search is None:
        return {}
    names = {key: name for key, name in short_names(study.search.space).items() if name not in _COLUMNS}
    return {
        sample.trial.id: {name: sample.values[key] for key, name in names.items()} for sample in samples_of(run, study)
    }


class _Endings:
    """How the trials of a run have ended, as far as they have."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._finished, self._stopped = run.finished(), run.stopped()
        cuts = {trial_id: f"cut: {reason}" for trial_id, reason in run.cuts().items()}
        self._without_result = cuts | {each: f"failed: {reason}" for each, reason in run.failures().items()}

    def state(self, trial: Trial) -> dict[str, object]:
        """The state of a trial, its epoch and its errors."""
        try:
            return self._ending(trial)
        except DamageError as error:
            return _row(trial, f"damaged: {error.what}")

    def _ending(self, trial: Trial) -> dict[str, object]:
        if trial.id in self._finished:
            result = self._run.result(trial.id)
            return _row(trial, "done", result["epochs"], result["val_mae"], result["test_mae"])
        if trial.id in self._without_result:
            return _row(trial, self._without_result[trial.id])
        history = self._run.history(trial.id)
        if history.empty:
            return _row(trial, "waiting")
        state = "stopped" if trial.id in self._stopped else "begun"
        return _row(trial, state, int(history["epoch"].iloc[-1]), history["val_mae"].min())


def _row(
    trial: Trial, state: str, epoch: int | None = None, val_mae: float | None = None, test_mae: float | None = None
) -> dict[str, object]:
    planned = trial.model.recipe.epochs if isinstance(trial.model, NetworkModel) else None
    return {"state": state, **dict(zip(_KNOWN, (epoch, planned, val_mae, test_mae), strict=True))}
