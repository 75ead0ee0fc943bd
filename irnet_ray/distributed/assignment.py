"""What a process needs to do a trial, and how it tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ray

from irnet_ray.model.history import Epoch
from irnet_ray.study.lock_holder import Holder
from irnet_ray.study.spec import Trainer
from irnet_ray.study.trial import NetworkModel, Trial


@dataclass(frozen=True)
class Assignment:
    """All that a process needs to do a trial, or its part of one.

    Attributes:
        trial: What to do.
        data: Reference to the rows of the trial's matrix in Ray's object store.
        run_uri: Where to record it.
        trainer: What it runs on.
        report_seconds: Least time between two reports of how far the trial is (s).
        rungs: The epochs after which a scheduler decides whether the trial goes on.
        decisions: The actor that knows what was decided; not needed where there are no rungs.
        holder: Who holds the lock of the run's folder; a folder at the same path that says otherwise is another one.
    """

    trial: Trial
    data: Any
    run_uri: str
    trainer: Trainer
    report_seconds: float
    rungs: frozenset[int] = frozenset()
    decisions: Any = None
    holder: Holder | None = None

    @property
    def is_shared(self) -> bool:
        """Whether several workers train the trial's network together."""
        return self.trainer.workers > 1 and isinstance(self.trial.model, NetworkModel)


def to_config(trial: Trial) -> dict[str, str]:
    """A trial as Tune's configuration, in which it takes plain values only."""
    return {"trial": trial.model_dump_json()}


def from_config(config: dict[str, Any]) -> Trial:
    """Reads what ``to_config`` made."""
    return Trial.model_validate_json(config["trial"])


class Reporter:
    """Tells from time to time, and at every rung, how far a trial is, and asks at the rungs whether to go on.

    All workers of a trial report at the same epochs.

    Args:
        assignment: The trial.
        report: Sends a report to the driver.
    """

    def __init__(self, assignment: Assignment, report: Callable[[dict[str, Any]], None]) -> None:
        self._assignment = assignment
        self._report = report
        self._reported = 0.0
        self._rung: int | None = None  # the last one passed of which the decision is not known

    def __call__(self, epoch: Epoch) -> None:
        """Notes an epoch."""
        is_rung = epoch.epoch in self._assignment.rungs
        # The seconds are those of the first worker, which all know.
        if is_rung or epoch.seconds - self._reported >= self._assignment.report_seconds:
            self._report({"epoch": epoch})
            self._reported = epoch.seconds
        if is_rung:
            self._rung = epoch.epoch

    def should_stop(self) -> bool:
        """Waits for the decision where the trial has passed a rung."""
        if self._rung is None:
            return False
        rung, self._rung = self._rung, None
        return bool(ray.get(self._assignment.decisions.should_stop.remote(self._assignment.trial.id, rung)))
