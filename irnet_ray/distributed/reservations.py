"""Resources that are set aside for workers of Ray Train, and stay so when what asked for them has died."""

from __future__ import annotations

import time

import ray
from ray._private.state import state
from ray.core.generated.gcs_pb2 import PlacementGroupTableData
from ray.util import remove_placement_group
from ray.util.placement_group import PlacementGroup

_SECONDS = 2.0


class Reservations:
    """Frees from time to time what processes that have died had set aside.

    Ray 2.60 keeps such placement groups as long as the driver lives. What Train starts to remove them learns of them
    only once all workers have started, and dies itself where Ray ends processes for lack of memory. On a cluster that
    they fill, no trial would start any more.
    """

    def __init__(self) -> None:
        self._next = 0.0

    def free_abandoned(self) -> None:
        """Frees them, unless that was tried a moment ago."""
        if time.monotonic() < self._next:
            return
        for group in _abandoned():
            remove_placement_group(group)
        self._next = time.monotonic() + _SECONDS


def _abandoned() -> list[PlacementGroup]:
    """Placement groups of this driver's actors that have died.

    No public interface tells who asked for a placement group.
    """
    tables = state._connect_and_get_accessor().get_placement_group_table()
    groups = map(PlacementGroupTableData.FromString, tables)
    job = ray.get_runtime_context().get_job_id()
    return [
        PlacementGroup(ray.PlacementGroupID(group.placement_group_id))
        for group in groups
        if group.creator_actor_dead
        and group.state != PlacementGroupTableData.REMOVED
        and group.creator_job_id.hex() == job
        and group.creator_actor_id
        and not ray.ActorID(group.creator_actor_id).is_nil()
    ]
