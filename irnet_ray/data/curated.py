"""Curated tables of structures on disk: reading and comparing structures takes minutes, and is done once."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from irnet_ray.cache import Cache
from irnet_ray.data.curate import CurationReport, StepReport

VERSION = 1
"""Raised when sources, steps or the parsers of structures give something else than before."""

_FOLDER = "curated"
_METADATA_KEY = b"irnet_ray"


@dataclass(frozen=True)
class Curated:
    """A curated table.

    Attributes:
        table: Columns as ``curate`` leaves them; the rows' numbers are not kept on disk.
        report: How many rows each step dropped.
        form: In which form structures are written; None where there are none.
    """

    table: pd.DataFrame
    report: CurationReport
    form: str | None = None


def curated_once(
    cache: Cache, identity: Mapping[str, Any], make: Callable[[], Curated], *, skip_bad_rows: bool
) -> Curated:
    """Takes a curated table from the cache, or makes it and puts it there.

    A table without bad rows is the same whether they would be dropped or refused, and is kept once.

    Args:
        cache: The cache.
        identity: All that the table depends on besides ``skip_bad_rows``: content, columns and steps.
        make: Makes the table.
        skip_bad_rows: Whether bad rows are dropped.

    Raises:
        StorageError: The cache cannot be written.
    """
    strict = key_of(identity, skip_bad_rows=False)
    keys = [strict, key_of(identity, skip_bad_rows=True)] if skip_bad_rows else [strict]
    for path in (path for key in keys for path in cache.sealed(_FOLDER, key)):
        found = _read(cache, path)
        if found is not None:
            return found
    made = make()
    bad_rows = sum(step.dropped for step in made.report.steps if step.step == "reduce_composition")
    cache.write_sealed(f"{_FOLDER}/{keys[-1] if bad_rows else strict}", _to_parquet(made))
    return made


def key_of(identity: Mapping[str, Any], *, skip_bad_rows: bool) -> str:
    """The name of a curated table: the sha256 of what it depends on."""
    described = {"version": VERSION, "skip_bad_rows": skip_bad_rows, **identity}
    text = json.dumps(described, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _read(cache: Cache, path: str) -> Curated | None:
    """Reads a table; one that cannot be read is made again."""
    import pyarrow.parquet as pq

    content = cache.read_sealed(path)
    if content is None:
        return None
    table = pq.read_table(io.BytesIO(content))
    stored = json.loads(table.schema.metadata[_METADATA_KEY])
    steps = tuple(StepReport(**step) for step in stored["report"]["steps"])
    return Curated(table.to_pandas(), CurationReport(stored["report"]["rows_read"], steps), stored["form"])


def _to_parquet(curated: Curated) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    described = json.dumps({"report": asdict(curated.report), "form": curated.form})
    table = pa.Table.from_pandas(curated.table, preserve_index=False)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), _METADATA_KEY: described})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
