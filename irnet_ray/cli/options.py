"""Options and arguments that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import click

Style = Literal["table", "json"]
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

format_option: Decorator = click.option(
    "--format", "style", type=click.Choice(["table", "json"]), default="table", help="How to print."
)
skip_option: Decorator = click.option(
    "--skip-bad-rows", is_flag=True, help="Drop rows whose formula cannot be used, and count them."
)
local_option: Decorator = click.option("--local", is_flag=True, help="Work in this one process, without Ray.")
address_option: Decorator = click.option("--address", metavar="ADDRESS", help="Of a running Ray cluster, e.g. auto.")
DEFAULT_STORAGE = "runs"
storage_option: Decorator = click.option(
    "--storage",
    default=DEFAULT_STORAGE,
    show_default=True,
    metavar="URI",
    help="Folder, s3:// or gs:// that holds the runs.",
)
run_argument: Decorator = click.argument("directory", metavar="RUN")


def study_arguments(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which a study is read."""
    setting = click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a value of the study.")
    profile = click.option("--profile", metavar="NAME", help="Lay one of the study's profiles over it.")
    study_file = click.argument("study_file", metavar="STUDY", type=click.Path(path_type=Path))
    return study_file(profile(setting(function)))
