"""The user's door: ``irnet-ray``. It reads options and prints; what it calls does the work."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from irnet_ray import __version__
from irnet_ray.errors import ConfigurationError, RunError, UserError, suggestion

if TYPE_CHECKING:
    from irnet_ray.study.featurize import Compute
    from irnet_ray.study.run_directory import RunDirectory

_BY_SIGNAL = 128  # shells add the signal's number to this for a program that one ended


class Commands(click.Group):
    """A group whose commands end with one line and exit code 2 where the user can mend what is wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command."""
        with _terminating_as_ctrl_c() as came:
            try:
                return super().invoke(ctx)
            except UserError as error:
                click.echo(f"error: {error}", err=True)
                sys.exit(2)
            except KeyboardInterrupt:
                click.echo("interrupted; the same command goes on from what is kept", err=True)
                sys.exit(_BY_SIGNAL + (came[0] if came else signal.SIGINT))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Names the nearest command where there is none of that name."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"no such command '{args[0]}'{suggestion(args[0], self.commands)}")
        return super().resolve_command(ctx, args)


@contextmanager
def _terminating_as_ctrl_c() -> Iterator[list[int]]:
    """Lets SIGTERM, by which schedulers end programs, do what Ctrl-C does; gives a list that holds it if it came."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return

    def interrupt(number: int, _: object) -> None:
        came.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield came
    finally:
        signal.signal(signal.SIGTERM, before)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def main() -> None:
    """Depth studies of residual networks for materials properties."""


Style = Literal["table", "json"]
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_format_option: Decorator = click.option(
    "--format", "style", type=click.Choice(["table", "json"]), default="table", help="How to print."
)
_skip_option: Decorator = click.option(
    "--skip-bad-rows", is_flag=True, help="Drop rows whose formula cannot be used, and count them."
)
_local_option: Decorator = click.option("--local", is_flag=True, help="Work in this one process, without Ray.")
_address_option: Decorator = click.option("--address", metavar="ADDRESS", help="Of a running Ray cluster, e.g. auto.")
DEFAULT_STORAGE = "runs"
_storage_option: Decorator = click.option(
    "--storage",
    default=DEFAULT_STORAGE,
    show_default=True,
    metavar="URI",
    help="Folder, s3:// or gs:// that holds the runs.",
)
_run_argument: Decorator = click.argument("directory", metavar="RUN")


