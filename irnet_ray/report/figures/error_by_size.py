"""Test error against training rows, and what IRNet gains over classical learning (Figure 2 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from irnet_ray.model.baselines import THE_TEN
from irnet_ray.report.claims.finding import Judged
from irnet_ray.report.comparison import Point
from irnet_ray.report.figures.style import (
    CLASSICAL,
    COLOURS,
    MARKERS,
    MUTED,
    PAGE,
    legend_above,
    make_logarithmic,
    mark,
    new_figure,
    styled,
)
from irnet_ray.report.wording import capitalized, with_unit

TITLE = "Test error against training rows"
GAIN_TITLE = "What IRNet gains over the best baseline"
BEST = "best baseline"
_BESIDE = Point("gradient_boosting", None)

_DASHES: dict[int, Any] = {10: ":", 17: "-", 24: "-.", 48: "--"}
_ODD = (0, (3, 1, 1, 1, 1, 1))  # dashes of other depths
_BASELINE: tuple[Any, str] = ((0, (5, 3)), "D")
_BOOSTING: tuple[Any, str] = ((0, (1, 2)), "P")
_MARGIN = 1.06


def data(run: Sequence[Judged]) -> pd.DataFrame:
    """Gathers errors over numbers of training rows.

    Args:
        run: Comparisons on the same data, each with another number of training rows.

    Returns:
        Columns ``name``, ``model`` (empty for the best of the paper's ten), ``depth``, ``train_rows``, ``seed``,
        ``test_mae`` (unit of the property), ``baseline`` (which one is best), ``of_the_ten`` (of how many that have a
        result) and ``trial_id``, by name, rows and seed.
    """
    rows: list[dict[str, object]] = []
    for judged in run:
        best = judged.comparison.best_of_ten
        points = [point for point in judged.comparison.finished_points() if point.depth or point == _BESIDE]
        named = {point.label: point for point in points} | ({BEST: best} if best else {})
        rows += [row for name, point in named.items() for row in _rows(judged, name, point)]
    columns = ["name", "model", "depth", "train_rows", "seed", "test_mae", "baseline", "of_the_ten", "trial_id"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype({"depth": "Int64"}).sort_values(["model", "depth", "train_rows", "seed"], ignore_index=True)


def _rows(judged: Judged, name: str, point: Point) -> list[dict[str, object]]:
    errors = judged.evidence.errors[point]
    return [
        {
            "name": name,
            "model": "" if name == BEST else point.model,
            "depth": point.depth,
            "train_rows": judged.comparison.train_rows,
            "seed": trial.seed,
            "test_mae": float(errors[trial.seed].mean()),
            "baseline": point.label if name == BEST else "",
            "of_the_ten": judged.comparison.tried_baselines,
            "trial_id": trial.id,
        }
        for trial in judged.comparison.finished(point)
    ]


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Mean errors side by side: a row for each number of training rows, a column for each model.

    Args:
        table: Of ``data``.
    """
    means = table.groupby(["train_rows", "name"], sort=False)["test_mae"].mean().unstack()
    names = list(dict.fromkeys(table["name"]))
    best = table[table["name"] == BEST].drop_duplicates("train_rows")
    texts = [_of_how_many(*each) for each in best[["baseline", "of_the_ten"]].itertuples(index=False)]
    baselines = pd.Series(texts, index=best["train_rows"], dtype=object)
    wide = means.reindex(columns=names).sort_index()
    if len(baselines):
        wide["which_baseline"] = baselines.reindex(wide.index)
    return wide.reset_index().rename_axis(columns=None)


def _of_how_many(baseline: str, of_the_ten: int) -> str:
    return baseline if of_the_ten == len(THE_TEN) else f"{baseline}, of {of_the_ten} that have a result"


def gains(table: pd.DataFrame) -> pd.DataFrame:
    """The relative change of each IRNet's error from that of the best baseline, as in Figure 2.

    Args:
        table: Of ``data``.

    Returns:
        Columns ``name``, ``model``, ``depth``, ``train_rows``, ``of_the_ten`` (how many have a result), ``change``
        (negative where IRNet is better) and ``trial_ids``.
    """
    means = table.groupby(["name", "model", "depth", "train_rows", "of_the_ten"], dropna=False, sort=False)
    averaged = means.agg(test_mae=("test_mae", "mean"), trial_ids=("trial_id", " ".join)).reset_index()
    baselines = averaged[averaged["name"] == BEST].set_index("train_rows")["test_mae"]
    networks = averaged[(averaged["model"] == "irnet") & averaged["train_rows"].isin(baselines.index)]
    change = networks["test_mae"].to_numpy() / baselines.reindex(networks["train_rows"]).to_numpy() - 1
    columns = ["name", "model", "depth", "train_rows", "of_the_ten", "change", "trial_ids"]
    return networks.assign(change=change)[columns].reset_index(drop=True)


def gains_summary(table: pd.DataFrame) -> pd.DataFrame:
    """The changes side by side, in percent: a row for each number of training rows, a column for each IRNet.

    Args:
        table: Of ``gains``.
    """
    if table.empty:
        return pd.DataFrame()
    percent = table.assign(percent=[f"{100 * change:+.0f}%" for change in table["change"]])
    return percent.pivot(index="train_rows", columns="name", values="percent").reset_index().rename_axis(columns=None)


@styled
def draw(table: pd.DataFrame, unit: str, *, optimistic: bool) -> Figure:
    """Draws a line through the means of each model; each seed is a faint point. Both axes are logarithmic.

    Args:
        table: Of ``data``.
        unit: Of the errors.
        optimistic: Whether the test rows chose the epoch as well.
    """
    figure, (axes,) = new_figure(5.4, 3.8)
    for name, rows in table.groupby("name", sort=False):
        means = rows.groupby("train_rows")["test_mae"].mean()
        groups = rows.groupby("train_rows")["trial_id"].apply(list)
        _draw_line(axes, str(name), rows, means, groups, _of_few(rows) if name == BEST else ())
        for size, error, trial_id in rows[["train_rows", "test_mae", "trial_id"]].to_numpy():
            (seed,) = axes.plot([size], [error], "o", color=_colour(rows), alpha=0.35, markersize=3)
            mark(seed, *_whose(rows), [trial_id])
    is_logarithmic = make_logarithmic(axes.yaxis, table["test_mae"])
    low, high = table["test_mae"].min(), table["test_mae"].max()
    axes.set_ylim(low / _MARGIN if is_logarithmic else 0, high * _MARGIN or None)
    scale = ", log scale" if is_logarithmic else ""
    _finish(figure, axes, table, f"{with_unit('Test MAE', unit)}{', optimistic' if optimistic else ''}{scale}")
    return figure


@styled
def draw_gains(table: pd.DataFrame, *, optimistic: bool) -> Figure:
    """Draws the relative change for each depth of IRNet.

    Args:
        table: Of ``gains``.
        optimistic: Whether the test rows chose the epoch as well.
    """
    figure, (axes,) = new_figure(5.4, 3.3)
    axes.axhline(0, color=MUTED, linewidth=1)
    for name, rows in table.groupby("name", sort=False):
        by_size = rows.set_index("train_rows")
        _draw_line(axes, str(name), rows, by_size["change"], by_size["trial_ids"].str.split(), _of_few(rows))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g}%".replace("-", "\N{MINUS SIGN}")))
    _finish(figure, axes, table, f"Test MAE against the best baseline{', optimistic' if optimistic else ''}")
    return figure


