"""The paper's claims, judged on a run's results."""

from collections.abc import Callable, Sequence

from irnet_ray.report.claims.depth import effects_of_depth, order_of_placements
from irnet_ray.report.claims.finding import Finding, Judged, Verdict
from irnet_ray.report.claims.inputs import effects_of_inputs
from irnet_ray.report.claims.robustness import predicting_times, training_times, worst_tenths
from irnet_ray.report.claims.size import crossings, winners_on_big_data, winners_on_small_data

__all__ = ["CLAIMS", "Finding", "Judged", "Verdict", "judge"]

CLAIMS: tuple[Callable[[Sequence[Judged]], list[Finding]], ...] = (
    effects_of_depth,
    order_of_placements,
    winners_on_big_data,
    crossings,
    effects_of_inputs,
    winners_on_small_data,
    worst_tenths,
    training_times,
    predicting_times,
)
"""Each gives a finding for every part of the run that can speak to it, or one that says what is missing."""


def judge(run: Sequence[Judged]) -> list[Finding]:
    """Judges every claim of the paper.

    Args:
        run: Its comparisons with their errors.
    """
    return [finding for claim in CLAIMS for finding in claim(run)]
