"""Values that Jha et al. published, each with its place in the paper.

Source: Jha et al., Enabling deeper learning on big data for materials informatics applications,
Scientific Reports 11, 4244 (2021), doi:10.1038/s41598-021-83193-1.
"""

from __future__ import annotations

from dataclasses import dataclass

BEST_OF_TEN = "best_of_ten"
"""The best of the paper's ten traditional models, each tuned by grid search."""


@dataclass(frozen=True)
class PublishedError:
    """A mean absolute error on the paper's test set.

    Attributes:
        model: ``plain``, ``srnet``, ``irnet``, ``random_forest`` or ``BEST_OF_TEN``.
        depth: Number of layers; ``None`` for classical learning.
        mae: In the experiment's unit.
    """

    model: str
    depth: int | None
    mae: float


@dataclass(frozen=True)
class PublishedExperiment:
    """The errors of one experiment of the paper.

    Attributes:
        place: Where in the paper.
        data: What was predicted from what.
        unit: Of the errors.
        errors: By model and depth.
    """

    place: str
    data: str
    unit: str
    errors: tuple[PublishedError, ...]

    def mae(self, model: str, depth: int | None) -> float:
        """The published error of a model, in the experiment's unit.

        Raises:
            KeyError: The paper has none.
        """
        return {(error.model, error.depth): error.mae for error in self.errors}[model, depth]


FIGURE_1 = PublishedExperiment(
    place="Figure 1 and its text",
    data="formation enthalpy from 271 attributes of composition and structure, 435,582 compounds of OQMD-SC",
    unit="eV/atom",
    errors=(
        PublishedError("plain", 17, 0.065),
        PublishedError("plain", 24, 0.072),
        PublishedError("plain", 48, 0.108),
        PublishedError("srnet", 17, 0.055),
        PublishedError("srnet", 48, 0.047),
        PublishedError("irnet", 17, 0.041),
        PublishedError("irnet", 48, 0.038),
        PublishedError("random_forest", None, 0.072),
    ),
)

TABLE_1_OQMD_ENTHALPY = PublishedExperiment(
    place="Table 1",
    data="formation enthalpy from 145 attributes of composition, 341,443 compositions of OQMD",
    unit="eV/atom",
    errors=(
        PublishedError(BEST_OF_TEN, None, 0.077),
        PublishedError("plain", 17, 0.072),
        PublishedError("irnet", 17, 0.054),
        PublishedError("irnet", 48, 0.048),
    ),
)


def experiments_like(dataset: str, property_name: str) -> tuple[PublishedExperiment, ...]:
    """The published experiments to show beside a run on this property, the nearest one first."""
    if (dataset, property_name) == ("oqmd", "formation_enthalpy"):
        return (TABLE_1_OQMD_ENTHALPY, FIGURE_1)
    return (FIGURE_1,)
