"""The user's door: ``irnet-ray``. It reads options and prints; what it calls does the work."""

from __future__ import annotations

import click

from irnet_ray import __version__
from irnet_ray.cli.cluster import cluster, submit
from irnet_ray.cli.commands import Commands
from irnet_ray.cli.data import data, featurize
from irnet_ray.cli.study import advise, monitor, plan, report, run, status


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def main() -> None:
    """Depth studies of residual networks for materials properties."""


for each in (data, featurize, plan, run, status, report, advise, monitor, submit, cluster):
    main.add_command(each)
