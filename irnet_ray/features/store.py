"""Computed attributes on disk: each row under a key of its own, in Parquet parts that are written whole.

The key is a digest of the row as it is written, the folder's name one of the featurizer's version. What
has been computed once, in whatever dataset, is therefore found again, and only new rows are computed. A part's name
has a digest of its content: one that is not what was written is deleted, and its rows are computed again.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from irnet_ray.cache import Cache
from irnet_ray.errors import StorageError
from irnet_ray.features.featurizers import Featurized, Featurizer, text_array
from irnet_ray.formula import IntArray
from irnet_ray.storage import join

ROWS_A_PART = 8_192
SECONDS_A_PART = 10.0
"""A part is written when it has so many rows or its first row so many seconds, whichever comes first."""

_KEY_BYTES = 16
_KEY = pa.binary(_KEY_BYTES)
_PARTS_IN_MEMORY = 8
_READERS = 8  # files at a time, for storages that are far away
_FORMAT = "sealed"  # of the parts
_COMPUTED_BY = ("matminer", "pymatgen", "pyvoro2")  # the packages whose numbers ours depend on


def row_keys(texts: Sequence[str], form: str) -> pa.FixedSizeBinaryArray:
    """Digests of rows as they are written.

    Args:
        texts: Of ``n`` rows.
        form: How they are written; the same text in another form is another row.
    """
    seed = hashlib.blake2b(form.encode() + b"\0", digest_size=_KEY_BYTES)
    digests = []
    for text in texts:
        digest = seed.copy()
        digest.update(text.encode("utf-8", "surrogatepass"))
        digests.append(digest.digest())
    return pa.array(digests, type=_KEY)


@dataclass(frozen=True)
class _Part:
    path: str
    start: int
    rows: int


class AttributeStore:
    """The attributes of one featurizer, as they were on disk when it was opened.

    Args:
        cache: Where they are kept.
        featurizer: Whose attributes.

    Attributes:
        featurizer: Whose attributes.
        cache: Where they are kept.
        folder: Where the parts lie in it.

    Raises:
        StorageError: The folder cannot be read.
    """

    def __init__(self, cache: Cache, featurizer: Featurizer) -> None:
        self.featurizer = featurizer
        self.cache = cache
        self.folder = f"features/{featurizer.name}-{_version(featurizer)}"
        self._parts: list[_Part] = []
        keys = []
        start = 0
        paths = cache.sealed(self.folder)
        with ThreadPoolExecutor(_READERS) as readers:
            columns = list(readers.map(partial(_read_keys, cache), paths))
        for path, column in zip(paths, columns, strict=True):
            if column is not None:
                keys.append(column)
                self._parts.append(_Part(path, start, len(column)))
                start += len(column)
        self._keys = pa.chunked_array(keys, type=_KEY)
        self._recent: dict[int, pa.Table] = {}

    def locate(self, keys: pa.FixedSizeBinaryArray) -> IntArray:
        """Finds where rows lie, -1 where they are missing, shape ``(n,)``; ``read`` takes these places."""
        places = pc.index_in(keys, value_set=self._keys)
        found: IntArray = places.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return found

    def discard_damaged(self, places: IntArray) -> bool:
        """Deletes those of the parts with these rows that are not what was written.

        Returns:
            Whether there were any; the rows have to be located anew then, by a store that is opened afterwards.

        Raises:
            StorageError: A part cannot be read or deleted.
        """
        paths = [self._parts[number].path for number in np.unique(self._numbers(places))]
        with ThreadPoolExecutor(_READERS) as readers:
            gone = [content is None for content in readers.map(self.cache.read_sealed, paths)]  # all, not the first
        return any(gone)

    def _numbers(self, places: IntArray) -> IntArray:
        """The parts in which rows lie."""
        starts = np.array([part.start for part in self._parts], dtype=np.int64)
        return np.searchsorted(starts, places, side="right") - 1

    def read(self, places: IntArray) -> Featurized:
        """Reads rows by their places, in the order asked for.

        Raises:
            StorageError: A part has been damaged or deleted since they were located.
        """
        formulas, failures = text_array([""] * len(places)), text_array([None] * len(places))
        values = np.empty((len(places), len(self.featurizer.labels)))
        starts = np.array([part.start for part in self._parts], dtype=np.int64)
        numbers = self._numbers(places)
        for number in np.unique(numbers):
            rows = np.flatnonzero(numbers == number)
            table = self._table(int(number)).take(pa.array(places[rows] - starts[number]))
            formulas[rows] = table.column("formula").to_pylist()
            failures[rows] = table.column("failure").to_pylist()
            for column, label in enumerate(self.featurizer.labels):
                values[rows, column] = table.column(label).to_numpy()
        return Featurized(formulas, values, failures)

    def _table(self, number: int) -> pa.Table:
        """A part; the last few that were used stay in memory."""
        table = self._recent.pop(number, None)
        if table is None:
            table = _read(self.cache, self._parts[number].path)
        self._recent[number] = table
        while len(self._recent) > _PARTS_IN_MEMORY:
            del self._recent[next(iter(self._recent))]
        return table


class PartWriter:
    """Collects computed rows and writes them in parts; what is left is written when the block ends, however it ends.

    Args:
        store: Where the rows belong.
    """

    def __init__(self, store: AttributeStore) -> None:
        self._cache, self._folder = store.cache, store.folder
        self._labels = store.featurizer.labels
        self._waiting: list[pa.Table] = []
        self._since = time.monotonic()

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or not issubclass(kind, StorageError):
            self._flush()

    def append(self, keys: pa.FixedSizeBinaryArray, computed: Featurized) -> None:
        """Takes rows; they are on disk some seconds later.

        Raises:
            StorageError: The disk is full or read-only.
        """
        if not self._waiting:
            self._since = time.monotonic()
        columns = [pa.array(column) for column in computed.values.T.copy()]
        text = [pa.array(each, type=pa.string()) for each in (computed.formulas, computed.failures)]
        self._waiting.append(pa.table([keys, *text, *columns], names=["key", "formula", "failure", *self._labels]))
        rows = sum(len(table) for table in self._waiting)
        if rows >= ROWS_A_PART or time.monotonic() - self._since >= SECONDS_A_PART:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            buffer = io.BytesIO()
            pq.write_table(pa.concat_tables(self._waiting), buffer, compression="zstd", compression_level=1)
            self._cache.write_sealed(f"{self._folder}/{time.time_ns():020d}", buffer.getvalue())  # sorts by age
            self._waiting = []


def _read_keys(cache: Cache, path: str) -> pa.FixedSizeBinaryArray | None:
    """The keys of a part; ``None`` where it was damaged and is deleted."""
    try:
        with cache.storage.open(path) as file:
            return _keys_of(file)
    except (OSError, pa.ArrowException):
        content = cache.read_sealed(path)
        return None if content is None else _keys_of(io.BytesIO(content))


def _keys_of(file: pa.NativeFile | io.BytesIO) -> pa.FixedSizeBinaryArray:
    return pq.read_table(file, columns=["key"]).column("key").combine_chunks()


def _read(cache: Cache, path: str) -> pa.Table:
    content = cache.read_sealed(path)
    if content is None:
        place = join(cache.storage.uri, path)
        raise StorageError(f"'{place}' was damaged or deleted; run the same command again, and it is computed again")
    return pq.read_table(io.BytesIO(content))


def _version(featurizer: Featurizer) -> str:
    versions = [f"{name} {metadata.version(name)}" for name in _COMPUTED_BY]
    identity = [_FORMAT, featurizer.name, str(featurizer.version), *versions, *featurizer.labels]
    return hashlib.sha256("\n".join(identity).encode()).hexdigest()[:12]
