"""From rows to attributes: what is in the store already, what is computed, and reading the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from irnet_ray.cache import VARIABLE, Cache
from irnet_ray.data.load import Materials
from irnet_ray.data.sources.rows import RowBatch
from irnet_ray.errors import ConfigurationError, DataError, StorageError
from irnet_ray.features.featurizers import Featurized, Featurizer
from irnet_ray.features.representation import assemble, featurizer, needs_structures
from irnet_ray.features.store import AttributeStore, PartWriter, row_keys
from irnet_ray.formula import FORMULA_FORM, IntArray

ROWS_AT_A_TIME = 4_096
"""How many rows are read from a source and from the store at a time."""

_ATTEMPTS = 3
_CHANGED = "the source changed while it was read; start again when nobody writes to it"


class RowStream(Protocol):
    """Rows as they are written, which can be read several times and in several places."""

    @property
    def form(self) -> str:
        """How they are written: ``formula``, or a form of structures."""
        ...

    def batches(self, rows: int) -> Iterator[RowBatch]:
        """Yields all rows in their order, so many at a time."""
        ...


@dataclass(frozen=True)
class RowsInMemory:
    """Rows that have been read already.

    Attributes:
        form: How they are written.
        texts: The rows.
    """

    form: str
    texts: Sequence[str]

    def batches(self, rows: int) -> Iterator[RowBatch]:
        """Yields all rows in their order, so many at a time."""
        for start in range(0, len(self.texts), rows):
            yield RowBatch(start + 1, None, list(self.texts[start : start + rows]))


def rows_of(materials: Materials, representation: str) -> RowsInMemory:
    """The rows of a dataset that a representation is computed from: its structures if need be, else its formulas.

    Raises:
        ConfigurationError: It has no structures.
    """
    if not needs_structures(representation):
        return RowsInMemory(FORMULA_FORM, materials.formulas)
    if materials.structures is None:
        raise ConfigurationError(
            f"dataset '{materials.name}' has no structures, which '{representation}' needs; "
            "choose another, or the representation composition"
        )
    return RowsInMemory(materials.structures.form, materials.structures.texts)


@dataclass(frozen=True)
class Unit:
    """Rows that are computed in one go.

    Attributes:
        keys: Under which the store keeps them.
        texts: The rows.
        form: How they are written.
    """

    keys: pa.FixedSizeBinaryArray
    texts: list[str]
    form: str


@dataclass(frozen=True)
class Work:
    """Rows whose attributes are missing.

    Attributes:
        rows: The stream that holds them.
        featurizer: What computes them.
        positions: Which rows of the stream, from 0, rising.
    """

    rows: RowStream
    featurizer: Featurizer
    positions: IntArray

    def __len__(self) -> int:
        return len(self.positions)

    def units(self) -> Iterator[Unit]:
        """Reads the rows again and yields them in units."""
        rows_at_a_time = self.featurizer.rows_at_a_time
        waiting: list[str] = []
        start = 0
        for batch in self.rows.batches(ROWS_AT_A_TIME):
            stop = start + len(batch.texts)
            first, last = np.searchsorted(self.positions, [start, stop])
            waiting += [batch.texts[position - start] for position in self.positions[first:last]]
            while len(waiting) >= rows_at_a_time:
                yield self._unit(waiting[:rows_at_a_time])
                waiting = waiting[rows_at_a_time:]
            start = stop
        if waiting:
            yield self._unit(waiting)

    def _unit(self, texts: list[str]) -> Unit:
        return Unit(row_keys(texts, self.rows.form), texts, self.rows.form)


Compute = Callable[[Work], Iterator[tuple[pa.FixedSizeBinaryArray, Featurized]]]
"""Computes what is missing, and yields keys and attributes as they come."""

Report = Callable[[int, int], None]
"""Is told the number of rows that are done and that of all rows to compute."""


def compute_here(work: Work) -> Iterator[tuple[pa.FixedSizeBinaryArray, Featurized]]:
    """Computes in this process."""
    for unit in work.units():
        yield unit.keys, work.featurizer.compute(unit.texts, unit.form)


@dataclass(frozen=True)
class StoredRows:
    """The attributes of all rows of a stream, read from the store.

    Attributes:
        representation: Which attributes.
        computed: How many rows were computed; the others were in the store already.
    """

    representation: str
    computed: int
    _store: AttributeStore
    _rows: RowStream
    _keys: pa.FixedSizeBinaryArray
    _places: IntArray

    def __len__(self) -> int:
        return len(self._places)

    def read(self, start: int, stop: int) -> Featurized:
        """Reads the attributes of rows ``start`` to ``stop``, counted from 0, the last one excluded."""
        return assemble(self.representation, self._store.read(self._places[start:stop]))

    def read_batch(self, start: int, texts: Sequence[str]) -> Featurized:
        """Reads the attributes of rows that have been read again.

        Args:
            start: Number of the first row, from 0.
            texts: The rows, which must be what they were.

        Raises:
            DataError: The source changed meanwhile.
        """
        stop = start + len(texts)
        if not row_keys(texts, self._rows.form).equals(self._keys[start:stop]):
            raise DataError(_CHANGED)
        return self.read(start, stop)

    def check_end(self, rows: int) -> None:
        """Checks that so many rows are all that there were.

        Raises:
            DataError: The source has become shorter.
        """
        if rows != len(self):
            raise DataError(_CHANGED)


def featurize_rows(
    rows: RowStream, representation: str, cache: Cache, compute: Compute, report: Report = lambda done, total: None
) -> StoredRows:
    """Makes sure that the store holds the attributes of all rows.

    What has been computed is kept even if this is interrupted.

    Args:
        rows: The rows.
        representation: Which attributes.
        cache: Where attributes are kept.
        compute: How missing rows are computed: in this process, or by Ray Data.
        report: Is told the progress.

    Raises:
        DataError: The source changed while it was read.
        StorageError: The store cannot be read or written, or does not keep what is written.
    """
    kept, keys, computed = featurizer(representation), _keys(rows), 0
    for _ in range(_ATTEMPTS):
        store = AttributeStore(cache, kept)
        work = Work(rows, kept, _first_of_each(keys, store.locate(keys) < 0))
        if len(work):
            _fill(store, work, compute, report)
            computed += len(work)
            store = AttributeStore(cache, kept)
        places = store.locate(keys)
        if (places < 0).any():
            raise DataError(_CHANGED)
        if not store.discard_damaged(places):
            return StoredRows(representation, computed, store, rows, keys, places)
    raise StorageError(f"'{cache.storage.uri}' does not keep what is written; set {VARIABLE} to a sound disk")


def _keys(rows: RowStream) -> pa.FixedSizeBinaryArray:
    chunks = [row_keys(batch.texts, rows.form) for batch in rows.batches(ROWS_AT_A_TIME)]
    return pa.concat_arrays(chunks) if chunks else row_keys([], rows.form)


def _first_of_each(keys: pa.FixedSizeBinaryArray, wanted: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> IntArray:
    """Positions of the wanted keys, equal ones only once."""
    positions = np.flatnonzero(wanted)
    codes = pc.dictionary_encode(keys.take(pa.array(positions))).indices.to_numpy()
    first: IntArray = positions[np.unique(codes, return_index=True)[1]]
    return np.sort(first)


def _fill(store: AttributeStore, work: Work, compute: Compute, report: Report) -> None:
    done = 0
    report(done, len(work))
    with PartWriter(store) as writer:
        for keys, computed in compute(work):
            writer.append(keys, computed)
            done += len(computed)
            report(done, len(work))