def _of_few(rows: pd.DataFrame) -> list[int]:
    """The sizes at which not all of the ten have a result."""
    return [int(size) for size in rows.loc[rows["of_the_ten"] < len(THE_TEN), "train_rows"]]


def _draw_line(
    axes: Axes, name: str, rows: pd.DataFrame, values: pd.Series, trials: pd.Series, hollow: Sequence[int]
) -> None:
    depth = rows["depth"].iloc[0]
    dashes, marker = _BASELINE if name == BEST else _BOOSTING
    if not pd.isna(depth):
        dashes, marker = _DASHES.get(int(depth), _ODD), MARKERS[str(rows["model"].iloc[0])]
    (line,) = axes.plot(values.index.to_numpy(), values.to_numpy(), linestyle=dashes, color=_colour(rows))
    line.set(label=capitalized(name), marker=marker)
    mark(line, *_whose(rows))
    for size, value, ids in zip(values.index.to_numpy(), values.to_numpy(), trials, strict=True):
        face = PAGE if size in hollow else _colour(rows)
        (point,) = axes.plot([size], [value], marker, color=_colour(rows), markerfacecolor=face)
        point.set_zorder(3 if size in hollow else 2)  # over the single seeds, which would fill it
        mark(point, *_whose(rows), ids)


def _whose(rows: pd.DataFrame) -> tuple[str, int | None]:
    """Model and depth for the page's filters."""
    first = rows.iloc[0]
    return (first["model"] or "random_forest"), None if pd.isna(first["depth"]) else int(first["depth"])


def _colour(line: pd.DataFrame) -> str:
    return COLOURS.get(str(line["model"].iloc[0]), CLASSICAL)


def _finish(figure: Figure, axes: Axes, table: pd.DataFrame, label: str) -> None:
    sizes = sorted(table["train_rows"].unique())
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:,.0f}" for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    axes.set_xlabel("Training rows, log scale")
    axes.set_ylabel(label)
    legend_above(figure, axes)
