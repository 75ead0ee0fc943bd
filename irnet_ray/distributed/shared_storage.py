"""Every node of a cluster must see the run directory."""

from __future__ import annotations

import socket

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from irnet_ray.errors import StorageError
from irnet_ray.study.lock_holder import LOCK, Holder, holder_of
from irnet_ray.study.run_directory import RunDirectory

_SECONDS = 120.0  # for a new process on each node


def check_shared(run: RunDirectory) -> None:
    """Refuses a run directory that a node does not see, before anything is computed for it.

    Args:
        run: A directory that this process has locked.

    Raises:
        StorageError: Names the nodes.
    """
    if run.storage.local_path is None:
        return
    holder = holder_on_disk(run)
    nodes = {node["NodeID"]: node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]}
    read_holder = ray.remote(num_cpus=0)(_read_holder)
    reads = {node: read_holder.options(scheduling_strategy=_on(node)).remote(run.uri) for node in nodes}
    blind = [nodes[node] for node, read in reads.items() if holder is None or _result(read) != holder]
    if blind:
        raise _unseen(run.uri, blind)


def holder_on_disk(run: RunDirectory) -> Holder | None:
    """Who holds the lock of a run directory; ``None`` where it is in a bucket, which is the same for all nodes."""
    return holder_of(run.storage.read(LOCK)) if run.storage.local_path is not None else None


def check_seen(run: RunDirectory, holder: Holder | None) -> None:
    """Refuses a run directory that this node does not see; it may have joined the cluster after the start.

    Args:
        run: What is at the run's path here, an old copy perhaps, which must not be taken for it.
        holder: Who holds the run's lock; ``None`` if that cannot be told.

    Raises:
        StorageError: Names the node.
    """
    if not run.is_run or (holder is not None and holder_on_disk(run) != holder):
        raise _unseen(run.uri, [socket.gethostname()])


def _on(node: str) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node, soft=False)


def _read_holder(uri: str) -> Holder | None:
    return holder_on_disk(RunDirectory(uri))


def _result(read: ray.ObjectRef[Holder | None]) -> Holder | None:
    try:
        found: Holder | None = ray.get(read, timeout=_SECONDS)
    except (RayError, StorageError):  # the node died, or may not read
        return None
    return found


def _unseen(uri: str, hosts: list[str]) -> StorageError:
    return StorageError(
        f"--storage: {', '.join(sorted(hosts))} cannot see '{uri}'; give a folder that all nodes share, "
        "or a bucket (s3://, gs://)"
    )
