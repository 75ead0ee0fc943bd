"""The steps by which a dataset is curated, as configuration; ``curate`` carries them out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator

from irnet_ray.config import Config
from irnet_ray.errors import suggestion
from irnet_ray.formula import SYMBOLS


class DropMissing(Config):
    """Drops rows without a formula or structure and rows without any property."""

    step: Literal["drop_missing"] = "drop_missing"


class ReduceComposition(Config):
    """Replaces each formula by its reduced formula; where there are structures, theirs."""

    step: Literal["reduce_composition"] = "reduce_composition"


class DropElements(Config):
    """Drops pure elements."""

    step: Literal["drop_elements"] = "drop_elements"


class WithoutElements(Config):
    """Drops compounds that hold one of these elements; ``fractions``, for example, knows 86 elements only."""

    step: Literal["without_elements"] = "without_elements"
    elements: tuple[str, ...] = Field(min_length=1)

    @field_validator("elements")
    @classmethod
    def _known(cls, elements: tuple[str, ...]) -> tuple[str, ...]:
        for element in elements:
            if element not in SYMBOLS:
                raise ValueError(f"'{element}' is no element{suggestion(element, SYMBOLS)}")
        return elements


class Bounds(Config):
    """Keeps rows whose ``column`` lies strictly between ``low`` and ``high``, in the column's unit."""

    step: Literal["bounds"] = "bounds"
    column: str
    low: float
    high: float


class SigmaCut(Config):
    """Keeps rows whose ``column`` lies within ``deviations`` standard deviations of its mean."""

    step: Literal["sigma_cut"] = "sigma_cut"
    column: str
    deviations: float = Field(gt=0)


class KeepLowest(Config):
    """Keeps one row for each formula: the one of the lowest ``column``."""

    step: Literal["keep_lowest"] = "keep_lowest"
    column: str


class UniqueStructure(Config):
    """Keeps one row for each formula and crystal structure: the one of the lowest ``column``."""

    step: Literal["unique_structure"] = "unique_structure"
    column: str


class MedianOfDuplicates(Config):
    """Makes one row for each formula: the median of each property."""

    step: Literal["median_of_duplicates"] = "median_of_duplicates"


Step = Annotated[
    DropMissing
    | ReduceComposition
    | DropElements
    | WithoutElements
    | Bounds
    | SigmaCut
    | KeepLowest
    | UniqueStructure
    | MedianOfDuplicates,
    Field(discriminator="step"),
]
"""One step of a curation."""

STEPS_OF_COMPOSITIONS: tuple[Step, ...] = (DropMissing(), ReduceComposition())
"""The least that is done to any table."""

_BY_COMPOSITION = DropElements | WithoutElements | KeepLowest | UniqueStructure | MedianOfDuplicates


def deciding_columns(steps: Sequence[Step]) -> list[str]:
    """The properties by which steps decide."""
    return [step.column for step in steps if isinstance(step, Bounds | SigmaCut | KeepLowest | UniqueStructure)]


def check_steps(steps: Sequence[Step], properties: Collection[str], *, has_structures: bool) -> None:
    """Checks that a table can be taken through some steps.

    Args:
        steps: The steps in order.
        properties: What the table has.
        has_structures: Whether it has structures as well.

    Raises:
        ValueError: A step needs what is not there, or comes too early.
    """
    for name in deciding_columns(steps):
        if name not in properties:
            raise ValueError(f"curation: '{name}' is not a property{suggestion(name, properties)}")
    names = [step.step for step in steps]
    if "reduce_composition" not in names:
        raise ValueError("curation: the step 'reduce_composition' is missing; add it behind 'drop_missing'")
    for step in steps[: names.index("reduce_composition")]:
        if isinstance(step, _BY_COMPOSITION):
            raise ValueError(f"curation: '{step.step}' needs reduced formulas; put it behind 'reduce_composition'")
    if "unique_structure" in names and not has_structures:
        raise ValueError("curation: 'unique_structure' needs structures, which this table lacks; use 'keep_lowest'")
    if "median_of_duplicates" in names and has_structures:
        raise ValueError(
            "curation: 'median_of_duplicates' would leave no structure; use 'unique_structure' or 'keep_lowest'"
        )
