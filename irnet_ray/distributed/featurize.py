"""Features through Ray Data: the parts that a cache misses, one task each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa
import ray
from ray.exceptions import RayTaskError

from irnet_ray.distributed.session import session
from irnet_ray.errors import UserError
from irnet_ray.features.cache import FeatureCache, Part, compute_part
from irnet_ray.study.prepare import ComputeMissing
from irnet_ray.study.spec import Trainer


@contextmanager
def feature_computer(address: str | None) -> Iterator[ComputeMissing]:
    """Gives the way to compute features on Ray, and disconnects at the end.

    It connects only if there is something to compute, so that mistakes are told before Ray is started.

    Args:
        address: Of a running cluster; ``None`` starts Ray on this machine.
    """
    with ExitStack() as stack:

        def compute(cache: FeatureCache) -> None:
            if cache.missing():
                stack.enter_context(session(address, Trainer()))
                compute_missing(cache)

        yield compute


def compute_missing(cache: FeatureCache) -> None:
    """Computes missing features on all cores of the connected cluster.

    Args:
        cache: Its folder must be one that every node reaches.

    Raises:
        StorageError: A part cannot be written.
    """
    parts = cache.missing()
    if not parts:
        return
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.raise_original_map_exception = True  # so that our own errors can be told from defects
    blocks = [
        pa.table({"start": [part.start] * len(part.formulas), "formula": part.formulas}) for part in cache.missing()
    ]
    dataset = ray.data.from_arrow(blocks).map_batches(
        _compute,
        batch_size=None,
        batch_format="pyarrow",
        fn_kwargs={"folder": str(cache.folder), "name": cache.name},
    )
    try:
        dataset.materialize()
    except RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise error.cause from None
        raise


def _compute(block: pa.Table, folder: str, name: str) -> pa.Table:
    """Computes the part that a block describes; what goes back is its size only."""
    part = Part(block.column("start")[0].as_py(), block.column("formula").to_pylist())
    compute_part(Path(folder), name, part)
    return block.select(["start"]).slice(0, 1)
