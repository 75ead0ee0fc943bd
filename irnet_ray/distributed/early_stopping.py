"""Poor trials end early by Tune's ASHA, which here only decides: a trial that is to end does so by itself.

Tune must not stop trials: of one that Ray Train trains it would never release the workers (Ray issue 54305), and
in one whose process is used again it would leave a waiting thread behind.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import ray
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, TrialScheduler

from irnet_ray.distributed.assignment import from_config
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.space import EarlyStopping
from irnet_ray.study.trial import NetworkModel, Trial, canonical_json

NAME = "ASHA"

_PATIENCE = 60.0  # after so long without a decision a trial goes on (s)


class Decisions:
    """What was decided of each trial at each rung; an actor that the scheduler tells and the trials ask."""

    def __init__(self) -> None:
        self._decided: defaultdict[tuple[str, int], asyncio.Event] = defaultdict(asyncio.Event)
        self._to_stop: set[tuple[str, int]] = set()

    async def decide(self, trial_id: str, epoch: int, *, stop: bool) -> None:
        """Notes a decision."""
        if stop:
            self._to_stop.add((trial_id, epoch))
        self._decided[trial_id, epoch].set()

    async def should_stop(self, trial_id: str, epoch: int) -> bool:
        """Waits for a decision."""
        try:
            await asyncio.wait_for(self._decided[trial_id, epoch].wait(), _PATIENCE)
        except TimeoutError:
            return False
        return (trial_id, epoch) in self._to_stop


def start_decisions() -> Any:
    """Starts the actor, which needs no core."""
    return ray.remote(num_cpus=0)(Decisions).remote()


class AshaOfEachGroup(FIFOScheduler):
    """Compares trials by ASHA with those that they can be compared with, and tells them what it decides.

    Validation errors compare where dataset, property, split and number of training rows are the same, and epochs where
    as many of them are to come, for learning rates follow a schedule. Classical learning is never stopped.

    Args:
        settings: Rungs and share of the trials that go on.
        decisions: Where the trials ask.
    """

    def __init__(self, settings: EarlyStopping, decisions: Any) -> None:
        super().__init__()
        self._settings = settings
        self._decisions = decisions
        self._groups: dict[str, AsyncHyperBandScheduler] = {}

    def learn(self, run: RunDirectory, trials: Iterable[Trial]) -> None:
        """Lets trials that ended in an earlier run count in the comparison."""
        for trial in trials:
            asha, ended = self._group(trial), _Ended(trial.id)
            if asha is None:
                continue
            asha.on_trial_add(None, ended)
            for epoch, error in run.history(trial.id)[["epoch", "val_mae"]].itertuples(index=False):
                asha.on_trial_result(None, ended, {"epoch": int(epoch), "val_mae": float(error)})

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Enters a trial into its group."""
        asha = self._group(from_config(trial.config))
        if asha is not None:
            asha.on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Decides at a rung; to Tune it always says that the trial goes on."""
        known = from_config(trial.config)
        asha, epoch = self._group(known), result.get("epoch")
        if asha is not None and epoch is not None and epoch.epoch in rungs_of(known, self._settings):
            action = asha.on_trial_result(tune_controller, trial, {"epoch": epoch.epoch, "val_mae": epoch.val_mae})
            self._decisions.decide.remote(known.id, epoch.epoch, stop=action == TrialScheduler.STOP)
        return str(TrialScheduler.CONTINUE)

    def _group(self, trial: Trial) -> AsyncHyperBandScheduler | None:
        """The ASHA of a trial's group; none where it cannot be stopped."""
        if not isinstance(trial.model, NetworkModel) or not rungs_of(trial, self._settings):
            return None
        epochs = trial.model.recipe.epochs
        group = group_of(trial)
        if group not in self._groups:
            self._groups[group] = AsyncHyperBandScheduler(
                time_attr="epoch",
                metric="val_mae",
                mode="min",
                max_t=epochs - 1,  # whoever has done all epochs is finished, not stopped
                grace_period=self._settings.grace_epochs,
                reduction_factor=self._settings.reduction_factor,
                stop_last_trials=False,
            )
        return self._groups[group]


class _Ended:
    """A trial of an earlier run, as far as ASHA looks at it."""

    def __init__(self, trial_id: str) -> None:
        self.trial_id = trial_id


def rungs_of(trial: Trial, settings: EarlyStopping | None) -> frozenset[int]:
    """The epochs after which a trial may be stopped."""
    if settings is None or not isinstance(trial.model, NetworkModel):
        return frozenset()
    return settings.rungs(trial.model.recipe.epochs)


def group_of(trial: Trial) -> str:
    """Trials with the same answer are compared; representation and model are what they are compared in."""
    assert isinstance(trial.model, NetworkModel)
    matrix = trial.matrix.model_copy(update={"representation": ""})
    split = trial.split.model_dump(mode="json")
    return canonical_json([matrix.canonical(), split, trial.train_size, trial.model.recipe.epochs])
