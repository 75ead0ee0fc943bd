"""Figures with their captions, their data, and what the paper had in their place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from irnet_ray.report.comparison import Comparison, Point, point_of
from irnet_ray.report.evidence import Evidence
from irnet_ray.report.figures import error_distribution, learning_curves, mae_by_depth
from irnet_ray.report.paper import PublishedExperiment, experiments_like
from irnet_ray.report.wording import count, distinct, listing, model_label
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.trial import Trial


@dataclass(frozen=True)
class Illustration:
    """One figure of the report.

    Attributes:
        name: Of its files, without suffix.
        title: Its heading.
        caption: What it shows.
        paper: What the paper had, in paragraphs.
        missing: Which trials it lacks; empty if none.
        data: What it is drawn from.
        figure: The drawing; ``None`` while no trial that it needs is finished.
    """

    name: str
    title: str
    caption: str
    paper: list[str]
    missing: str
    data: pd.DataFrame
    figure: Figure | None


def illustrate(
    run: RunDirectory, comparison: Comparison, evidence: Evidence, *, suffix: str, optimistic: bool
) -> list[Illustration]:
    """Makes every figure of a comparison.

    Args:
        run: Where the histories are.
        comparison: The trials to show.
        evidence: Their test errors.
        suffix: End of the files' names, which tells the comparison from others.
        optimistic: Whether the test rows chose the epoch as well.
    """
    makers = (_depth, partial(_curves, run), partial(_distribution, evidence))
    return [make(comparison, suffix, optimistic) for make in makers]


def _depth(comparison: Comparison, suffix: str, optimistic: bool) -> Illustration:
    task = comparison.task
    best = comparison.best_of_ten
    results = comparison.results
    table = mae_by_depth.data(results[results["depth"].notna() | (results["model"] == (best.model if best else ""))])
    has_networks = table["depth"].notna().any()
    seeds = table["seed"].nunique()
    points = "; faint points are single seeds" if seeds > 1 else ""
    line = f" The dashed line is {_baseline_words(comparison, best)}, which has no depth." if best else ""
    return Illustration(
        name=f"mae_by_depth{suffix}",
        title=mae_by_depth.TITLE,
        caption=f"Mean absolute error on the test rows, {count(seeds, 'seed')}{points}.{line}",
        paper=[_published(each) for each in experiments_like(task.dataset, task.property, task.representation)],
        missing=_lacking(comparison.missing),
        data=table,
        figure=mae_by_depth.draw(table, comparison.unit, optimistic=optimistic) if has_networks else None,
    )


def _curves(run: RunDirectory, comparison: Comparison, suffix: str, optimistic: bool) -> Illustration:
    networks = [trial for trial in comparison.trials if trial.architecture]
    missing = {trial.id for trial in comparison.missing}
    finished = [trial for trial in networks if trial.id not in missing]
    table = learning_curves.data({(point_of(trial), trial.seed): run.history(trial.id) for trial in finished})
    return Illustration(
        name=f"learning_curves{suffix}",
        title=learning_curves.TITLE,
        caption="Mean absolute error on the validation rows after each epoch. A dot marks the epoch whose weights "
        "were tested: the one of the lowest validation error.",
        paper=[
            "Figure 1 has the same three panels, on OQMD-SC: the plain network's curves end higher the deeper it is, "
            "those of SRNet and IRNet lower. Its validation rows were its test rows."
        ],
        missing=_lacking([trial for trial in networks if trial.id in missing]),
        data=table,
        figure=learning_curves.draw(table, comparison.unit, optimistic=optimistic) if len(table) else None,
    )


def _distribution(evidence: Evidence, comparison: Comparison, suffix: str, optimistic: bool) -> Illustration:
    table = error_distribution.data({point: evidence.pooled(point) for point in error_distribution.points(comparison)})
    best = comparison.best_of_ten
    ends = [points[-1] for model in error_distribution.NETWORKS if (points := comparison.planned(model))]
    return Illustration(
        name=f"error_distribution{suffix}",
        title=error_distribution.TITLE,
        caption="Which part of the test rows has at most a given absolute error, for the deepest plain network, the "
        f"deepest IRNet{f' and {_baseline_words(comparison, best)}' if best else ''}. The marks are the 90th "
        "percentiles.",
        paper=[
            "Figure 3 has this for formation enthalpy of JARVIS: the 90th percentile of IRNet is lower than those of "
            "the random forest and the plain network."
        ],
        missing=_lacking([trial for trial in comparison.missing if point_of(trial) in ends]),
        data=table,
        figure=error_distribution.draw(table, comparison.unit, optimistic=optimistic) if len(table) else None,
    )


def _baseline_words(comparison: Comparison, best: Point) -> str:
    """Names the best baseline, and of how many it is."""
    tried = comparison.tried_baselines
    return f"the {best.label}" + (f", by its validation error the best of {tried} baselines" if tried > 1 else "")


def _lacking(trials: list[Trial]) -> str:
    """Names the trials that a figure lacks."""
    if not trials:
        return ""
    return f"Not in this figure, because not finished: {listing(describe_points(trials))}."


def describe_points(trials: list[Trial]) -> list[str]:
    """Names points with their seeds, such as ``IRNet-48 (seeds 0, 1)``, in the order of the figures."""
    seeds: dict[Point, list[int]] = {}
    for trial in trials:
        seeds.setdefault(point_of(trial), []).append(trial.seed)
    return [
        f"{point.label} (seed{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))})"
        for point, numbers in sorted(seeds.items(), key=lambda item: item[0].place)
    ]


def _published(experiment: PublishedExperiment) -> str:
    """Writes an experiment's errors in a sentence."""
    parts = [_published_model(experiment, model) for model in distinct(model for model, _ in experiment.errors)]
    return f"{experiment.place}, {experiment.data()}: {'; '.join(parts)} {experiment.unit}."


def _published_model(experiment: PublishedExperiment, model: str) -> str:
    errors = [(depth, mae) for (name, depth), mae in experiment.errors.items() if name == model]
    return ", ".join(f"{model_label(model, depth)} {mae:.3f}" for depth, mae in errors)
