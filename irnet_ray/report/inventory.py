"""What a run has of what its study plans: results, and for all else the reason why there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from irnet_ray.errors import RunError
from irnet_ray.report.wording import count, listing
from irnet_ray.study.result import RESULT_COLUMNS
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.trial import Trial

_NOT_RUN = "not run to its end"
_NAMED = 5  # stray folders at most


@dataclass(frozen=True)
class Inventory:
    """The trials of a run.

    Attributes:
        trials: All that the study plans.
        results: Rows of those with a readable result, columns as in ``RESULT_COLUMNS``.
        reasons: Why the others have none, by trial id.
        remarks: What else lies among the run's trials, in sentences.
    """

    trials: tuple[Trial, ...]
    results: pd.DataFrame
    reasons: Mapping[str, str]
    remarks: tuple[str, ...]

    @property
    def unfinished(self) -> list[Trial]:
        """The trials without a result."""
        return [trial for trial in self.trials if trial.id in self.reasons]


def take_inventory(run: RunDirectory, trials: Sequence[Trial]) -> Inventory:
    """Reads the results of a run, and leaves out what cannot be read.

    Args:
        run: Its files.
        trials: All that its study plans.
    """
    finished = run.finished()
    planned = {trial.id for trial in trials}
    broken = {trial_id: reason for trial_id in sorted(planned & finished) if (reason := _damage(run, trial_id))}
    readable = [trial for trial in trials if trial.id in finished and trial.id not in broken]
    told = {**run.stopped(), **run.cuts(), **run.failures(), **broken}
    reasons = {trial.id: told.get(trial.id, _NOT_RUN) for trial in trials if trial.id not in finished - broken.keys()}
    return Inventory(tuple(trials), run.results(readable), reasons, tuple(_remarks(run, finished, planned)))


def _damage(run: RunDirectory, trial_id: str) -> str:
    """What is wrong with a finished trial's files; empty if nothing is."""
    repair = "delete its folder and run the study again"
    try:
        result = run.result(trial_id)
        if not isinstance(result, dict):
            return f"its result.json cannot be read (no mapping); {repair}"
        lacking = [column for column in RESULT_COLUMNS if column not in result]
        if lacking:
            return f"its result.json has no '{lacking[0]}'; {repair}"
        run.check_predictions(trial_id, int(result["test_rows"]))
    except RunError as error:
        return str(error)
    except ValueError as error:
        return f"its result.json cannot be read ({error}); {repair}"
    return ""


def _remarks(run: RunDirectory, finished: set[str], planned: set[str]) -> list[str]:
    """Names finished folders that are none of the study's trials."""
    strays = sorted(finished - planned)
    copies = [name for name in strays if _own_id(run, name) in planned]
    others = [name for name in strays if name not in copies]
    remarks = []
    if copies:
        remarks.append(
            f"{count(len(copies), 'folder')} of trials {_are(copies)} a second copy, and not counted: {_few(copies)}."
        )
    if others:
        remarks.append(
            f"{count(len(others), 'finished trial')} {_are(others)} not of this study, and not counted: {_few(others)}."
        )
    return remarks


def _own_id(run: RunDirectory, folder: str) -> str:
    """The trial that a folder's result says it is of."""
    try:
        result = run.result(folder)
    except (RunError, json.JSONDecodeError):
        return ""
    return str(result.get("trial_id")) if isinstance(result, dict) else ""


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _few(names: Sequence[str]) -> str:
    shown = [f"trials/{name}" for name in names[:_NAMED]]
    return listing([*shown, f"{len(names) - _NAMED} more"] if len(names) > _NAMED else shown)
