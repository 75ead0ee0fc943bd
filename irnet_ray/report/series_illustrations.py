"""Figures over numbers of training rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from irnet_ray.report.claims.finding import Judged
from irnet_ray.report.comparison import Comparison, describe_points, file_suffix
from irnet_ray.report.figures import error_by_size
from irnet_ray.report.illustrations import Illustration
from irnet_ray.report.wording import distinct, listing


def illustrate_series(members: Sequence[Judged], others: Sequence[Comparison], name: str) -> list[Illustration]:
    """Makes the figures of a series.

    Args:
        members: Of one series, by ascending numbers of training rows.
        others: Which would belong to it but are left out.
        name: What tells it from the run's other series; empty if it is the only one.
    """
    first, suffix = members[0], file_suffix(name)
    table = error_by_size.data(members)
    gains = error_by_size.gains(table)
    of_errors = Illustration(
        name=f"error_by_size{suffix}",
        title=error_by_size.TITLE,
        caption="Mean absolute error on the same test rows, means over seeds; faint points are single seeds. Smaller "
        "sets of training rows are among the larger ones; the best baseline of each is the one of the paper's ten "
        "with the lowest validation error, hollow where not all of the ten have a result. Gradient boosting is not one "
        "of them."
        f"{_recipes(members)}",
        paper=[
            "The paper has this across datasets only, and concludes that 48 layers beat 17 on the two with more than "
            "100,000 rows."
        ],
        missing=" ".join(filter(None, [_lacking(members), _without(members, others)])),
        data=table,
        draw=partial(error_by_size.draw, table, first.comparison.unit, optimistic=first.optimistic),
        table=error_by_size.summary(table),
    )
    of_gains = Illustration(
        name=f"gain_by_size{suffix}",
        title=error_by_size.GAIN_TITLE,
        caption="Relative change of IRNet's test error from that of the best baseline; below zero IRNet is "
        "better. Hollow: not all of the paper's ten have a result there.",
        paper=["Figure 2 has this across all datasets of the paper: IRNet wins above some 15,000 rows."],
        missing=_without(members, others),
        data=gains,
        draw=partial(error_by_size.draw_gains, gains, optimistic=first.optimistic) if len(gains) else None,
        table=error_by_size.gains_summary(gains),
    )
    return [of_errors, of_gains]


def _recipes(members: Sequence[Judged]) -> str:
    """Says where recipes differ between sizes."""
    tasks = [each.comparison.task for each in members]
    if len(distinct(task.recipe for task in tasks)) == 1:
        return ""
    texts = (f"{each.comparison.train_rows:,} rows {each.comparison.task.recipe}" for each in members)
    return f" Recipes differ: {listing(texts)}."


def _lacking(members: Sequence[Judged]) -> str:
    texts = [
        f"{each.comparison.train_rows:,} rows {listing(describe_points(each.comparison.missing))}"
        for each in members
        if each.comparison.missing
    ]
    return f"Not in this figure, because not finished: {'; '.join(texts)}." if texts else ""


def _without(members: Sequence[Judged], others: Sequence[Comparison]) -> str:
    """Names the numbers of training rows, or recipes for them, that have no place in the figure, and why."""
    shown = {member.comparison.task.train_size for member in members}
    unfinished: list[str] = []
    further: list[str] = []
    for comparison in others:
        words = comparison.task.words()
        again = f" by {words['recipe']}" if comparison.task.train_size in shown else ""
        (unfinished if comparison.results.empty else further).append(f"{words['train_size']}{again}")
    sentences = []
    if unfinished:
        sentences.append(f"No trial is finished of {listing(distinct(unfinished))}.")
    if further:
        sentences.append(f"The first recipe for as many rows stands for all; left out: {listing(distinct(further))}.")
    return " ".join(sentences)
