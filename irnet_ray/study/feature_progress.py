"""What a person sees while attributes are computed: how many rows are done, how fast, and how long it takes yet."""

from __future__ import annotations

import time

from rich.console import Console
from rich.text import Text

from irnet_ray.study.progress import LiveLine, duration

_SECONDS_BETWEEN_LINES = 10.0  # where the output is no terminal


class FeatureProgress(LiveLine):
    """One live line; now and then a plain one where the output is no terminal.

    Args:
        console: Where to print.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._told = self._since = time.monotonic()
        self._first = 0

    def report(self, done: int, total: int) -> None:
        """Notes how many of the rows to compute are done."""
        now = time.monotonic()
        # The rate counts from a table's first result, not from the start of the workers.
        if not self._first or done < self._first:
            self._first, self._since = done, now
        line = rate_line(done, total, done - self._first, now - self._since)
        if self._live is not None:
            self._live.update(Text(line, style="dim"), refresh=True)
        elif now - self._told >= _SECONDS_BETWEEN_LINES:
            self._told = now
            self._console.print(line)


def rate_line(done: int, total: int, rows: int, seconds: float) -> str:
    """For example ``4,096 of 14,000 rows computed, 250 rows/s, 40 s left``.

    Args:
        done: Rows that are done.
        total: Rows to compute.
        rows: Rows that were done in the last ``seconds``.
        seconds: A time (s).
    """
    text = f"{done:,} of {total:,} rows computed"
    if not rows or not seconds:
        return text
    rate = rows / seconds
    return f"{text}, {rate:,.0f} rows/s, {duration((total - done) / rate)} left"
