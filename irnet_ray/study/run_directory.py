"""A run: the directory that a study fills. Its files are the truth about what is done.

Every file is described in ``docs/stored-data.md``.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, fields
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from irnet_ray.config import validate
from irnet_ray.errors import DamageError, LimitError, RunError
from irnet_ray.model.baselines.limits import Limits
from irnet_ray.model.history import Epoch
from irnet_ray.storage import UNFINISHED, Storage, join
from irnet_ray.study.finished_trial import (
    DONE,
    HISTORY,
    PREDICTIONS,
    RESULT,
    Parsed,
    Record,
    dump_digests,
    parse_digests,
    parse_history,
    parse_result,
    parse_test_rows,
    read_checked,
)
from irnet_ray.study.lock_holder import LOCK
from irnet_ray.study.read import dump_yaml, parse_yaml
from irnet_ray.study.result import results_table
from irnet_ray.study.spec import Study, Trainer
from irnet_ray.study.trial import Trial

_STUDY = "study.yaml"
_RESULTS = "results.csv"
_OURS = ("trials", "report", "tensorboard")
_READERS = 8  # files at a time, for storages that are far away


class RunDirectory:
    """The files of one run.

    Args:
        uri: Of the directory; it need not exist.
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

    @property
    def is_run(self) -> bool:
        """Whether a study has claimed the directory."""
        return self.storage.exists(_STUDY)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it but what keeps other runs off, and what was not written to its end."""
        return not {name for name in self.storage.names() if not name.endswith(UNFINISHED)} - {LOCK}

    def claim(self, study: Study, *, clear: bool = False) -> None:
        """Makes the directory the study's, for whoever keeps other runs off.

        Args:
            study: The study that is to fill the directory.
            clear: Deletes what an earlier run left.
        """
        if clear and self.is_run:
            self._clear()
        self.storage.delete_unfinished()
        content = _dump_study(study)
        if self.storage.read(_STUDY) != content:
            self.storage.write(_STUDY, content)

    def _clear(self) -> None:
        for folder in _OURS:
            self.storage.delete_folder(folder)
        self.storage.delete(_RESULTS)

    def study(self) -> Study:
        """The resolved study.

        Raises:
            RunError: There is no run here.
        """
        content = self.storage.read(_STUDY)
        if content is None:
            raise RunError(f"'{self.uri}' holds no run (it has no {_STUDY}); start one with 'irnet-ray run'")
        return _parse_study(content, self.uri)

    def outcome(self, trial_id: str) -> tuple[float | None, int | None]:
        """What a trial came to that has ended.

        Returns:
            Its lowest validation MAE in the property's unit, ``None`` if it failed; and after how many epochs it was
            stopped, ``None`` if it was not.
        """
        if self.storage.exists(_path(trial_id, RESULT)):
            return float(self.result(trial_id)["val_mae"]), None
        if not self.storage.exists(_path(trial_id, "STOPPED")):
            return None, None
        history = self.history(trial_id)
        return float(history["val_mae"].min()), len(history)

    def finished(self) -> set[str]:
        """Ids of the trials that are done."""
        return {path.split("/")[0] for path in self.storage.files("trials") if path.endswith(f"/{DONE}")}

    def stopped(self) -> dict[str, str]:
        """Why trials were stopped before their time, by their ids; they count as ended and are not trained again."""
        return self._messages("STOPPED")

    def begin(self, trial: Trial, trainer: Trainer) -> None:
        """Writes a trial's configuration, and forgets an earlier failure, stop or cut."""
        configuration = {**trial.model_dump(mode="json"), "trainer": trainer.model_dump(mode="json")}
        self._write_json(_path(trial.id, "config.json"), {"trial_id": trial.id, **configuration})
        for name in ("error.txt", "STOPPED", "CUT"):
            self.storage.delete(_path(trial.id, name))

    def check_workers(self, trials: Sequence[Trial], trainer: Trainer) -> None:
        """Checks that trials under way can go on with the same number of workers.

        Raises:
            RunError: A checkpoint was made by another number.
        """
        ids = {trial.id for trial in trials}
        for path in sorted(self.storage.files("trials")):
            trial_id, _, name = path.partition("/")
            if name != "checkpoint.bin" or trial_id not in ids:
                continue
            content = self.storage.read(_path(trial_id, "config.json"))
            workers = workers_in(content)
            if workers not in (None, trainer.workers):
                raise RunError(
                    f"trainer.workers: trial {trial_id} was begun with {workers} and cannot go on with "
                    f"{trainer.workers}; set it to {workers}, or start over with --force"
                )

    def read_checkpoint(self, trial_id: str) -> bytes | None:
        """The newest checkpoint of an unfinished trial."""
        return self.storage.read(_path(trial_id, "checkpoint.bin"))

    def write_checkpoint(self, trial_id: str, content: bytes) -> None:
        """Replaces the trial's checkpoint."""
        self.storage.write(_path(trial_id, "checkpoint.bin"), content)

    def write_history(self, trial_id: str, history: Iterable[Epoch]) -> None:
        """Replaces the trial's history."""
        self.storage.write(_path(trial_id, HISTORY), _history_csv(history))

    def complete(
        self,
        trial_id: str,
        result: dict[str, Any],
        predictions: pd.DataFrame,
        history: Iterable[Epoch] | None = None,
    ) -> None:
        """Writes what a trial came to, and then that it is done, with digests of its files."""
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pandas(predictions, preserve_index=False), buffer, compression="zstd")
        contents = {PREDICTIONS: buffer.getvalue(), RESULT: _json(result)}
        if history is not None:
            contents[HISTORY] = _history_csv(history)
        for name, content in contents.items():
            self.storage.write(_path(trial_id, name), content)
        self.storage.write(_path(trial_id, DONE), dump_digests(contents))
        for name in ("checkpoint.bin", "error.txt"):
            self.storage.delete(_path(trial_id, name))

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

    def forget(self, trial_id: str) -> None:
        """Makes a trial that has ended one that has not.

        Raises:
            StorageError: The run directory cannot be written.
        """
        for name in (DONE, "STOPPED"):
            self.storage.delete(_path(trial_id, name))

    def fail(self, trial_id: str, message: str) -> None:
        """Writes why a trial ended without a result."""
        self.storage.write(_path(trial_id, "error.txt"), f"{message}\n".encode())

    def stop(self, trial_id: str, reason: str) -> None:
        """Writes why a trial was stopped before its time."""
        self.storage.write(_path(trial_id, "STOPPED"), f"{reason}\n".encode())
        self.storage.delete(_path(trial_id, "checkpoint.bin"))

    def cut(self, trial_id: str, error: LimitError) -> None:
        """Writes which of its limits a trial reached."""
        self._write_json(_path(trial_id, "CUT"), {"reason": str(error), "limit": error.limit, "value": error.value})

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
        contents = {each: self.storage.read(_path(each, name)) for each in ids if wanted is None or each in wanted}
        return {each: (content or b"").decode().strip() for each, content in contents.items()}

    def write_results(self, trials: Sequence[Trial]) -> pd.DataFrame:
        """Gathers the results of the finished ones among these trials in ``results.csv``, in their order."""
        table = self.results(trials)
        self.storage.write(_RESULTS, table.to_csv(index=False).encode())
        return table

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

    def result(self, trial_id: str) -> dict[str, Any]:
        """A finished trial's ``result.json``.

        Raises:
            DamageError: It is missing, damaged, or another trial's.
        """
        return self._result(trial_id, self._digests(trial_id))

    def result_if_done(self, trial_id: str) -> dict[str, Any] | None:
        """A trial's ``result.json``; ``None`` where it is not done, or its files are not whole.

        Raises:
            StorageError: A file cannot be read.
        """
        if not self.storage.exists(_path(trial_id, DONE)):
            return None
        try:
            return dict(self.record(trial_id).result)
        except DamageError:
            return None

    def _result(self, trial_id: str, digests: Mapping[str, str]) -> dict[str, Any]:
        result = self._read_checked(trial_id, RESULT, digests, partial(parse_result, trial_id=trial_id))
        if result["trial_id"] != trial_id:
            raise DamageError(trial_id, f"its files are those of trial {result['trial_id']}")
        return result

    def id_in(self, folder: str) -> str:
        """The trial that one of the folders of trials says it is of; empty where that cannot be read."""
        try:
            return str(parse_result(self.storage.read(_path(folder, RESULT)), folder)["trial_id"])
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
        content = self.storage.read(_path(trial_id, PREDICTIONS))
        if content is None:
            raise RunError(f"'{self.uri}': trial {trial_id} has no predictions; run the study again")
        return pd.read_parquet(io.BytesIO(content))

    def _digests(self, trial_id: str) -> dict[str, str]:
        """Those of a finished trial's files; to be read before them, as they are written after them."""
        return parse_digests(self.storage.read(_path(trial_id, DONE)), trial_id)

    def _read_checked(
        self, trial_id: str, name: str, digests: Mapping[str, str], parse: Callable[[bytes | None], Parsed]
    ) -> Parsed:
        return read_checked(self.storage.read(_path(trial_id, name)), trial_id, name, digests, parse)

    def _write_json(self, path: str, content: dict[str, Any]) -> None:
        self.storage.write(path, _json(content))


def workers_in(content: bytes | None) -> int | None:
    """How many were to train a trial's network, by its ``config.json``; ``None`` where that cannot be read."""
    try:
        return int(json.loads(content or b"")["trainer"]["workers"])
    except (ValueError, TypeError, KeyError):  # no digest proves this file
        return None


def _history_csv(history: Iterable[Epoch]) -> bytes:
    columns = [field.name for field in fields(Epoch)]
    return pd.DataFrame([asdict(epoch) for epoch in history], columns=columns).to_csv(index=False).encode()


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, allow_nan=True) + "\n").encode()


def _path(trial_id: str, name: str) -> str:
    return f"trials/{trial_id}/{name}"


def _dump_study(study: Study) -> bytes:
    return dump_yaml(study.model_dump(mode="json"))


def _parse_study(content: bytes, uri: str) -> Study:
    where = join(uri, _STUDY)
    return validate(Study, parse_yaml(content, where), where)
