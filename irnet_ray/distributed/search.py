"""The samples of a search as Tune asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ray.tune.search import Searcher

from irnet_ray.distributed.assignment import to_config
from irnet_ray.errors import StorageError
from irnet_ray.study.search import Samples
from irnet_ray.study.trial import Trial


class SampleSearcher(Searcher):
    """Hands out a search's samples and tells it when they have ended.

    Args:
        samples: Those still to do.
        on_storage_failure: Called with the reason why the run directory cannot be written.
    """

    def __init__(self, samples: Samples, on_storage_failure: Callable[[str], None]) -> None:
        super().__init__()
        self._samples = samples
        self._on_storage_failure = on_storage_failure
        self._under_way: dict[str, Trial] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leaves everything out: Tune pickles its searcher to restore it, which we never do."""
        return {}

    def suggest(self, trial_id: str) -> dict[str, str] | str:
        """The configuration of the next trial, or that there is none."""
        try:
            trial = self._samples.next()
        except StorageError as error:
            self._on_storage_failure(str(error))
            trial = None
        if trial is None:
            return str(Searcher.FINISHED)
        self._under_way[trial_id] = trial
        return to_config(trial)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Lets the search learn from a trial, whose files tell what it came to."""
        try:
            self._samples.end(self._under_way.pop(trial_id).id)
        except StorageError as failure:
            self._on_storage_failure(str(failure))

    def save(self, checkpoint_path: str) -> None:
        """Does nothing, for the run directory holds all that there is to know."""

    def restore(self, checkpoint_path: str) -> None:
        """Does nothing."""
