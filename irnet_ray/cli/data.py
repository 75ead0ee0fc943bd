"""Commands on datasets and their attributes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from irnet_ray.cli.commands import Commands
from irnet_ray.cli.options import Style, address_option, format_option, local_option

if TYPE_CHECKING:
    from irnet_ray.study.featurize import Compute


@click.group(cls=Commands)
def data() -> None:
    """Datasets: what there is, where it comes from, and getting it."""


@data.command("list")
@format_option
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


@click.command()
@click.argument("source", metavar="DATASET|FILE|FOLDER")
@click.option("--representation", default="composition", show_default=True, help="E.g. composition+structure.")
@click.option("--property", "property_name", help="Property to write beside a catalog dataset's attributes.")
@click.option("--formula", metavar="COLUMN", help="Column of formulas in a file.")
@click.option("--structure", metavar="COLUMN", help="Column of structures in a file (POSCAR, CIF or JSON).")
@click.option("--id", metavar="COLUMN", help="Column of names in a file, to write beside the attributes.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="The Parquet file to write.")
@click.option("--fail-on-bad-rows", is_flag=True, help="Write nothing if a row fails.")
@local_option
@address_option
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
