"""A dataset's features as one table: what ``irnet-ray featurize`` writes."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from irnet_ray.data.cache import cache_directory
from irnet_ray.data.catalog import card, catalog
from irnet_ray.data.load import load
from irnet_ray.data.sources.table import read_formulas
from irnet_ray.errors import ConfigurationError, DataError, FormulaError, StorageError, suggestion
from irnet_ray.features.cache import ROWS_A_PART, FeatureCache
from irnet_ray.features.representation import canonical_name, unsupported_rows
from irnet_ray.formula import BadFormula, parse_column
from irnet_ray.study.prepare import ComputeMissing


@dataclass(frozen=True)
class FeatureTable:
    """A written table.

    Attributes:
        path: The Parquet file.
        rows: Number of rows.
        columns: Number of attributes.
        dropped: Number of rows that were dropped because their formula could not be read.
    """

    path: Path
    rows: int
    columns: int
    dropped: int


def write_feature_table(
    source: str,
    representation: str,
    output: Path | None,
    compute_missing: ComputeMissing,
    *,
    property_name: str | None = None,
    formula_column: str = "formula",
    skip_bad_rows: bool = False,
) -> FeatureTable:
    """Writes formulas and their attributes, in double precision under matminer's labels.

    Args:
        source: A name of the catalog, or a file with a column of formulas.
        representation: Which attributes.
        output: The Parquet file to write; named after source and representation if not given.
        compute_missing: How features are computed.
        property_name: The property that goes with a dataset of the catalog; its first one if not given.
        formula_column: The column of formulas in a file.
        skip_bad_rows: Whether rows without a readable formula are dropped.

    Raises:
        UserError: The source or a formula cannot be read, or the output cannot be written.
    """
    name = canonical_name(representation)
    if source in catalog():
        table, dropped = _from_catalog(source, property_name, skip_bad_rows), 0
    else:
        if property_name is not None:
            raise ConfigurationError("--property goes with a dataset of the catalog; leave it out for a file")
        table, dropped = _from_file(source, formula_column, skip_bad_rows)
    table, unsupported = _describable(table, name, skip_bad_rows)
    if table.empty:
        raise DataError(f"'{source}': no row is left to featurize; correct the formulas")
    path = output or Path(f"{Path(source).name.split('.')[0]}-{name}.parquet")
    if not path.parent.is_dir():
        raise StorageError(
            f"cannot write '{path}': there is no folder '{path.parent}'; make it, or choose another --output"
        )
    cache = FeatureCache(cache_directory(), table["formula"].tolist(), name)
    compute_missing(cache)
    _write(table, cache, path)
    return FeatureTable(path, len(table), len(cache.labels), dropped + unsupported)


def _from_catalog(source: str, property_name: str | None, skip_bad_rows: bool) -> pd.DataFrame:
    name = property_name or next(iter(card(source).properties))
    materials = load(source, name, skip_bad_rows=skip_bad_rows)
    return pd.DataFrame({"formula": materials.formulas, name: materials.target})


def _from_file(source: str, formula_column: str, skip_bad_rows: bool) -> tuple[pd.DataFrame, int]:
    """Formulas as they stand in the file, with the number of their row."""
    if not Path(source).suffix and not Path(source).exists():
        raise ConfigurationError(f"unknown dataset '{source}'{suggestion(source, catalog())}")
    formulas = read_formulas(source, formula_column)
    _, bad = parse_column(formulas)
    _refuse(bad, source, skip_bad_rows)
    table = pd.DataFrame({"row": formulas.index, "formula": formulas.to_numpy()})
    return table.drop(index=[each.row for each in bad]).reset_index(drop=True), len(bad)


def _describable(table: pd.DataFrame, representation: str, skip_bad_rows: bool) -> tuple[pd.DataFrame, int]:
    bad = unsupported_rows(table["formula"].tolist(), representation)
    _refuse(bad, representation, skip_bad_rows)
    return table.drop(index=[each.row for each in bad]).reset_index(drop=True), len(bad)


def _refuse(bad: list[BadFormula], where: str, skip_bad_rows: bool) -> None:
    if bad and not skip_bad_rows:
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        first = f"row {bad[0].row + 1}: {bad[0].formula!r}: {bad[0].reason}"
        raise FormulaError(f"{where}: {first}{more}; correct it, or drop such rows with --skip-bad-rows")


def _write(table: pd.DataFrame, cache: FeatureCache, path: Path) -> None:
    """Puts the parts of the cache behind the columns of the table, one part in memory at a time."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        try:
            writer: pq.ParquetWriter | None = None
            for number, part in enumerate(cache.tables()):
                rows = table.iloc[number * ROWS_A_PART : (number + 1) * ROWS_A_PART]
                left, right = pa.Table.from_pandas(rows, preserve_index=False), pq.read_table(part)
                both = pa.table([*left.columns, *right.columns], names=[*left.column_names, *right.column_names])
                writer = writer or pq.ParquetWriter(temporary, both.schema, compression="zstd", compression_level=1)
                writer.write_table(both)
            if writer is not None:
                writer.close()
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"cannot write '{path}': {error.strerror or error}; choose another --output") from error
