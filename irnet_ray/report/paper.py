"""What Jha et al. published, as data: Tables 1-4, the numbers of Figure 1, and those of the text.

Source: Jha et al., Enabling deeper learning on big data for materials informatics applications,
Scientific Reports 11, 4244 (2021), doi:10.1038/s41598-021-83193-1. The errors are in ``published.csv``, a row for each
row of the paper's tables.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

BEST_OF_TEN = "best_of_ten"
"""The best of the paper's ten traditional models, each tuned by grid search."""

Key = tuple[str, int | None]
"""A model and its depth; ``None`` for classical learning."""

CROSSING_ROWS = 15_000
"""IRNet beats traditional models "once the dataset size is big enough (exceeds ~15K in size)": text on Figure 2.

We take it for training rows, nine tenths of which would be the paper's.
"""

DEEPER_ROWS = 100_000
"""48 layers beat 17 on "the two datasets with more than 100K samples", and not on those with fewer: text on Table 1."""

TABLE_4 = {
    10: "1024x2 512x2 256x2 128x1 64x1 32x1",
    17: "1024x4 512x3 256x3 128x3 64x2 32x1",
    48: "1024x8 512x8 256x8 128x8 64x8 32x4 16x3",
}
"""Units and layers of each depth, without the output. The table has FC1024 for the 256 of depth 48, a misprint."""


@dataclass(frozen=True)
class PublishedExperiment:
    """The errors of one experiment of the paper.

    Attributes:
        place: Where in the paper.
        dataset: As the paper calls it; OQMD-SC where it has structures is told from the text.
        property: Likewise; that Table 3's band gaps of JARVIS are those of the mBJ functional we infer from their
            number and from the paper's reference 60, as it does not say.
        unit: Of the errors.
        representation: What it was predicted from, in our words.
        rows: Of the dataset.
        like: Datasets of our catalog with their property that come near, the nearest first.
        errors: Test MAE by model and depth.
    """

    place: str
    dataset: str
    property: str
    unit: str
    representation: str
    rows: int
    like: tuple[tuple[str, str], ...]
    errors: Mapping[Key, float]

    def data(self) -> str:
        """What was predicted from what."""
        return f"{self.property} from {self.representation}, {self.rows:,} rows of {self.dataset}"

    def mae(self, model: str, depth: int | None) -> float:
        """The published error of a model, in the experiment's unit.

        Raises:
            KeyError: The paper has none.
        """
        return self.errors[model, depth]


@functools.cache
def experiments() -> tuple[PublishedExperiment, ...]:
    """All of them, in the paper's order."""
    text = resources.files("irnet_ray.report").joinpath("published.csv").read_text(encoding="utf-8")
    return tuple(_experiment(row) for row in csv.DictReader(text.splitlines()))


def _experiment(row: dict[str, str]) -> PublishedExperiment:
    columns = list(row)
    models = columns[columns.index("like") + 1 :]
    return PublishedExperiment(
        place=row["place"],
        dataset=row["dataset"],
        property=row["property"],
        unit=row["unit"],
        representation=row["representation"],
        rows=int(row["rows"]),
        like=tuple(_dataset_and_property(each) for each in row["like"].split("; ") if each),
        errors={_key(model): float(row[model]) for model in models if row[model]},
    )


def _dataset_and_property(text: str) -> tuple[str, str]:
    dataset, property_name = text.split()
    return dataset, property_name


def _key(column: str) -> Key:
    model, _, depth = column.partition("-")
    return model, int(depth) if depth else None


def find(place: str, dataset: str, property_name: str, representation: str) -> PublishedExperiment:
    """One experiment by what the paper calls it.

    Raises:
        KeyError: The paper has none.
    """
    names = (place, dataset, property_name, representation)
    found = {(each.place, each.dataset, each.property, each.representation): each for each in experiments()}
    return found[names]


def figure_1() -> PublishedExperiment:
    """The design problem."""
    return find("Figure 1", "OQMD-SC", "formation enthalpy", "composition+structure")


def experiments_on(dataset: str, property_name: str, representation: str) -> list[PublishedExperiment]:
    """The published experiments on the same property from the same attributes."""
    return [
        each
        for each in experiments()
        if (dataset, property_name) in each.like and each.representation == representation
    ]


def experiments_like(dataset: str, property_name: str, representation: str) -> tuple[PublishedExperiment, ...]:
    """Those to show beside a run: on the same property from the same attributes, and Figure 1."""
    return (*experiments_on(dataset, property_name, representation), figure_1())
