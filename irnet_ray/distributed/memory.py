"""Processes that Ray ends because the memory of their node runs low."""

from __future__ import annotations

from typing import Any

from ray.air.execution._internal import RayActorManager
from ray.exceptions import OutOfMemoryError, RayActorError
from ray.tune.execution import tune_controller


class _ActorManager(RayActorManager):
    """Takes a process that Ray ended for lack of memory for one that died, and so its trial for a failed one.

    Ray 2.60 has an error of its own for that, which Tune does not expect: it would end the whole study.
    """

    def _actor_task_failed(self, tracked_actor_task: Any, exception: Exception) -> None:
        if isinstance(exception, OutOfMemoryError):
            exception = RayActorError(error_msg=f"{OutOfMemoryError.__name__}: {exception}")
        super()._actor_task_failed(tracked_actor_task, exception)


def outlive_lack_of_memory() -> None:
    """Lets studies go on when Ray ends a trial's process for lack of memory."""
    vars(tune_controller)["RayActorManager"] = _ActorManager


def is_lack_of_memory(text: str) -> bool:
    """Whether what Ray tells of the end of a process is that the memory of its node ran low."""
    return OutOfMemoryError.__name__ in text or "running low on memory" in text
