"""What all baselines have in common."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from irnet_ray.config import Config

Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Grid = dict[str, tuple[Any, ...]]
Positive = Annotated[float, Field(gt=0)]


class Baseline(Config):
    """An algorithm and its settings.

    Attributes:
        title: For people.
        is_random: Whether a seed changes the outcome.
        in_double: Whether it computes in double precision, which needs a copy of the rows.
        grid: The settings that a study tries unless it names its own.
    """

    title: ClassVar[str]
    is_random: ClassVar[bool] = False
    in_double: ClassVar[bool] = False
    grid: ClassVar[Grid] = {}

    @classmethod
    def name(cls) -> str:
        """The name by which studies know the algorithm."""
        return str(cls.model_fields["kind"].default)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by name."""
        return self.model_dump(exclude={"kind"})

    @property
    def label(self) -> str:
        """The settings as people write them: ``trees 100, max features 0.33``."""
        return ", ".join(f"{name.replace('_', ' ')} {_text(value)}" for name, value in self.settings.items())

    def estimator(self, seed: int, cpus: int) -> Any:
        """Makes scikit-learn's estimator.

        Args:
            seed: Of whatever is random in it.
            cpus: Processes or threads where it can use several; they do not change the outcome.
        """
        raise NotImplementedError

    def work(self, rows: int, attributes: int) -> float:
        """Relative cost of fitting, in multiply-adds of matrix products as fast as a network's.

        Fitted to 2,000 and 6,000 rows of OQMD on one core of an AMD EPYC: trees and support vectors come within a
        factor of two, linear models, which take milliseconds there, do not. Predicting is not counted.

        Args:
            rows: To learn from.
            attributes: Of each.
        """
        raise NotImplementedError


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
