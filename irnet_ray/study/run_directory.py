"""A run: the directory that a study fills. Its files are the truth about what is done.

Every file is described in ``docs/stored-data.md``.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from irnet_ray.config import validate
from irnet_ray.errors import LimitError, RunError
from irnet_ray.model.history import Epoch
from irnet_ray.storage import is_unfinished, join
from irnet_ray.study.finished_trial import DONE, HISTORY, PREDICTIONS, RESULT, dump_digests
from irnet_ray.study.lock_holder import LOCK
from irnet_ray.study.read import dump_yaml, parse_yaml
from irnet_ray.study.spec import Study, Trainer
from irnet_ray.study.trial import Trial
from irnet_ray.study.trial_files import TrialFiles, path_of

_STUDY = "study.yaml"
_RESULTS = "results.csv"
_OURS = ("trials", "report", "tensorboard")


class RunDirectory(TrialFiles):
    """The files of one run.

    Args:
        uri: Of the directory; it need not exist.
        patience: For how long storage that does not answer is tried again (s).
    """

    @property
    def is_run(self) -> bool:
        """Whether a study has claimed the directory."""
        return self.storage.exists(_STUDY)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it but what keeps other runs off, and what was not written to its end."""
        return not {name for name in self.storage.names() if not is_unfinished(name)} - {LOCK}

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

    def begin(self, trial: Trial, trainer: Trainer) -> None:
        """Writes a trial's configuration, and forgets an earlier failure, stop or cut."""
        configuration = {**trial.model_dump(mode="json"), "trainer": trainer.model_dump(mode="json")}
        self._write_json(path_of(trial.id, "config.json"), {"trial_id": trial.id, **configuration})
        for name in ("error.txt", "STOPPED", "CUT"):
            self.storage.delete(path_of(trial.id, name))

    def check_trainer(self, trials: Sequence[Trial], trainer: Trainer) -> None:
        """Checks that trials under way can go on as they were begun.

        Raises:
            RunError: A checkpoint was made by another number of workers, or in another precision.
        """
        ids = {trial.id for trial in trials}
        for path in sorted(self.storage.files("trials")):
            trial_id, _, name = path.partition("/")
            if name != "checkpoint.bin" or trial_id not in ids:
                continue
            earlier = trainer_in(self.storage.read(path_of(trial_id, "config.json")))
            for key, before in (earlier.differences(trainer) if earlier else {}).items():
                raise RunError(
                    f"trainer.{key}: trial {trial_id} was begun with {before} and cannot go on with "
                    f"{getattr(trainer, key)}; set it to {before}, or start over with --force"
                )

    def read_checkpoint(self, trial_id: str) -> bytes | None:
        """The newest checkpoint of an unfinished trial."""
        return self.storage.read(path_of(trial_id, "checkpoint.bin"))

    def write_checkpoint(self, trial_id: str, content: bytes) -> None:
        """Replaces the trial's checkpoint."""
        self.storage.write(path_of(trial_id, "checkpoint.bin"), content)

    def write_history(self, trial_id: str, history: Iterable[Epoch]) -> None:
        """Replaces the trial's history."""
        self.storage.write(path_of(trial_id, HISTORY), _history_csv(history))

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
            self.storage.write(path_of(trial_id, name), content)
        self.storage.write(path_of(trial_id, DONE), dump_digests(contents))
        for name in ("checkpoint.bin", "error.txt"):
            self.storage.delete(path_of(trial_id, name))

    def forget(self, trial_id: str) -> None:
        """Makes a trial that has ended one that has not.

        Raises:
            StorageError: The run directory cannot be written.
        """
        for name in (DONE, "STOPPED"):
            self.storage.delete(path_of(trial_id, name))

    def fail(self, trial_id: str, message: str) -> None:
        """Writes why a trial ended without a result."""
        self.storage.write(path_of(trial_id, "error.txt"), f"{message}\n".encode())

    def stop(self, trial_id: str, reason: str) -> None:
        """Writes why a trial was stopped before its time."""
        self.storage.write(path_of(trial_id, "STOPPED"), f"{reason}\n".encode())
        self.storage.delete(path_of(trial_id, "checkpoint.bin"))

    def cut(self, trial_id: str, error: LimitError) -> None:
        """Writes which of its limits a trial reached."""
        self._write_json(path_of(trial_id, "CUT"), {"reason": str(error), "limit": error.limit, "value": error.value})

    def write_results(self, trials: Sequence[Trial]) -> pd.DataFrame:
        """Gathers the results of the finished ones among these trials in ``results.csv``, in their order."""
        table = self.results(trials)
        self.storage.write(_RESULTS, table.to_csv(index=False).encode())
        return table

    def _write_json(self, path: str, content: dict[str, Any]) -> None:
        self.storage.write(path, _json(content))


def trainer_in(content: bytes | None) -> Trainer | None:
    """What a trial was given to run on, by its ``config.json``; ``None`` where that cannot be read."""
    try:
        return Trainer.model_validate(json.loads(content or b"")["trainer"])
    except (ValueError, TypeError, KeyError):  # no digest proves this file
        return None


def _history_csv(history: Iterable[Epoch]) -> bytes:
    columns = [field.name for field in fields(Epoch)]
    return pd.DataFrame([asdict(epoch) for epoch in history], columns=columns).to_csv(index=False).encode()


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, allow_nan=True) + "\n").encode()


def _dump_study(study: Study) -> bytes:
    return dump_yaml(study.model_dump(mode="json"))


def _parse_study(content: bytes, uri: str) -> Study:
    where = join(uri, _STUDY)
    return validate(Study, parse_yaml(content, where), where)
