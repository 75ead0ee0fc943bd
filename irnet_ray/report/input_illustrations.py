"""Figures over representations of the same data, as in Figure 4 of the paper."""

from __future__ import annotations

from collections.abc import Sequence

from irnet_ray.report.claims.finding import Judged
from irnet_ray.report.comparison import Point, describe_points, point_of
from irnet_ray.report.figures.error_distribution import Curve
from irnet_ray.report.illustrations import Illustration, agreement_of, distribution_of

_MODEL = Point("irnet", 17)


def input_groups(run: Sequence[Judged]) -> list[list[Judged]]:
    """Groups what differs in the representation alone and has an IRNet-17 of two of them or more, finished or not."""
    groups: dict[tuple[object, ...], list[Judged]] = {}
    for judged in run:
        if judged.comparison.plans(_MODEL):
            task = judged.comparison.task
            groups.setdefault((task.dataset, task.property, task.train_size, task.width, task.recipe), []).append(
                judged
            )
    return [members for members in groups.values() if len(members) > 1]


def illustrate_inputs(members: Sequence[Judged], suffix: str) -> list[Illustration]:
    """Makes the figures of a group.

    Args:
        members: IRNet-17 from different representations.
        suffix: End of the files' names, which tells the group from others.
    """
    missing = _lacking(members)
    finished = [each for each in members if each.seeds(_MODEL)]
    return [
        agreement_of(
            {_curve(each, one_seed=True): each for each in finished},
            f"_by_representation{suffix}",
            caption="Test rows by their actual values and by what IRNet-17 predicts from each representation, of one "
            "seed each; darker bins hold more rows, on a logarithmic scale.",
            paper="Figure 4 has this for formation enthalpy of JARVIS: composition scatters less than structure, both "
            "together least.",
            missing=missing,
        ),
        distribution_of(
            {_curve(each): each for each in finished},
            f"_by_representation{suffix}",
            caption="Which part of the test rows has at most a given absolute error, for IRNet-17 from each "
            "representation. The marks are the 90th percentiles.",
            paper="Figure 4 has this for formation enthalpy of JARVIS: both together move the curve to the left, above "
            "all beyond the 60th percentile.",
            missing=missing,
        ),
    ]


def _curve(judged: Judged, *, one_seed: bool = False) -> Curve:
    trials = judged.comparison.finished(_MODEL)
    ids = tuple(trial.id for trial in (trials[:1] if one_seed else trials))
    return Curve(judged.comparison.task.representation, _MODEL, ids)


def _lacking(members: Sequence[Judged]) -> str:
    texts = []
    for judged in members:
        trials = [trial for trial in judged.comparison.missing if point_of(trial) == _MODEL]
        texts += [f"{judged.comparison.task.representation}: {each}" for each in describe_points(trials)]
    return f"Not in this figure, because not finished: {'; '.join(texts)}." if texts else ""
