"""Training rows as a Ray Data dataset, a block for each worker, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import ray.data
import ray.train

from irnet_ray.model.batches import shard_size, shard_start
from irnet_ray.model.rows import Rows, Selection


def training_dataset(train: Selection, workers: int) -> ray.data.Dataset:
    """Puts training rows into the object store, equal parts for all workers.

    Making and reading it runs no tasks, for which a busy cluster would have no core to spare.
    """
    tables = []
    for rank in range(workers):
        start = shard_start(len(train), workers, rank)
        part = train.select(np.arange(start, start + shard_size(len(train), workers, rank)))
        attributes = pa.FixedSizeListArray.from_arrays(pa.array(part.inputs.ravel()), part.attributes)
        tables.append(pa.table({"attributes": attributes, "target": part.target}))
    return ray.data.from_arrow(tables)


class OneBlockEach(ray.train.DataConfig):
    """Gives each worker its block, always the same one, and drops no row.

    Ray's own way of splitting hands blocks to whoever asks first, and drops the rows that cannot be shared equally.
    """

    def configure(
        self, datasets: Mapping[str, ray.data.Dataset], world_size: int, *_: Any, **__: Any
    ) -> list[dict[str, ray.data.DataIterator]]:
        """Lists the datasets of each worker."""
        parts = {name: dataset.split(world_size) for name, dataset in datasets.items()}
        return [{name: shards[rank].iterator() for name, shards in parts.items()} for rank in range(world_size)]


def read_shard(shard: ray.data.DataIterator) -> Rows:
    """Reads a worker's rows once, into one array."""
    tables = list(shard.iter_batches(batch_size=None, batch_format="pyarrow"))
    table = pa.concat_tables(tables).combine_chunks()
    attributes = table["attributes"].combine_chunks()
    inputs = attributes.flatten().to_numpy().reshape(len(table), attributes.type.list_size)
    return Rows(inputs, table["target"].to_numpy())
