"""What a person sees while a study runs: a line for each finished trial, one live line for the rest."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from irnet_ray.study.trial import Trial

_AXES = {
    "dataset": "{}",
    "property": "{}",
    "representation": "{}",
    "train_size": "{:,} rows",
    "width": "width {:g}",
    "recipe": "{}",
    "settings": "{}",
    "seed": "seed {}",
}
"""How the values of a grid's axes are written."""


class LiveLine:
    """A line at the foot of a terminal that is written anew; nothing where the output is no terminal.

    Args:
        console: Where to print.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()


class Progress(LiveLine):
    """Prints progress; plain lines where the output is no terminal.

    Args:
        trials: What is to be done, as far as it is known.
        work: Relative cost of each of them, and perhaps of others, by id; the time left follows from it.
        already_done: How many of the study's trials were done before.
        console: Where to print.
        unknown: How many trials are to be done that nobody knows yet; ``begin`` tells of each.
    """

    def __init__(
        self,
        trials: Mapping[str, Trial],
        work: Mapping[str, float],
        *,
        already_done: int,
        console: Console,
        unknown: int = 0,
    ) -> None:
        self._trials = dict(trials)
        self._work = dict(work)
        self._unknown = unknown
        self._fraction: dict[str, float] = {}
        self._work_known = sum(self._work[trial_id] for trial_id in self._trials)
        self._work_done = 0.0  # kept, as adding up thousands of trials at each event would take longer and longer
        self._epochs: dict[str, str] = {}
        self._ended = already_done
        self._total = already_done + len(trials) + unknown
        self._number_width = len(str(self._total))
        self._labels = dict(zip(trials, describe(list(trials.values())), strict=True))
        super().__init__(console)
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        return super().__enter__()

    def begin(self, trial: Trial, *, label: str, work: float) -> None:
        """Notes a trial that nobody knew, its name and its relative cost."""
        self._trials[trial.id] = trial
        self._work[trial.id] = work
        self._work_known += work
        self._labels[trial.id] = label
        self._unknown = max(0, self._unknown - 1)

    def epoch(self, trial_id: str, epoch: int, epochs: int, val_mae: float) -> None:
        """Notes how far a trial is."""
        self._reach(trial_id, epoch / epochs)
        self._epochs[trial_id] = f"{self._trials[trial_id].label} {epoch}/{epochs} val {val_mae:.4g}"
        self._refresh()

    def finished(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Prints a finished trial's line."""
        unit = f" {result['unit']}" if result["unit"] else ""
        self._end(trial_id, f"test MAE {result['test_mae']:.4f}{unit}  {duration(result['train_seconds']):>7}")

    def failed(self, trial_id: str, message: str) -> None:
        """Prints why a trial ended without a result."""
        self._end(trial_id, f"failed: {message}")

    def stopped(self, trial_id: str, reason: str) -> None:
        """Prints that a trial was stopped before its time, or cut by a limit."""
        self._end(trial_id, reason)

    def _end(self, trial_id: str, outcome: str) -> None:
        self._reach(trial_id, 1.0)
        self._epochs.pop(trial_id, None)
        self._ended += 1
        number = f"{self._ended:>{self._number_width}}/{self._total}"
        left = f"  {duration(self._seconds_left())} left" if self._ended < self._total else ""
        self._console.print(Text(f"{number}  {trial_id}  {self._labels[trial_id]}  {outcome}{left}"), soft_wrap=True)
        self._refresh()

    def _reach(self, trial_id: str, fraction: float) -> None:
        self._work_done += self._work[trial_id] * (fraction - self._fraction.get(trial_id, 0.0))
        self._fraction[trial_id] = fraction

    def _refresh(self) -> None:
        if self._live is not None:
            running = "  ".join(self._epochs.values()) or "starting"
            line = f"{running}  ({duration(self._seconds_left())} left)" if self._epochs else running
            self._live.update(Text(line, no_wrap=True, overflow="ellipsis", style="dim"), refresh=True)

    def _seconds_left(self) -> float:
        """Work left at the speed seen so far (s)."""
        total = self._work_known * (1 + self._unknown / len(self._trials)) if self._trials else 0.0
        done = self._work_done
        return (time.monotonic() - self._started) * (total - done) / done if done else 0.0


def describe(trials: Sequence[Trial]) -> list[str]:
    """Names trials by their model and by whatever differs among them, in aligned columns.

    Returns:
        For example ``"irnet-48  20,000 rows  seed 0"`` for each, all of one length.
    """
    described = [trial.describe() for trial in trials]
    columns = [[trial.label for trial in trials]]
    for axis, text in _AXES.items():
        values = [row[axis] for row in described]
        # Networks have no settings; that alone tells nothing.
        if len({value for value in values if value is not None or axis != "settings"}) > 1:
            nothing = "all rows" if axis == "train_size" else ""
            columns.append([nothing if value is None else text.format(value) for value in values])
    widths = [max(map(len, column), default=0) for column in columns]
    padded = [[f"{cell:<{width}}" for cell in column] for column, width in zip(columns, widths, strict=True)]
    return ["  ".join(cells) for cells in zip(*padded, strict=True)]


def duration(seconds: float) -> str:
    """For example ``12 s``, ``3.5 min`` or ``2.1 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
