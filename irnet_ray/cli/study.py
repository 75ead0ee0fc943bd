"""Commands on studies and runs."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irnet_ray.cli.options import (
    DEFAULT_STORAGE,
    Style,
    address_option,
    format_option,
    local_option,
    run_argument,
    skip_option,
    storage_option,
    study_arguments,
)
from irnet_ray.errors import RunError

if TYPE_CHECKING:
    import pandas as pd

    from irnet_ray.study.run_directory import RunDirectory

_READERS_OF_BUCKETS = {"s3": "boto3", "gs": "gcsfs"}  # that TensorBoard takes


@click.command()
@study_arguments
@storage_option
@format_option
def plan(study_file: Path, profile: str | None, settings: tuple[str, ...], storage: str, style: Style) -> None:
    """Print a study's trials and what they will cost, before anything starts."""
    from irnet_ray.report.plan_text import plan_text
    from irnet_ray.storage import join
    from irnet_ray.study.read import read_study
    from irnet_ray.study.run_directory import RunDirectory

    study = read_study(study_file, profile, settings)
    click.echo(plan_text(study, RunDirectory(join(storage, study.run_name)), style))


@click.command()
@study_arguments
@storage_option
@address_option
@local_option
@skip_option
@click.option("--force", is_flag=True, help="Delete what an earlier run left, and start over.")
@click.option("--reuse", multiple=True, metavar="RUN", help="Take over what this other run has done of the study.")
def run(
    study_file: Path,
    profile: str | None,
    settings: tuple[str, ...],
    storage: str,
    skip_bad_rows: bool,
    reuse: tuple[str, ...],
    **options: Any,
) -> None:
    """Run what is missing of a study, and write its report."""
    from rich.console import Console

    from irnet_ray.distributed.launch import run_study
    from irnet_ray.storage import PATIENCE_SECONDS, join
    from irnet_ray.study.read import read_study
    from irnet_ray.study.run_directory import RunDirectory
    from irnet_ray.study.run_trials import trials_of_run

    also = ("skip_bad_rows=true",) if skip_bad_rows else ()
    study = read_study(study_file, profile, (*settings, *also))
    directory = RunDirectory(join(storage, study.run_name))
    patient = RunDirectory(directory.uri, PATIENCE_SECONDS)  # a night's work does not end in a hiccup of its storage

    def finish(results: pd.DataFrame) -> None:
        if results.empty:
            return
        chosen = ["--profile", profile] if profile else []
        elsewhere = ["--storage", storage] if storage != DEFAULT_STORAGE else []
        set_to = [part for each in (*settings, *also) for part in ("--set", each)]
        _print_report(patient, [str(study_file), *chosen, *elsewhere, *set_to])

    others = [RunDirectory(each, PATIENCE_SECONDS) for each in reuse]
    run_study(study, directory, console=Console(highlight=False), reuse=others, finish=finish, **options)
    if failures := patient.failures(trials_of_run(patient)):
        raise RunError(f"{len(failures)} trials failed; see 'irnet-ray status {directory.uri}'")


@click.command()
@run_argument
@format_option
def status(directory: str, style: Style) -> None:
    """Print how far each trial of a run is."""
    from irnet_ray.report.status_text import status_table
    from irnet_ray.report.tables import format_table
    from irnet_ray.study.run_directory import RunDirectory

    click.echo(format_table(status_table(RunDirectory(directory)), style))


@click.command()
@run_argument
def report(directory: str) -> None:
    """Write a run's report again from its files."""
    from irnet_ray.study.run_directory import RunDirectory
    from irnet_ray.study.run_trials import trials_of_run

    opened = RunDirectory(directory)
    trials = trials_of_run(opened)
    if not opened.results(trials).empty:
        opened.write_results(trials)
    _print_report(opened)


@click.command()
@click.option("--rows", type=click.IntRange(min=10), required=True, help="Training rows that you have.")
@click.option("--run", "directory", required=True, metavar="RUN", help="Of studies/data_size.yaml, for example.")
def advise(rows: int, directory: str) -> None:
    """Say how deep a network to take with so many rows, and what twice the data would buy."""
    from irnet_ray.report import advice
    from irnet_ray.study.run_directory import RunDirectory

    click.echo(advice.advise(RunDirectory(directory), rows))


def _print_report(directory: RunDirectory, arguments: Sequence[str] = ("STUDY",)) -> None:
    """Writes the page, and prints the errors of a grid, or what a search has found."""
    from irnet_ray.report.page import build_report
    from irnet_ray.report.search_text import best_text
    from irnet_ray.report.tables import error_pivot, format_table
    from irnet_ray.study.run_trials import trials_of_run

    page = build_report(directory)
    study = directory.study()
    if study.search is not None:
        found = best_text(directory, study, arguments)
    else:
        found = format_table(error_pivot(directory.results(trials_of_run(directory))), "table")
    click.echo(f"\n{found}\n\nreport: {page}")


@click.command()
@run_argument
@click.option("--port", default=6006, show_default=True, help="Of the page.")
def monitor(directory: str, port: int) -> None:
    """Show a run's learning curves in TensorBoard."""
    from irnet_ray.storage import join
    from irnet_ray.study.event_log import FOLDER
    from irnet_ray.study.run_directory import RunDirectory

    run = RunDirectory(directory)
    run.study()
    scheme, _, rest = run.uri.partition("://")
    reader = _READERS_OF_BUCKETS.get(scheme) if rest else None
    if reader is not None and importlib.util.find_spec(reader) is None:
        raise RunError(f"'{run.uri}': TensorBoard reads {scheme}:// by {reader}; 'pip install {reader}'")
    program = shutil.which("tensorboard", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if program is None:
        raise RunError("tensorboard is not installed; 'pip install tensorboard'")
    os.execv(program, [program, "--logdir", join(run.uri, FOLDER), "--port", str(port)])
