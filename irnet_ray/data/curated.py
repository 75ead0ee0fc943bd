"""Curated tables of structures on disk: reading and comparing structures takes minutes, and is done once."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from irnet_ray.data.cache import VARIABLE, make_directory
from irnet_ray.data.curate import CurationReport, StepReport
from irnet_ray.errors import StorageError

VERSION = 1
"""Raised when sources, steps or the parsers of structures give something else than before."""

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
    cache: Path, identity: Mapping[str, Any], make: Callable[[], Curated], *, skip_bad_rows: bool
) -> Curated:
    """Takes a curated table from the cache, or makes it and puts it there.

    A table without bad rows is the same whether they would be dropped or refused, and is kept once.

    Args:
        cache: The cache directory.
        identity: All that the table depends on besides ``skip_bad_rows``: content, columns and steps.
        make: Makes the table.
        skip_bad_rows: Whether bad rows are dropped.

    Raises:
        StorageError: The cache cannot be written.
    """
    strict = cached_path(cache, identity, skip_bad_rows=False)
    paths = [strict, cached_path(cache, identity, skip_bad_rows=True)] if skip_bad_rows else [strict]
    for path in paths:
        found = _read(path)
        if found is not None:
            return found
    made = make()
    bad_rows = sum(step.dropped for step in made.report.steps if step.step == "reduce_composition")
    _write(made, paths[-1] if bad_rows else strict)
    return made


def cached_path(cache: Path, identity: Mapping[str, Any], *, skip_bad_rows: bool) -> Path:
    """The file of a curated table; its name is the sha256 of what the table depends on."""
    described = {"version": VERSION, "skip_bad_rows": skip_bad_rows, **identity}
    text = json.dumps(described, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return cache / "curated" / f"{hashlib.sha256(text.encode()).hexdigest()}.parquet"


def _read(path: Path) -> Curated | None:
    """Reads a table; one that cannot be read is made again."""
    import pyarrow.parquet as pq

    try:
        content = pq.read_table(path)
        stored = json.loads(content.schema.metadata[_METADATA_KEY])
    except (OSError, ValueError):
        return None
    steps = tuple(StepReport(**step) for step in stored["report"]["steps"])
    return Curated(content.to_pandas(), CurationReport(stored["report"]["rows_read"], steps), stored["form"])


def _write(curated: Curated, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    make_directory(path.parent)
    described = json.dumps({"report": asdict(curated.report), "form": curated.form})
    content = pa.Table.from_pandas(curated.table, preserve_index=False)
    content = content.replace_schema_metadata({**(content.schema.metadata or {}), _METADATA_KEY: described})
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        pq.write_table(content, temporary, compression="zstd")
        os.replace(temporary, path)
    except OSError as error:
        problem = f"cannot write '{path}': {error.strerror or error}"
        raise StorageError(f"{problem}; make room, or set {VARIABLE} to another folder") from error
    finally:
        temporary.unlink(missing_ok=True)
