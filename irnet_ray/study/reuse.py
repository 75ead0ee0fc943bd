"""Trials that other runs have done are taken over: an id says all that a result depends on, but for the workers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from irnet_ray.errors import ConfigurationError, RunError
from irnet_ray.study.event_log import FOLDER, folder_name
from irnet_ray.study.finished_trial import DONE
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Study
from irnet_ray.study.trial import NetworkModel, Trial


def check_reusable(study: Study, run: RunDirectory, others: Iterable[RunDirectory]) -> None:
    """Refuses what cannot be taken from.

    Args:
        study: What is to be done.
        run: Where to.
        others: Where from.

    Raises:
        ConfigurationError: The study is a search, whose trials nobody knows before.
        RunError: One of the directories holds no run, or is the one to fill, which might be cleared first.
    """
    for other in others:
        if other.uri == run.uri:
            raise RunError(f"--reuse: '{other.uri}' is the run itself; name another, or leave it out")
        if study.search is not None:
            raise ConfigurationError("--reuse: a search draws its trials as it goes; leave it out")
        if not other.is_run:
            raise RunError(f"--reuse: '{other.uri}' holds no run; name the directory of one")


def take_over(run: RunDirectory, trials: Sequence[Trial], others: Iterable[RunDirectory], workers: int) -> list[str]:
    """Copies what other runs have finished, after proving it by its digests.

    Args:
        run: Where to.
        trials: What is not done there.
        others: Where from; the first that has a trial gives it.
        workers: How many train each network of the study; those of another number come to other results.

    Returns:
        Ids of the trials that were taken.

    Raises:
        StorageError: A directory cannot be read or written.
    """
    taken: list[str] = []
    for other in others:
        finished = other.finished()
        wanted = {trial.id: trial for trial in trials if trial.id in finished and trial.id not in taken}
        damaged = other.damages(wanted)
        for trial_id, trial in wanted.items():
            if trial_id not in damaged and _workers(other, trial) in (None, workers):
                _copy(trial, other, run)
                taken.append(trial_id)
    return taken


def _workers(run: RunDirectory, trial: Trial) -> int | None:
    """How many trained a network together; ``None`` for what several never do."""
    if not isinstance(trial.model, NetworkModel):
        return None
    try:
        content = run.storage.read(f"trials/{trial.id}/config.json")
        return int(json.loads(content or b"")["trainer"]["workers"])
    except (ValueError, TypeError, KeyError):  # no digest proves this file
        return 0


def _copy(trial: Trial, source: RunDirectory, target: RunDirectory) -> None:
    """Copies a trial's files, that which says that they are whole at the end."""
    target.storage.delete_folder(f"trials/{trial.id}")  # it may have been begun
    for folder in (f"{FOLDER}/{folder_name(trial)}", f"trials/{trial.id}"):
        for name in sorted(source.storage.names(folder), key=lambda name: name == DONE):
            content = source.storage.read(f"{folder}/{name}")
            if content is not None:
                target.storage.write(f"{folder}/{name}", content)
