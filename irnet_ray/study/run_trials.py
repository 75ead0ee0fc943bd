"""Which trials a run has, and whose run it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from irnet_ray.errors import ConfigurationError, DataError, RunError
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.space import Values
from irnet_ray.study.spec import Study
from irnet_ray.study.trial import Trial


@dataclass(frozen=True)
class Sample:
    """A trial of a search.

    Attributes:
        number: From 1, in the order in which they were drawn.
        values: What was drawn.
        trial: The study with these values.
    """

    number: int
    values: Values
    trial: Trial


def trials_of_run(run: RunDirectory) -> list[Trial]:
    """The trials of a run: those of its grid, or those that its search has drawn.

    Where the study's table lies on another machine, those that were begun.

    Raises:
        RunError: There is no run here.
    """
    try:
        return trials_of(run, run.study())
    except DataError:
        found = [_read_trial(run, name) for name in run.storage.names("trials")]
        return [trial for trial in found if trial is not None]


def _read_trial(run: RunDirectory, trial_id: str) -> Trial | None:
    """What a trial's ``config.json`` says it is; ``None`` where that cannot be read."""
    content = run.storage.read(f"trials/{trial_id}/config.json")
    try:
        configuration = json.loads(content or b"")
        return Trial.model_validate({key: configuration[key] for key in Trial.model_fields})
    except (ValueError, TypeError, KeyError):
        return None


def trials_of(run: RunDirectory, study: Study) -> list[Trial]:
    """The trials of a study's grid, or those that were drawn in this directory for its search."""
    return study.trials() if study.search is None else [sample.trial for sample in samples_of(run, study)]


def ended_in(run: RunDirectory, study: Study) -> set[str]:
    """Ids of the trials that the study does not train again: those that are done, and those that were stopped early.

    A grid that no longer asks for early stopping trains these after all. Those that reached a limit are done as well,
    unless the study gives them more now.
    """
    trains_all = study.search is None and study.early_stopping is None
    stopped = set() if trains_all else run.stopped().keys()
    return run.finished() | stopped | run.cuts(study.trainer.limits).keys()


def samples_of(run: RunDirectory, study: Study) -> list[Sample]:
    """What was drawn here and is a sample of the study's search, in the order in which it was drawn."""
    names = run.storage.names("trials")
    samples = [sample for name in names if (sample := _read_sample(run, study, name)) is not None]
    return sorted(samples, key=lambda sample: sample.number)


def _read_sample(run: RunDirectory, study: Study, trial_id: str) -> Sample | None:
    """A trial's sample, if it has one, if the space can still give it, and if it still makes this trial."""
    content = run.storage.read(f"trials/{trial_id}/sample.json")
    if content is None or study.search is None:
        return None
    space = study.search.space
    try:
        stored = json.loads(content)
        number, drawn = int(stored["number"]), dict(stored["values"])
    except (ValueError, TypeError, KeyError):  # no digest proves this file; it is drawn again
        return None
    values: Values = {key: drawn[key] for key in space if key in drawn}
    if len(values) < max(len(space), len(drawn)):
        return None
    if not all(space[key].contains(value) for key, value in values.items()):
        return None
    try:
        trial = study.sample(values)
    except ConfigurationError:
        return None
    return Sample(number, values, trial) if trial.id == trial_id else None


def write_sample(run: RunDirectory, sample: Sample) -> None:
    """Notes what a search has drawn."""
    content = json.dumps({"number": sample.number, "values": sample.values}, indent=2)
    run.storage.write(f"trials/{sample.trial.id}/sample.json", f"{content}\n".encode())


def check_owner(run: RunDirectory, study: Study, trials: Sequence[Trial]) -> None:
    """Checks that a directory may become, or is, a study's; changes nothing.

    A directory may go on with a grid that has grown or shrunk, as long as both grids share a trial, and with a search
    that could have drawn some of its samples.

    Args:
        run: The directory.
        study: The study that is to fill it.
        trials: Those that ``trials_of`` finds.

    Raises:
        RunError: The directory belongs to another study, or is no run directory at all.
    """
    if not run.is_run:
        if not run.is_empty:
            raise RunError(f"'{run.uri}' is not empty and holds no run; choose another --storage")
        return
    owner = run.study()
    shared = {trial.id for trial in trials_of(run, owner)} & {trial.id for trial in trials}
    if owner.name != study.name or not (shared or owner == study):
        raise RunError(
            f"'{run.uri}' belongs to another study (name '{owner.name}', no trial in common); "
            "choose another --storage or 'name', or start it over with --force"
        )
