"""Attributes through Ray Data: one task streams the source, the others compute, the driver stores.

A row of the Ray dataset is a unit of work: some dozens of structures or some thousands of formulas. The
source is read on the driver's node only, and the store written there, so neither has to be shared.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import ray
from ray.data.block import BlockMetadata
from ray.data.datasource import Datasource, ReadTask
from ray.exceptions import RayTaskError

from irnet_ray.distributed.session import featurize_session
from irnet_ray.errors import UserError
from irnet_ray.features.featurizers import Featurized, Featurizer, text_array
from irnet_ray.study.featurize import Compute, Unit, Work, compute_here

_SECONDS_WORTH_STARTING_RAY = 10.0  # of one core; about twice what a start of Ray takes


def compute_with_session(address: str | None) -> Compute:
    """Gives a way to compute attributes that connects to Ray at its first use.

    Mistakes are told before Ray is started, and where little is missing it is not started at all.

    Args:
        address: Of a running cluster; ``None`` starts Ray on this machine.
    """

    def compute(work: Work) -> Iterator[tuple[pa.FixedSizeBinaryArray, Featurized]]:
        if address is None and len(work) * work.featurizer.seconds_a_row < _SECONDS_WORTH_STARTING_RAY:
            yield from compute_here(work)
            return
        with featurize_session(address):
            yield from compute_on_ray(work)

    return compute


def compute_on_ray(work: Work) -> Iterator[tuple[pa.FixedSizeBinaryArray, Featurized]]:
    """Computes on all cores of the connected cluster, and yields results in the order of the source.

    Memory stays bounded: Ray Data reads on only as fast as results are taken.

    Raises:
        UserError: The source cannot be read.
    """
    with ray.data.DataContext.current(_context()):
        here = {"ray.io/node-id": ray.get_runtime_context().get_node_id()}
        units = ray.data.read_datasource(
            _Units(work), num_cpus=0, concurrency=1, label_selector=here, override_num_blocks=1
        )
        results = units.map_batches(
            _compute, batch_size=None, batch_format="pyarrow", fn_kwargs={"featurizer": work.featurizer}
        )
        try:
            for block in results.iter_batches(batch_size=None, batch_format="pyarrow"):
                yield _unpack(block, len(work.featurizer.labels))
        except RayTaskError as error:
            if isinstance(error.cause, UserError):
                raise error.cause from None
            raise


def _context() -> ray.data.DataContext:
    context = copy.copy(ray.data.DataContext.get_current())
    context.enable_progress_bars = False
    context.raise_original_map_exception = True  # so that our own errors can be told from defects
    context.execution_options = ray.data.ExecutionOptions(preserve_order=True)  # read back quickest
    context.target_max_block_size = 1  # every unit is a block, and so a task, of its own
    return context


class _Units(Datasource):
    """The units of a work as blocks of one row."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self._work = ray.put(work)

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(self, parallelism: int, **_: Any) -> list[ReadTask]:
        work = self._work

        def read() -> Iterator[pa.Table]:
            for unit in ray.get(work).units():
                yield _one_row({"keys": unit.keys, "texts": pa.array(unit.texts), "form": pa.array([unit.form])})

        metadata = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        return [ReadTask(read, metadata)]


def _compute(block: pa.Table, featurizer: Featurizer) -> pa.Table:
    """Computes the unit that a block holds."""
    keys, texts, form = (block.column(name)[0].values for name in ("keys", "texts", "form"))
    unit = Unit(keys, texts.to_pylist(), form[0].as_py())
    computed = featurizer.compute(unit.texts, unit.form)
    return _one_row(
        {
            "keys": unit.keys,
            "formulas": pa.array(computed.formulas, type=pa.string()),
            "failures": pa.array(computed.failures, type=pa.string()),
            "values": pa.array(computed.values.ravel()),
        }
    )


def _unpack(block: pa.Table, labels: int) -> tuple[pa.FixedSizeBinaryArray, Featurized]:
    keys, formulas, failures, values = (
        block.column(name)[0].values for name in ("keys", "formulas", "failures", "values")
    )
    matrix = values.to_numpy().reshape(len(keys), labels)
    return keys, Featurized(text_array(formulas.to_pylist()), matrix, text_array(failures.to_pylist()))


def _one_row(columns: dict[str, pa.Array]) -> pa.Table:
    """A table of one row, with each array as a list in it."""
    lists = [pa.LargeListArray.from_arrays(np.array([0, len(array)]), array) for array in columns.values()]
    return pa.table(lists, names=list(columns))
