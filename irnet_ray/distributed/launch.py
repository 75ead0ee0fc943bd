"""A study from its file's content to its report."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import pandas as pd
from rich.console import Console

from irnet_ray.errors import ConfigurationError, RunError
from irnet_ray.model.baselines import Baseline
from irnet_ray.model.batches import Batches
from irnet_ray.storage import PATIENCE_SECONDS
from irnet_ray.study.estimate import most_work, split_sizes, work
from irnet_ray.study.execute import MatrixData, check_local
from irnet_ray.study.feature_progress import FeatureProgress
from irnet_ray.study.featurize import Compute, compute_here
from irnet_ray.study.local import run_here
from irnet_ray.study.prepare import prepare
from irnet_ray.study.progress import Progress
from irnet_ray.study.reuse import Reusable, check_reusable, find_reusable, take_over
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.run_lock import only_run
from irnet_ray.study.run_trials import Sample, check_owner, ended_in, trials_of
from irnet_ray.study.search import Samples, describe_values
from irnet_ray.study.spec import Study
from irnet_ray.study.trial import NetworkModel, Trial


@dataclass(frozen=True)
class _Todo:
    """What is missing of a study.

    Attributes:
        missing: Trials that have not ended; of a search those that were begun.
        ended: Trials that finished or were stopped, those that are taken over included.
        reusable: What is taken over from other runs.
        damaged: Ids of those missing that had ended, but whose files are not whole.
        total: Number of the study's trials, for a search also of those that nobody knows yet.
        rows: Training, validation and test rows of each trial, by matrix and training size.
        most_work: Relative cost at which classical learning reaches its limit of time.
    """

    missing: Sequence[Trial]
    ended: Sequence[Trial]
    reusable: Sequence[Reusable]
    damaged: Sequence[str]
    total: int
    rows: Mapping[tuple[str, int | None], tuple[int, int, int]]
    most_work: float

    def cost(self, trial: Trial) -> float:
        """Relative cost of a trial."""
        return work(trial, self.rows[trial.matrix.canonical(), trial.train_size], self.most_work)


def run_study(
    study: Study,
    run: RunDirectory,
    *,
    console: Console,
    address: str | None = None,
    local: bool = False,
    force: bool = False,
    reuse: Sequence[RunDirectory] = (),
    finish: Callable[[pd.DataFrame], None] | None = None,
) -> pd.DataFrame:
    """Runs what is missing of a study.

    Nothing but the lock is written to the run directory before the study, the data and the directory are known to be
    good, and nothing is left of that.

    Args:
        study: What to run.
        run: The directory to fill.
        console: Where to show progress.
        address: Of a running Ray cluster; ``None`` starts Ray on this machine.
        local: Runs in this one process, without Ray.
        force: Deletes what an earlier run left, and starts over.
        reuse: Other runs, whose finished trials are taken over rather than done again.
        finish: Called with the results, while no other run can begin.

    Returns:
        The study's results so far, as in ``results.csv``.

    Raises:
        UserError: Something that the user can mend.
    """
    if local and study.early_stopping is not None:
        raise ConfigurationError("early_stopping: is done by Ray; leave out --local, or add --set early_stopping=null")
    check_reusable(study, run, reuse)
    with only_run(run.storage, tell=lambda text: console.print(text, soft_wrap=True)):
        run = RunDirectory(run.uri, PATIENCE_SECONDS)  # that storage answers at all is known now
        todo = _find_todo(study, run, reuse, force=force)
        what = "trials" if study.search is None else "samples"
        done = f"{len(todo.ended) - len(todo.reusable)} done"
        others = f", {len(todo.reusable)} to take over from other runs" if reuse else ""
        console.print(f"{study.run_name}: {todo.total} {what}, {done}{others}, in {run.uri}")
        if todo.missing or len(todo.ended) < todo.total:
            _run_missing(study, todo, run, console, address=address, local=local, force=force)
        else:
            _claim(run, study, todo, console, force=force)
        results = run.write_results(trials_of(run, study))
        if finish is not None:
            finish(results)
        return results


def _find_todo(study: Study, run: RunDirectory, reuse: Sequence[RunDirectory], *, force: bool) -> _Todo:
    """Compares a study with its directory.

    Raises:
        RunError: The directory cannot become the study's.
        ConfigurationError: More training rows are asked than there are.
    """
    of_all_data = _of_all_data(study)
    rows = {
        (trial.matrix.canonical(), trial.train_size): each
        for trial, each in zip(of_all_data, split_sizes(of_all_data), strict=True)
    }
    if force:
        _check_forced(run)
    trials = trials_of(run, study) if study.search is None or not force else []
    if not force:
        check_owner(run, study, trials)
    over = set() if force else ended_in(run, study)
    damaged = [] if force else list(run.damages(trial.id for trial in trials if trial.id in over))
    over -= set(damaged)
    reusable = find_reusable([trial for trial in trials if trial.id not in over], reuse, study.trainer)
    if not force:
        _check_alike(run, [trial for trial in trials if trial.id in over], study)
    over |= {each.trial.id for each in reusable}
    missing = [trial for trial in trials if trial.id not in over]
    ended = [trial for trial in trials if trial.id in over]
    if not force:
        run.check_trainer(missing, study.trainer)
    for trial in missing:
        _check_batches(trial, rows[trial.matrix.canonical(), trial.train_size][0], study.trainer.workers)
    total = len(trials) if study.search is None else max(study.search.samples, len(ended))
    to_do = missing if study.search is None else of_all_data  # samples that nobody has drawn are like those
    learns_classically = any(isinstance(trial.model, Baseline) for trial in to_do)
    most = most_work(study.trainer.limits) if learns_classically else math.inf
    return _Todo(missing, ended, reusable, damaged, total, rows, most)


def _check_alike(run: RunDirectory, ended: Sequence[Trial], study: Study) -> None:
    """Refuses to go on with networks in another way than that in which the run's finished ones were trained.

    Raises:
        RunError: Names the setting.
    """
    if not any(isinstance(trial.model, NetworkModel) for trial in ended):
        return
    for key, before in run.study().trainer.differences(study.trainer).items():
        raise RunError(
            f"trainer.{key}: networks of the run were trained with {before}, which gives other results than "
            f"{getattr(study.trainer, key)}; set it to {before}, or start over with --force"
        )


def _check_batches(trial: Trial, rows: int, workers: int) -> None:
    """Refuses a network that cannot be trained in such batches by so many workers.

    Raises:
        ConfigurationError: Names the trial and the repair.
    """
    if not isinstance(trial.model, NetworkModel):
        return
    try:
        Batches(rows, trial.model.recipe.batch_size, workers)
    except ConfigurationError as error:
        raise ConfigurationError(f"trial {trial.id} ({trial.label}): {error}") from error


def _of_all_data(study: Study) -> list[Trial]:
    """Trials that need all data that the study may need."""
    return study.trials() if study.search is None else study.trials_of_all_data()


def _check_forced(run: RunDirectory) -> None:
    """Even with force only a run is deleted, not whatever else a folder holds."""
    if not run.is_empty and not run.is_run:
        raise RunError(f"'{run.uri}' is not empty and holds no run; choose another --storage")


def _tell_dropped_rows(data: Mapping[str, MatrixData], console: Console) -> None:
    """Prints what curation dropped, and why."""
    for report in dict.fromkeys(matrix.curation for matrix in data.values()):
        dropped = [f"{step.dropped:,} by {step.step}" for step in report.steps if step.dropped]
        if dropped:
            kept = f"{report.rows_kept:,} of {report.rows_read:,} rows kept"
            console.print(f"{kept}; dropped {', '.join(dropped)}", soft_wrap=True)


def _prepare(study: Study, trials: Sequence[Trial], compute: Compute, console: Console) -> dict[str, MatrixData]:
    with FeatureProgress(console) as progress:
        data = prepare(trials, compute, skip_bad_rows=study.skip_bad_rows, report=progress.report)
    _tell_dropped_rows(data, console)
    return data


def _run_missing(
    study: Study,
    todo: _Todo,
    run: RunDirectory,
    console: Console,
    *,
    address: str | None,
    local: bool,
    force: bool,
) -> None:
    needed = todo.missing if study.search is None else study.trials_of_all_data()
    if local:
        check_local(study.trainer)
        data = _prepare(study, needed, compute_here, console)
        _claim(run, study, todo, console, force=force)
        with _progress(study, todo, console) as progress:
            run_here(_trials_here(study, todo, run, progress), data, run, study.trainer, progress)
        return
    from irnet_ray.distributed.featurize import compute_on_ray
    from irnet_ray.distributed.run import Scheduling, run_on_ray, search_on_ray
    from irnet_ray.distributed.session import session
    from irnet_ray.distributed.shared_storage import check_shared

    scheduling = Scheduling(study.early_stopping, todo.ended) if study.early_stopping else None
    with ExitStack() as connected:
        with console.status(f"connecting to {address}" if address else "starting Ray"):
            shortage = connected.enter_context(session(address, study.trainer))
        if address is not None:
            check_shared(run)
        if shortage is not None:
            console.print(f"{shortage}; waiting for nodes to join", soft_wrap=True)
        data = _prepare(study, needed, compute_on_ray, console)
        _claim(run, study, todo, console, force=force)
        with _progress(study, todo, console) as progress:
            if study.search is None:
                run_on_ray(_longest_first(todo), data, run, study.trainer, progress, scheduling)
            else:
                samples = _samples(study, todo, run, progress)
                search_on_ray(samples, data, run, study.trainer, progress, scheduling)


def _claim(run: RunDirectory, study: Study, todo: _Todo, console: Console, *, force: bool) -> None:
    """Makes the directory the study's, takes trials over, and makes those that are still damaged unfinished ones.

    Raises:
        StorageError: The run directory cannot be written.
    """
    run.claim(study, clear=force)
    for reusable in todo.reusable:
        take_over(run, reusable)
    for trial_id, what in run.damages(todo.damaged).items():
        run.forget(trial_id)
        console.print(f"trial {trial_id}: {what}; it is done again", soft_wrap=True)


def _trials_here(study: Study, todo: _Todo, run: RunDirectory, progress: Progress) -> Iterable[Trial]:
    """The trials for this one process."""
    if study.search is None:
        return _longest_first(todo)
    return _samples(study, todo, run, progress).one_by_one()


def _longest_first(todo: _Todo) -> list[Trial]:
    return sorted(todo.missing, key=todo.cost, reverse=True)


def _progress(study: Study, todo: _Todo, console: Console) -> Progress:
    if study.search is not None:
        return Progress({}, {}, already_done=len(todo.ended), console=console, unknown=todo.total - len(todo.ended))
    missing = {trial.id: trial for trial in _longest_first(todo)}
    costs = {trial_id: todo.cost(trial) for trial_id, trial in missing.items()}
    return Progress(missing, costs, already_done=len(todo.ended), console=console)


def _samples(study: Study, todo: _Todo, run: RunDirectory, progress: Progress) -> Samples:
    """The samples still to do, each of which is shown when it is begun."""
    search = study.search
    assert search is not None

    def show(sample: Sample) -> None:
        progress.begin(sample.trial, label=describe_values(search, sample.values), work=todo.cost(sample.trial))

    return Samples(study, run, on_start=show)
