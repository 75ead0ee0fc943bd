"""A study from its file's content to its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from rich.console import Console

from irnet_ray.errors import RunError
from irnet_ray.study.estimate import split_sizes, work
from irnet_ray.study.execute import MatrixData, check_local
from irnet_ray.study.feature_progress import FeatureProgress
from irnet_ray.study.featurize import Compute, compute_here
from irnet_ray.study.local import run_here
from irnet_ray.study.prepare import prepare
from irnet_ray.study.progress import Progress
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Study
from irnet_ray.study.trial import Trial


def run_study(
    study: Study,
    run: RunDirectory,
    *,
    console: Console,
    address: str | None = None,
    local: bool = False,
    force: bool = False,
) -> pd.DataFrame:
    """Runs what is missing of a study.

    Nothing is written to the run directory before the study, the data and the directory are known to be good.

    Args:
        study: What to run.
        run: The directory to fill.
        console: Where to show progress.
        address: Of a running Ray cluster; ``None`` starts Ray on this machine.
        local: Runs in this one process, without Ray.
        force: Deletes what an earlier run left, and starts over.

    Returns:
        The study's results so far, as in ``results.csv``.

    Raises:
        UserError: Something that the user can mend.
    """
    trials = study.trials()
    costs = {trial.id: work(trial, rows) for trial, rows in zip(trials, split_sizes(trials), strict=True)}
    if force:
        _check_forced(run)
    else:
        run.check(study, trials)
    ended = set() if force else run.finished() | set(run.stopped())
    missing = sorted((trial for trial in trials if trial.id not in ended), key=lambda trial: -costs[trial.id])
    if not force:
        run.check_workers(missing, study.trainer)
    console.print(f"{study.run_name}: {len(trials)} trials, {len(trials) - len(missing)} done, in {run.uri}")
    if missing or force:
        progress = Progress(
            {trial.id: trial for trial in missing},
            costs,
            already_done=len(trials) - len(missing),
            console=console,
        )
        _run_missing(study, missing, run, progress, console, address=address, local=local, force=force)
    else:
        run.claim(study)
    return run.write_results(trials)


def _check_forced(run: RunDirectory) -> None:
    """Even with force only a run is deleted, not whatever else a folder holds."""
    if run.storage.names() and not run.is_run:
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
    missing: Sequence[Trial],
    run: RunDirectory,
    progress: Progress,
    console: Console,
    *,
    address: str | None,
    local: bool,
    force: bool,
) -> None:
    if local:
        check_local(study.trainer)
        data = _prepare(study, missing, compute_here, console)
        run.claim(study, clear=force)
        with progress:
            run_here(missing, data, run, study.trainer, progress)
        return
    from irnet_ray.distributed.featurize import compute_on_ray
    from irnet_ray.distributed.run import run_on_ray
    from irnet_ray.distributed.session import session

    with session(address, study.trainer):
        data = _prepare(study, missing, compute_on_ray, console)
        run.claim(study, clear=force)
        with progress:
            run_on_ray(missing, data, run, study.trainer, progress)
