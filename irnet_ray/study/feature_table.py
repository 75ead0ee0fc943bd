"""A source's attributes as one table: what ``irnet-ray featurize`` writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa

from irnet_ray.cache import Cache
from irnet_ray.data.catalog import card, catalog
from irnet_ray.data.load import Materials, load
from irnet_ray.data.sources.rows import RowBatch, RowSource, open_rows
from irnet_ray.errors import ConfigurationError, StorageError, suggestion
from irnet_ray.features.representation import canonical_name, labels, needs_structures
from irnet_ray.formula import FORMULA_FORM
from irnet_ray.study.feature_output import FeatureOutput
from irnet_ray.study.featurize import (
    ROWS_AT_A_TIME,
    Compute,
    Report,
    RowStream,
    StoredRows,
    featurize_rows,
    rows_of,
)


@dataclass(frozen=True)
class FileColumns:
    """Which columns of a file hold what; the usual names where nothing is said.

    Attributes:
        formula: Of formulas.
        structure: Of structures.
        id: Of names that are to stand beside the attributes.
    """

    formula: str | None = None
    structure: str | None = None
    id: str | None = None


@dataclass(frozen=True)
class FeatureTable:
    """A written table.

    Attributes:
        path: The Parquet file.
        rows: Number of rows.
        columns: Number of attributes.
        computed: How many rows were computed now; equal ones count once, the others were in the cache.
        failed: How many rows have no attributes.
        failures: The side table of these, None where there are none.
        unreadable: How many rows of a dataset of the catalog its curation dropped as unreadable.
    """

    path: Path
    rows: int
    columns: int
    computed: int
    failed: int
    failures: Path | None
    unreadable: int = 0

    def __str__(self) -> str:
        written = f"{self.rows:,} rows x {self.columns} attributes in {self.path}; {self.computed:,} computed"
        failed = f", {self.failed:,} failed, see {self.failures}" if self.failures else ", none failed"
        return written + failed + (f", {self.unreadable:,} unreadable rows left out" if self.unreadable else "")


class _Source(Protocol):
    """Rows, and what stands beside their attributes."""

    @property
    def rows(self) -> RowStream: ...

    @property
    def unreadable(self) -> int: ...

    def beside(self, batch: RowBatch, formulas: pa.Array) -> dict[str, pa.Array]: ...


@dataclass(frozen=True)
class _CatalogRows:
    rows: RowStream
    materials: Materials

    @property
    def unreadable(self) -> int:
        return sum(step.dropped for step in self.materials.report.steps if step.step == "reduce_composition")

    def beside(self, batch: RowBatch, formulas: pa.Array) -> dict[str, pa.Array]:
        start = batch.start - 1
        target = self.materials.target[start : start + len(batch.texts)]
        return {"formula": formulas, self.materials.property: pa.array(target)}


@dataclass(frozen=True)
class _FileRows:
    rows: RowSource
    unreadable: int = 0

    def beside(self, batch: RowBatch, formulas: pa.Array) -> dict[str, pa.Array]:
        numbers = pa.array(np.arange(batch.start, batch.start + len(batch.texts)))
        names = {} if batch.ids is None else {"id": pa.array(batch.ids, type=pa.string())}
        return {"row": numbers, **names, "formula": formulas}


def write_feature_table(
    source: str,
    representation: str,
    output: Path | None,
    compute: Compute,
    *,
    columns: FileColumns | None = None,
    property_name: str | None = None,
    fail_on_bad_rows: bool = False,
    report: Report = lambda done, total: None,
) -> FeatureTable:
    """Writes rows and their attributes, in double precision under matminer's labels.

    Rows that fail go to a side table beside the output, with the reason.

    Args:
        source: A name of the catalog, or a file or folder of formulas or structures.
        representation: Which attributes.
        output: The Parquet file to write; named after source and representation if not given.
        compute: How attributes are computed.
        columns: The columns of a file.
        property_name: The property that goes with a dataset of the catalog; its first one if not given.
        fail_on_bad_rows: Whether to raise where a row fails, and write nothing.
        report: Is told the progress.

    Raises:
        UserError: The source cannot be read, no row of it has attributes, or the output cannot be written.
    """
    name = canonical_name(representation)
    path = output or Path(f"{_title(source)}-{name}.parquet")
    _check_output(path, source)
    opened = _open(source, name, columns or FileColumns(), property_name, strict=fail_on_bad_rows)
    stored = featurize_rows(opened.rows, name, Cache(), compute, report)
    with FeatureOutput(path, labels(name)) as table:
        _copy(opened, stored, table)
        table.check(source, fail_on_bad_rows)
        table.commit()
    failures = table.failures_path if table.failed else None
    width, unreadable = len(labels(name)), opened.unreadable
    return FeatureTable(path, table.rows, width, stored.computed, table.failed, failures, unreadable)


def _title(source: str) -> str:
    """The source's name without the suffixes of its format."""
    name = Path(source).name
    return name if Path(source).is_dir() else Path(name.removesuffix(".gz")).stem


def _check_output(path: Path, source: str) -> None:
    if not path.parent.is_dir():
        raise StorageError(
            f"cannot write '{path}': there is no folder '{path.parent}'; make it, or choose another --output"
        )
    if path.exists() and (not path.is_file() or (Path(source).exists() and path.samefile(source))):
        what = "is the source" if path.is_file() else "is no ordinary file"
        raise StorageError(f"cannot write '{path}': it {what}; choose another --output")


def _open(
    source: str, representation: str, columns: FileColumns, property_name: str | None, *, strict: bool
) -> _Source:
    if source in catalog():
        if columns != FileColumns():
            raise ConfigurationError("--formula, --structure and --id name columns of a file; leave them out")
        materials = load(source, property_name or next(iter(card(source).properties)), skip_bad_rows=not strict)
        return _CatalogRows(rows_of(materials, representation), materials)
    if property_name is not None:
        raise ConfigurationError("--property goes with a dataset of the catalog; leave it out for a file")
    if not Path(source).suffix and not Path(source).exists():
        raise ConfigurationError(f"unknown dataset '{source}'{suggestion(source, catalog())}")
    rows = open_rows(source, formula_column=columns.formula, structure_column=columns.structure, id_column=columns.id)
    if needs_structures(representation) and rows.form == FORMULA_FORM:
        raise ConfigurationError(
            f"'{source}': '{representation}' needs structures, and these are formulas; name their column with "
            "--structure, or choose --representation composition"
        )
    return _FileRows(rows)


def _copy(source: _Source, stored: StoredRows, table: FeatureOutput) -> None:
    start = 0
    for batch in source.rows.batches(ROWS_AT_A_TIME):
        featurized = stored.read_batch(start, batch.texts)
        table.write(source.beside(batch, pa.array(featurized.formulas, type=pa.string())), batch, featurized)
        start += len(batch.texts)
    stored.check_end(start)
