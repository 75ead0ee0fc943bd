"""The paper's claims, judged on a run's results."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from irnet_ray.report.claims.crossings import NOT_THE_PAPERS, crossings
from irnet_ray.report.claims.depth import LESS_THAN_THE_PAPERS, effects_of_depth, order_of_placements
from irnet_ray.report.claims.finding import Finding, Judged, Verdict
from irnet_ray.report.claims.inputs import effects_of_inputs
from irnet_ray.report.claims.robustness import predicting_times, training_times, worst_tenths
from irnet_ray.report.claims.size import winners_on_big_data, winners_on_small_data

__all__ = ["OF_OURS", "QUESTIONS", "Finding", "Judged", "Question", "Verdict", "judge"]

OF_OURS = (*LESS_THAN_THE_PAPERS, *NOT_THE_PAPERS)
"""Claims that the paper does not make, in our words."""


@dataclass(frozen=True)
class Question:
    """Claims of the paper that answer one question.

    Attributes:
        title: The question.
        judge: Gives a finding for every part of the run that can speak to it, or one that says what is missing.
    """

    title: str
    judge: Callable[[Sequence[Judged]], list[Finding]]


QUESTIONS = (
    Question("What does depth do?", effects_of_depth),
    Question("Which placement of shortcuts is best?", order_of_placements),
    Question("Who wins on big data?", winners_on_big_data),
    Question("How much data does it take?", crossings),
    Question("Which attributes tell most?", effects_of_inputs),
    Question("Who wins on small data?", winners_on_small_data),
    Question("Who has the fewest large errors?", worst_tenths),
    Question("What do shortcuts cost?", training_times),
    Question("How fast is a trained network?", predicting_times),
)
"""All that the paper answers, in its order."""


def judge(run: Sequence[Judged]) -> dict[str, list[Finding]]:
    """Judges every claim of the paper.

    Args:
        run: Its comparisons with their errors.

    Returns:
        The findings on each question, by its title.
    """
    return {question.title: question.judge(run) for question in QUESTIONS}
