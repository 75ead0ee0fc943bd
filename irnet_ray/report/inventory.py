"""What a run has of what its study plans: results, and for all else the reason why there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from irnet_ray.errors import DamageError
from irnet_ray.report.wording import count, listing
from irnet_ray.study.finished_trial import Record
from irnet_ray.study.result import results_table
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.trial import Trial

_NOT_RUN = "not run to its end"
_NAMED = 5  # stray folders at most
_READERS = 8  # files at a time, for storages that are far away


@dataclass(frozen=True)
class Inventory:
    """The trials of a run.

    Attributes:
        trials: All that the study plans.
        records: Of those whose files are whole, by trial id; trials tested on the same rows share their ``target``.
        reasons: Why the others have none, by trial id.
        remarks: What else lies among the run's trials, in sentences.
    """

    trials: tuple[Trial, ...]
    records: Mapping[str, Record]
    reasons: Mapping[str, str]
    remarks: tuple[str, ...]

    @property
    def results(self) -> pd.DataFrame:
        """Rows of the finished trials, columns as in ``RESULT_COLUMNS``."""
        return results_table([self.records[trial.id].result for trial in self.trials if trial.id in self.records])

    @property
    def unfinished(self) -> list[Trial]:
        """The trials without a result."""
        return [trial for trial in self.trials if trial.id in self.reasons]


def take_inventory(run: RunDirectory, trials: Sequence[Trial]) -> Inventory:
    """Reads what the finished trials of a run left behind, and leaves out what is damaged.

    Args:
        run: Its files.
        trials: All that its study plans.
    """
    finished = run.finished()
    planned = {trial.id: trial for trial in trials}
    ids = [trial_id for trial_id in planned if trial_id in finished]
    with ThreadPoolExecutor(_READERS) as readers:
        read = dict(zip(ids, readers.map(lambda trial_id: _read(run, trial_id), ids), strict=True))
    damaged = {trial_id: each for trial_id, each in read.items() if isinstance(each, str)}
    records = {trial_id: each for trial_id, each in read.items() if isinstance(each, Record)}
    records, strangers = _of_the_same_rows(run, records, planned)
    told = {**run.stopped(), **run.cuts(), **run.failures(), **damaged, **strangers}
    reasons = {trial_id: told.get(trial_id, _NOT_RUN) for trial_id in planned if trial_id not in records}
    return Inventory(tuple(trials), records, reasons, tuple(_remarks(run, finished, planned.keys())))


def _read(run: RunDirectory, trial_id: str) -> Record | str:
    """A finished trial's record, or what is wrong with its files."""
    try:
        return run.record(trial_id)
    except DamageError as error:
        return f"{error.what}; run the study again"


def _of_the_same_rows(
    run: RunDirectory, records: Mapping[str, Record], trials: Mapping[str, Trial]
) -> tuple[dict[str, Record], dict[str, str]]:
    """Lets trials on the same data share their test rows, and sorts out those that were tested on others.

    Data that changed between two trials make their errors incomparable; what most trials have counts.
    """
    groups: dict[str, list[str]] = {}
    for trial_id in records:
        trial = trials[trial_id]
        groups.setdefault(f"{trial.matrix.canonical()}{trial.split.model_dump_json()}", []).append(trial_id)
    kept: dict[str, Record] = {}
    for members in groups.values():
        keys = {trial_id: records[trial_id].target.tobytes() for trial_id in members}
        usual, _ = Counter(keys.values()).most_common(1)[0]
        first = next(trial_id for trial_id in members if keys[trial_id] == usual)
        target, compositions = records[first].target, _compositions(run, first)
        for trial_id in members:
            if keys[trial_id] == usual:
                old = records[trial_id]
                kept[trial_id] = Record(old.result, old.history, target, old.prediction, compositions)
    reason = "it was tested on other rows than the other trials on its data; delete its folder and run the study again"
    return kept, {trial_id: reason for trial_id in records if trial_id not in kept}


def _compositions(run: RunDirectory, trial_id: str) -> npt.NDArray[np.int64]:
    """The number of each test row's composition, from 0."""
    predictions = run.predictions(trial_id)
    codes, _ = pd.factorize(predictions.loc[predictions["part"] == "test", "formula"], use_na_sentinel=False)
    return codes.astype(np.int64)


def ensemble_mae(records: Sequence[Record]) -> float:
    """Test MAE of the average of several trials' predictions, in the property's unit."""
    average = np.mean([record.prediction for record in records], axis=0)
    return float(np.abs(average - records[0].target).mean())


def _remarks(run: RunDirectory, finished: Iterable[str], planned: Iterable[str]) -> list[str]:
    """Names finished folders that are none of the study's trials."""
    known = set(planned)
    strays = sorted(set(finished) - known)
    copies = [name for name in strays if run.id_in(name) in known]
    others = [name for name in strays if name not in copies]
    remarks = []
    if copies:
        amount = count(len(copies), "folder")
        remarks.append(f"{amount} of trials {_are(copies)} a second copy, and not counted: {_few(copies)}.")
    if others:
        amount = count(len(others), "finished trial")
        remarks.append(f"{amount} {_are(others)} not of this study, and not counted: {_few(others)}.")
    return remarks


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _few(names: Sequence[str]) -> str:
    shown = [f"trials/{name}" for name in names[:_NAMED]]
    return listing([*shown, f"{len(names) - _NAMED} more"] if len(names) > _NAMED else shown)
