"""Does a trial fit into the cluster, and how many do at a time?"""

from __future__ import annotations

import ray

from irnet_ray.errors import ConfigurationError
from irnet_ray.study.spec import Trainer


def check_room(trainer: Trainer, *, may_grow: bool) -> str | None:
    """Refuses what would wait for ever.

    Args:
        trainer: What a trial needs.
        may_grow: Whether the cluster can, as it is not of this machine alone; it is believed to where
            ``trials_at_once`` says how far.

    Returns:
        What is waited for: why a trial has no room yet in a cluster that grows.

    Raises:
        ConfigurationError: A trial, or one of its workers, fits nowhere.
    """
    shortage = _shortage(trainer)
    if shortage is None or (may_grow and trainer.trials_at_once is not None):
        return shortage
    grows = "; on a cluster that grows with its work set trainer.trials_at_once" if may_grow else ""
    raise ConfigurationError(f"{shortage}; lower it, or trainer.workers{grows}")


def slots(trainer: Trainer) -> int:
    """How many trials run at a time: as many as are asked for, else as the connected cluster has room for now."""
    if trainer.trials_at_once is not None:
        return trainer.trials_at_once
    resources = ray.cluster_resources()
    counts = [int(resources.get(name, 0) // wanted) for name, wanted in _wanted(trainer) if wanted]
    return max(1, min(counts))


def _shortage(trainer: Trainer) -> str | None:
    """Why a trial has no room in the connected cluster; ``None`` if it has."""
    resources = ray.cluster_resources()
    for name, wanted in _wanted(trainer):
        available = resources.get(name, 0)
        field, of_worker = f"trainer.{name.lower()}s_per_worker", wanted // trainer.workers
        if wanted > available:
            trial = f"a trial of {trainer.workers} x {of_worker} {name}"
            return f"{field}: {trial} does not fit into a cluster of {available:g}"
        largest = max((node["Resources"].get(name, 0) for node in ray.nodes() if node["Alive"]), default=0)
        if of_worker > largest:
            return (
                f"{field}: a worker of {of_worker} {name} does not fit into any node of the cluster, "
                f"the largest of which has {largest:g}"
            )
    return None


def _wanted(trainer: Trainer) -> tuple[tuple[str, int], tuple[str, int]]:
    return ("CPU", trainer.cpus), ("GPU", trainer.gpus)
