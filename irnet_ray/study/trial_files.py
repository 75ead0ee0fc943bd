"""What the trials of a run left behind: read, and proved by its digests."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import pandas as pd

from irnet_ray.errors import DamageError, RunError
from irnet_ray.model.baselines.limits import Limits
from irnet_ray.storage import Storage
from irnet_ray.study.finished_trial import (
    DONE,
    HISTORY,
    PREDICTIONS,
    RESULT,
    Parsed,
    Record,
    parse_digests,
    parse_history,
    parse_result,
    parse_test_rows,
    read_checked,
)
from irnet_ray.study.result import results_table
from irnet_ray.study.trial import Trial

_READERS = 8  # files at a time, for storages that are far away


class TrialFiles:
    """The files of a run's trials.

    Args:
        uri: Of the run's directory; it need not exist.
        patience: For how long storage that does not answer is tried again (s).

    Attributes:
        storage: The directory's files.
    """

    def __init__(self, uri: str, patience: float = 0.0) -> None:
        self.storage = Storage(uri, patience=patience)

    @property
    def uri(self) -> str:
        """Where the run lies."""
        return self.storage.uri

    def outcome(self, trial_id: str) -> tuple[float | None, int | None]:
        """What a trial came to that has ended.

        Returns:
            Its lowest validation MAE in the property's unit, ``None`` if it failed; and after how many epochs it was
            stopped, ``None`` if it was not.
        """
        if self.storage.exists(path_of(trial_id, RESULT)):
            return float(self.result(trial_id)["val_mae"]), None
        if not self.storage.exists(path_of(trial_id, "STOPPED")):
            return None, None
        history = self.history(trial_id)
        return float(history["val_mae"].min()), len(history)

    def finished(self) -> set[str]:
        """Ids of the trials that are done."""
        return {path.split("/")[0] for path in self.storage.files("trials") if path.endswith(f"/{DONE}")}

    def stopped(self) -> dict[str, str]:
        """Why trials were stopped before their time, by their ids; they count as ended and are not trained again."""
        return self._messages("STOPPED")

    def damages(self, trial_ids: Iterable[str]) -> dict[str, str]:
        """What is wrong with the files of those of these trials that have ended, by their ids.

        Raises:
            StorageError: A file cannot be read.
        """
        finished, stopped = self.finished(), self.stopped()
        ids = [trial_id for trial_id in trial_ids if trial_id in finished or trial_id in stopped]
        with ThreadPoolExecutor(_READERS) as readers:
            found = readers.map(lambda each: self._damage(each, is_finished=each in finished), ids)
            return {trial_id: what for trial_id, what in zip(ids, found, strict=True) if what is not None}

    def _damage(self, trial_id: str, *, is_finished: bool) -> str | None:
        try:
            self.record(trial_id) if is_finished else self.history(trial_id)
        except DamageError as error:
            return error.what
        return None

    def cuts(self, limits: Limits | None = None) -> dict[str, str]:
        """Which limits trials reached, by their ids.

        Args:
            limits: Leaves out the trials that these would give more of what they ran out of.
        """
        cuts = {}
        for trial_id, content in self._messages("CUT").items():
            with suppress(ValueError):  # one that is damaged is none, and the trial is tried again
                cuts[trial_id] = json.loads(content)
        return {
            trial_id: each["reason"]
            for trial_id, each in cuts.items()
            if limits is None or limits.forbid(each["limit"], each["value"])
        }

    def failures(self, trials: Sequence[Trial] | None = None) -> dict[str, str]:
        """Why trials failed, by their ids; of these trials only, if any are given."""
        messages = self._messages("error.txt", None if trials is None else {trial.id for trial in trials})
        finished = self.finished() if messages else set()
        return {trial_id: message for trial_id, message in messages.items() if trial_id not in finished}

    def _messages(self, name: str, wanted: set[str] | None = None) -> dict[str, str]:
        """Reads one small file of each trial that has it, and that is wanted if any are named."""
        ids = [path.split("/")[0] for path in sorted(self.storage.files("trials")) if path.endswith(f"/{name}")]
        contents = {each: self.storage.read(path_of(each, name)) for each in ids if wanted is None or each in wanted}
        return {each: (content or b"").decode().strip() for each, content in contents.items()}

    def results(self, trials: Sequence[Trial]) -> pd.DataFrame:
        """One row for each finished trial, columns as in ``RESULT_COLUMNS``; damaged results are left out."""
        finished = self.finished()
        ids = [trial.id for trial in trials if trial.id in finished]
        with ThreadPoolExecutor(_READERS) as readers:
            found = list(readers.map(self._result_or_none, ids))
        return results_table([result for result in found if result is not None])

    def _result_or_none(self, trial_id: str) -> dict[str, Any] | None:
        try:
            return self.result(trial_id)
        except DamageError:  # reports and ``status`` name it
            return None

    def record(self, trial_id: str) -> Record:
        """All that a finished trial left behind.

        Raises:
            DamageError: A file is missing, damaged, or another trial's.
        """
        digests = self._digests(trial_id)
        result = self._result(trial_id, digests)
        parse = partial(parse_test_rows, trial_id=trial_id, rows=int(result["test_rows"]))
        target, prediction = self._read_checked(trial_id, PREDICTIONS, digests, parse)
        return Record(result, self._history(trial_id, digests), target, prediction)

    def result_if_done(self, trial_id: str) -> dict[str, Any] | None:
        """A trial's ``result.json``; ``None`` where it is not done, or its files are not whole.

        Raises:
            StorageError: A file cannot be read.
        """
        if not self.storage.exists(path_of(trial_id, DONE)):
            return None
        try:
            return dict(self.record(trial_id).result)
        except DamageError:
            return None

    def result(self, trial_id: str) -> dict[str, Any]:
        """A finished trial's ``result.json``.

        Raises:
            DamageError: It is missing, damaged, or another trial's.
        """
        return self._result(trial_id, self._digests(trial_id))

    def _result(self, trial_id: str, digests: Mapping[str, str]) -> dict[str, Any]:
        result = self._read_checked(trial_id, RESULT, digests, partial(parse_result, trial_id=trial_id))
        if result["trial_id"] != trial_id:
            raise DamageError(trial_id, f"its files are those of trial {result['trial_id']}")
        return result

    def id_in(self, folder: str) -> str:
        """The trial that one of the folders of trials says it is of; empty where that cannot be read."""
        try:
            return str(parse_result(self.storage.read(path_of(folder, RESULT)), folder)["trial_id"])
        except DamageError:
            return ""

    def history(self, trial_id: str) -> pd.DataFrame:
        """One row an epoch, columns as in ``Epoch``; empty where there is none.

        Raises:
            DamageError: It is damaged.
        """
        return self._history(trial_id, self._digests(trial_id))

    def _history(self, trial_id: str, digests: Mapping[str, str]) -> pd.DataFrame:
        return self._read_checked(trial_id, HISTORY, digests, partial(parse_history, trial_id=trial_id))

    def predictions(self, trial_id: str) -> pd.DataFrame:
        """Columns ``part`` (validation or test), ``formula``, ``target`` and ``prediction``.

        Raises:
            RunError: The trial is not finished.
        """
        content = self.storage.read(path_of(trial_id, PREDICTIONS))
        if content is None:
            raise RunError(f"'{self.uri}': trial {trial_id} has no predictions; run the study again")
        return pd.read_parquet(io.BytesIO(content))

    def _digests(self, trial_id: str) -> dict[str, str]:
        """Those of a finished trial's files; to be read before them, as they are written after them."""
        return parse_digests(self.storage.read(path_of(trial_id, DONE)), trial_id)

    def _read_checked(
        self, trial_id: str, name: str, digests: Mapping[str, str], parse: Callable[[bytes | None], Parsed]
    ) -> Parsed:
        return read_checked(self.storage.read(path_of(trial_id, name)), trial_id, name, digests, parse)


def path_of(trial_id: str, name: str) -> str:
    """Where a file of a trial lies in its run."""
    return f"trials/{trial_id}/{name}"