def _study_arguments(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which a study is read."""
    setting = click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a value of the study.")
    profile = click.option("--profile", metavar="NAME", help="Lay one of the study's profiles over it.")
    study_file = click.argument("study_file", metavar="STUDY", type=click.Path(path_type=Path))
    return study_file(profile(setting(function)))


@main.group(cls=Commands)
def data() -> None:
    """Datasets: what there is, where it comes from, and getting it."""


@data.command("list")
@_format_option
def list_datasets(style: Style) -> None:
    """List the catalog."""
    from irnet_ray.report.data_text import catalog_table
    from irnet_ray.report.tables import format_table

    click.echo(format_table(catalog_table(), style))


@data.command("show")
@click.argument("name")
@click.option("--curation", is_flag=True, help="Load the data, and count what each step of curation drops.")
def show_dataset(name: str, curation: bool) -> None:
    """Show a dataset's card."""
    from irnet_ray.data.load import load
    from irnet_ray.report.data_text import card_text

    click.echo(card_text(name))
    if curation:
        from irnet_ray.data.catalog import card

        click.echo(f"\n{load(name, next(iter(card(name).properties))).report}")


@data.command("fetch")
@click.argument("name")
def fetch_dataset(name: str) -> None:
    """Download a dataset, and verify it."""
    from irnet_ray.data.load import fetch

    click.echo(f"{name}: {fetch(name)}")


@main.command()
@click.argument("source", metavar="DATASET|FILE|FOLDER")
@click.option("--representation", default="composition", show_default=True, help="E.g. composition+structure.")
@click.option("--property", "property_name", help="Property to write beside a catalog dataset's attributes.")
@click.option("--formula", metavar="COLUMN", help="Column of formulas in a file.")
@click.option("--structure", metavar="COLUMN", help="Column of structures in a file (POSCAR, CIF or JSON).")
@click.option("--id", metavar="COLUMN", help="Column of names in a file, to write beside the attributes.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="The Parquet file to write.")
@click.option("--fail-on-bad-rows", is_flag=True, help="Write nothing if a row fails.")
@_local_option
@_address_option
def featurize(
    source: str,
    formula: str | None,
    structure: str | None,
    id: str | None,  # noqa: A002 -- the option's name
    local: bool,
    address: str | None,
    **options: Any,
) -> None:
    """Turn formulas or structures into attributes, in a Parquet file.

    Rows that fail are written to a side table with the reason. What has been computed is kept: the same
    command goes on where it stopped, and new rows cost only their own time.
    """
    from rich.console import Console

    from irnet_ray.study.feature_progress import FeatureProgress
    from irnet_ray.study.feature_table import FileColumns, write_feature_table

    columns = FileColumns(formula, structure, id)
    with FeatureProgress(Console(stderr=True, highlight=False)) as progress:
        table = write_feature_table(
            source, compute=_compute(local, address), columns=columns, report=progress.report, **options
        )
    click.echo(str(table))


def _compute(local: bool, address: str | None) -> Compute:
    if local:
        from irnet_ray.study.featurize import compute_here

        return compute_here
    from irnet_ray.distributed.featurize import compute_with_session

    return compute_with_session(address)


@main.command()
@_study_arguments
@_storage_option
@_format_option
def plan(study_file: Path, profile: str | None, settings: tuple[str, ...], storage: str, style: Style) -> None:
    """Print a study's trials and what they will cost, before anything starts."""
    from irnet_ray.report.plan_text import plan_text
    from irnet_ray.study.read import read_study
    from irnet_ray.study.run_directory import RunDirectory

    study = read_study(study_file, profile, settings)
    click.echo(plan_text(study, RunDirectory(f"{storage}/{study.run_name}"), style))


@main.command()
@_study_arguments
@_storage_option
@_address_option
@_local_option
@_skip_option
@click.option("--force", is_flag=True, help="Delete what an earlier run left, and start over.")
def run(
    study_file: Path,
    profile: str | None,
    settings: tuple[str, ...],
    storage: str,
    skip_bad_rows: bool,
    **options: Any,
) -> None:
    """Run what is missing of a study, and write its report."""
    from rich.console import Console

    from irnet_ray.distributed.launch import run_study
    from irnet_ray.study.read import read_study
    from irnet_ray.study.run_directory import RunDirectory
    from irnet_ray.study.run_trials import trials_of_run

    also = ("skip_bad_rows=true",) if skip_bad_rows else ()
    study = read_study(study_file, profile, (*settings, *also))
    directory = RunDirectory(f"{storage}/{study.run_name}")
    results = run_study(study, directory, console=Console(highlight=False), **options)
    if not results.empty:
        chosen = ["--profile", profile] if profile else []
        elsewhere = ["--storage", storage] if storage != DEFAULT_STORAGE else []
        set_to = [part for each in (*settings, *also) for part in ("--set", each)]
        _print_report(directory, [str(study_file), *chosen, *elsewhere, *set_to])
    if failures := directory.failures(trials_of_run(directory)):
        raise RunError(f"{len(failures)} trials failed; see 'irnet-ray status {directory.uri}'")


@main.command()
@_run_argument
@_format_option
def status(directory: str, style: Style) -> None:
    """Print how far each trial of a run is."""
    from irnet_ray.report.status_text import status_table
    from irnet_ray.report.tables import format_table
    from irnet_ray.study.run_directory import RunDirectory

    click.echo(format_table(status_table(RunDirectory(directory)), style))


@main.command()
@_run_argument
def report(directory: str) -> None:
    """Write a run's report again from its files."""
    from irnet_ray.study.run_directory import RunDirectory
    from irnet_ray.study.run_trials import trials_of_run

    opened = RunDirectory(directory)
    trials = trials_of_run(opened)
    if not opened.results(trials).empty:
        opened.write_results(trials)
    _print_report(opened)


@main.command()
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


@main.group(cls=Commands)
def cluster() -> None:
    """Clusters of several machines."""


@cluster.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def check_cluster(file: Path) -> None:
    """Say what is unfinished, unsafe, unpinned or costly in a file for ray up or KubeRay, offline."""
    from irnet_ray.distributed.cluster.check import check_cluster_file

    remarks = check_cluster_file(file)
    for remark in remarks:
        click.echo(str(remark))
    if remarks:
        raise ConfigurationError(f"{file}: {len(remarks)} to mend, see above")
    click.echo(f"{file}: complete, safe, pinned and thrifty, as far as can be told offline")


@main.command()
@_run_argument
@click.option("--port", default=6006, show_default=True, help="Of the page.")
def monitor(directory: str, port: int) -> None:
    """Show a run's learning curves in TensorBoard."""
    from irnet_ray.study.event_log import FOLDER
    from irnet_ray.study.run_directory import RunDirectory

    run = RunDirectory(directory)
    run.study()
    program = shutil.which("tensorboard", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if program is None:
        raise RunError("tensorboard is not installed; 'pip install tensorboard'")
    os.execv(program, [program, "--logdir", f"{run.uri}/{FOLDER}", "--port", str(port)])
