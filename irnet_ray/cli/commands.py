"""How commands end where the user can mend what is wrong, and how they are interrupted."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from irnet_ray.errors import UserError, suggestion

BY_SIGNAL = 128
"""Shells add to it the number of the signal that ended a program."""


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
                sys.exit(BY_SIGNAL + (came[0] if came else signal.SIGINT))

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
