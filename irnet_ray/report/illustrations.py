"""Figures with their captions, their tables, their data, and what the paper had in their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from irnet_ray.report.beside_paper import published_errors
from irnet_ray.report.claims.finding import Judged
from irnet_ray.report.comparison import Comparison, Point, describe_points, point_of
from irnet_ray.report.figures import agreement, error_distribution, learning_curves, mae_by_depth
from irnet_ray.report.figures.error_distribution import Curve
from irnet_ray.report.paper import PublishedExperiment, experiments_like
from irnet_ray.report.wording import count, distinct, listing, model_label, with_unit, words
from irnet_ray.study.finished_trial import Record
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
        draw: Draws it, here or in another process; ``None`` while no trial that it needs is finished.
        table: Its numbers in short, to stand beside it; columns as in ``tables``.
    """

    name: str
    title: str
    caption: str
    paper: list[str]
    missing: str
    data: pd.DataFrame
    draw: Callable[[], Figure] | None
    table: pd.DataFrame = field(default_factory=pd.DataFrame)


def illustrate(records: Mapping[str, Record], judged: Judged, suffix: str) -> list[Illustration]:
    """Makes every figure of a comparison.

    Args:
        records: Of the run's finished trials, by id.
        judged: The trials to show, and their test errors.
        suffix: End of the files' names, which tells the comparison from others.
    """
    makers: list[Callable[[Judged, str], Illustration]] = [_depth, partial(_curves, records), _agreement, _distribution]
    return [make(judged, suffix) for make in makers]


def _depth(judged: Judged, suffix: str) -> Illustration:
    comparison, task = judged.comparison, judged.comparison.task
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
        missing=lacking(comparison.missing),
        data=table,
        draw=partial(mae_by_depth.draw, table, comparison.unit, optimistic=judged.optimistic) if has_networks else None,
        table=_depth_summary(judged),
    )


def _depth_summary(judged: Judged) -> pd.DataFrame:
    """Each model's mean error over seeds beside the paper's."""
    best, paper = judged.comparison.best_of_ten, published_errors(judged)
    points = [point for point in judged.comparison.finished_points() if point.depth or point == best]
    rows = []
    for point in points:
        values = pd.Series([float(errors.mean()) for errors in judged.evidence.errors[point].values()])
        rows.append(
            {
                "network": point.label,
                "model": point.model,
                "depth": point.depth,
                "seeds": len(values),
                "unit": judged.comparison.unit,
                "test_mae": values.mean(),
                "test_mae_std": values.std(),
                "paper": paper.get(point),
            }
        )
    return pd.DataFrame(rows).astype({"depth": "Int64"}) if rows else pd.DataFrame()


def _curves(records: Mapping[str, Record], judged: Judged, suffix: str) -> Illustration:
    comparison = judged.comparison
    networks = [trial for trial in comparison.trials if trial.architecture]
    missing = {trial.id for trial in comparison.missing}
    finished = [trial for trial in networks if trial.id not in missing]
    histories = {_of_history(trial, records[trial.id]): records[trial.id].history for trial in finished}
    table = learning_curves.data(histories)
    return Illustration(
        name=f"learning_curves{suffix}",
        title=learning_curves.TITLE,
        caption="Mean absolute error on the validation rows after each epoch. A dot marks the epoch whose weights "
        "were tested.",
        paper=[
            "Figure 1 has three panels, for plain networks, SRNets and IRNets, on OQMD-SC: the plain network's curves "
            "end higher the deeper it is, those of SRNet and IRNet lower. Its validation rows were its test rows."
        ],
        missing=lacking([trial for trial in networks if trial.id in missing]),
        data=table,
        draw=partial(learning_curves.draw, table, comparison.unit, optimistic=judged.optimistic)
        if len(table)
        else None,
        table=_curves_summary(comparison),
    )


def _of_history(trial: Trial, record: Record) -> learning_curves.Curve:
    return learning_curves.Curve(point_of(trial), trial.seed, trial.id, int(record.result["best_epoch"]))


def _curves_summary(comparison: Comparison) -> pd.DataFrame:
    """Epochs, validation error and time of each network, means over seeds."""
    networks = comparison.results[comparison.results["depth"].notna()]
    groups = networks.groupby(["model", "depth"], sort=False)
    columns = ["best_epoch", "epochs", "val_mae", "train_seconds"]
    means = groups[columns].mean().reset_index()
    labels = [model_label(str(row.model), int(str(row.depth))) for row in means.itertuples()]
    whole = {column: means[column].round().astype(int) for column in ("best_epoch", "epochs")}
    return means.assign(network=labels, unit=comparison.unit, **whole)[["network", "model", "depth", "unit", *columns]]


