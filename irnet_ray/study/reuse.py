"""Trials that other runs have done are taken over: an id says what a result depends on, but for how it is computed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from irnet_ray.errors import ConfigurationError, RunError
from irnet_ray.study.event_log import FOLDER, folder_name
from irnet_ray.study.finished_trial import DONE
from irnet_ray.study.run_directory import RunDirectory, trainer_in
from irnet_ray.study.spec import Study, Trainer
from irnet_ray.study.trial import NetworkModel, Trial


@dataclass(frozen=True)
class Reusable:
    """A trial that another run has finished.

    Attributes:
        trial: What was done.
        run: Where it lies.
    """

    trial: Trial
    run: RunDirectory


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


def find_reusable(trials: Iterable[Trial], others: Iterable[RunDirectory], trainer: Trainer) -> list[Reusable]:
    """Finds what other runs have finished, and proves it by its digests; changes nothing.

    Args:
        trials: What is missing.
        others: Where to look; the first that has a trial gives it.
        trainer: Of the study; networks that were computed otherwise come to other results.

    Raises:
        StorageError: A directory cannot be read.
    """
    wanted = {trial.id: trial for trial in trials}
    found: list[Reusable] = []
    for other in others:
        finished = other.finished() & wanted.keys()
        whole = finished - other.damages(finished).keys()
        fitting = [wanted[each] for each in sorted(whole) if _is_computed_alike(other, wanted[each], trainer)]
        found += [Reusable(wanted.pop(trial.id), other) for trial in fitting]
    return found


def take_over(run: RunDirectory, reusable: Reusable) -> None:
    """Copies a trial's files, that which says that they are whole at the end.

    Args:
        run: Where to.
        reusable: What and where from.

    Raises:
        StorageError: A directory cannot be read or written.
    """
    trial, source = reusable.trial, reusable.run
    run.storage.delete_folder(f"trials/{trial.id}")  # it may have been begun
    for folder in (f"{FOLDER}/{folder_name(trial)}", f"trials/{trial.id}"):
        for name in sorted(source.storage.names(folder), key=lambda name: name == DONE):
            content = source.storage.read(f"{folder}/{name}")
            if content is not None:
                run.storage.write(f"{folder}/{name}", content)


def _is_computed_alike(run: RunDirectory, trial: Trial, trainer: Trainer) -> bool:
    """Whether a network was trained by as many workers in the same precision; for all else that makes no difference."""
    if not isinstance(trial.model, NetworkModel):
        return True
    earlier = trainer_in(run.storage.read(f"trials/{trial.id}/config.json"))
    return earlier is not None and not earlier.differences(trainer)