def _agreement(judged: Judged, suffix: str) -> Illustration:
    curves = [_curve(judged, point, one_seed=True) for point in error_distribution.points(judged.comparison)]
    return agreement_of(
        dict.fromkeys(curves, judged),
        suffix,
        caption="Test rows by their actual and predicted values, of one seed each; darker bins hold more rows, on a "
        "logarithmic scale. The deepest network with each placement of shortcuts, and the best baseline.",
        paper="Figure 3 has this for formation enthalpy of JARVIS: a random forest, the plain network and the IRNet of "
        "17 layers, of which the IRNet's rows lie closest to the diagonal.",
        missing=_lacking_ends(judged.comparison),
    )


def _distribution(judged: Judged, suffix: str) -> Illustration:
    best = judged.comparison.best_of_ten
    curves = [_curve(judged, point) for point in error_distribution.points(judged.comparison)]
    return distribution_of(
        dict.fromkeys(curves, judged),
        suffix,
        caption="Which part of the test rows has at most a given absolute error, for the deepest network with each "
        f"placement of shortcuts{f' and {_baseline_words(judged.comparison, best)}' if best else ''}. The marks are "
        "the 90th percentiles.",
        paper="Figure 3 has this for formation enthalpy of JARVIS: the 90th percentile of IRNet is lower than those of "
        "the random forest and the plain network.",
        missing=_lacking_ends(judged.comparison),
    )


def _curve(judged: Judged, point: Point, *, one_seed: bool = False) -> Curve:
    trials = judged.comparison.finished(point)
    return Curve(point.label, point, tuple(trial.id for trial in (trials[:1] if one_seed else trials)))


def agreement_of(
    curves: Mapping[Curve, Judged], suffix: str, *, caption: str, paper: str, missing: str
) -> Illustration:
    """Predicted against actual values of several models."""
    judged = next(iter(curves.values()), None)
    pairs = {
        curve: (each.evidence.target, each.evidence.predictions[curve.point])
        for curve, each in curves.items()
        if each.evidence.target is not None
    }
    table = agreement.data(pairs)
    draw = None
    if judged is not None and len(table):
        task = judged.comparison.task
        quantity = with_unit(words(task.property), judged.comparison.unit)
        draw = partial(agreement.draw, table, quantity, optimistic=judged.optimistic)
    return Illustration(
        name=f"agreement{suffix}",
        title=agreement.TITLE,
        caption=caption,
        paper=[paper],
        missing=missing,
        data=table,
        draw=draw,
        table=_agreement_summary(curves),
    )


def _agreement_summary(curves: Mapping[Curve, Judged]) -> pd.DataFrame:
    columns = ["test_mae", "test_rmse", "test_r2"]
    rows = []
    for curve, judged in curves.items():
        results = judged.comparison.results.set_index("trial_id")
        of_first = results.loc[curve.trials[0], columns].to_dict()
        model, depth = curve.point
        rows.append({"network": curve.name, "model": model, "depth": depth, "unit": judged.comparison.unit, **of_first})
    return pd.DataFrame(rows).astype({"depth": "Int64"}) if rows else pd.DataFrame()


def distribution_of(
    curves: Mapping[Curve, Judged], suffix: str, *, caption: str, paper: str, missing: str
) -> Illustration:
    """How the absolute errors of several models are distributed."""
    table = error_distribution.data({curve: each.evidence.pooled(curve.point) for curve, each in curves.items()})
    judged = next(iter(curves.values()), None)
    return Illustration(
        name=f"error_distribution{suffix}",
        title=error_distribution.TITLE,
        caption=caption,
        paper=[paper],
        missing=missing,
        data=table,
        draw=partial(error_distribution.draw, table, judged.comparison.unit, optimistic=judged.optimistic)
        if judged is not None and len(table)
        else None,
        table=error_distribution.summary(table).assign(unit=judged.comparison.unit if judged else ""),
    )


def _lacking_ends(comparison: Comparison) -> str:
    """Names missing trials of the deepest networks."""
    ends = [points[-1] for model in ("plain", "srnet", "irnet") if (points := comparison.planned(model))]
    baselines = comparison.unfinished_baselines
    return lacking([*(trial for trial in comparison.missing if point_of(trial) in ends), *baselines])


def _baseline_words(comparison: Comparison, best: Point) -> str:
    """Names the best baseline, and of how many it is."""
    tried = comparison.tried_baselines
    return f"the {best.label}" + (f", by its validation error the best of {tried} baselines" if tried > 1 else "")


def lacking(trials: list[Trial]) -> str:
    """Names the trials that a figure lacks."""
    if not trials:
        return ""
    return f"Not in this figure, because not finished: {listing(describe_points(trials))}."


def _published(experiment: PublishedExperiment) -> str:
    """Writes an experiment's errors in a sentence."""
    parts = [_published_model(experiment, model) for model in distinct(model for model, _ in experiment.errors)]
    return f"{experiment.place}, {experiment.data()}: {'; '.join(parts)} {experiment.unit}."


def _published_model(experiment: PublishedExperiment, model: str) -> str:
    errors = [(depth, mae) for (name, depth), mae in experiment.errors.items() if name == model]
    return ", ".join(f"{model_label(model, depth)} {mae:.3f}" for depth, mae in errors)
