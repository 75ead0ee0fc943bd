"""Test error against depth: does depth help, and where are the shortcuts?"""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from irnet_ray.report.figures.style import (
    COLOURS,
    MARKERS,
    legend_above,
    make_logarithmic,
    mark,
    new_figure,
    styled,
)
from irnet_ray.report.wording import model_order, title_of, with_unit

TITLE = "Test error against depth"

_SPANS_A_LOT = 2.0  # from this ratio of the largest to the smallest error the axis is logarithmic
_MARGIN = 1.06
_BESIDE = 2.0  # layers that stay free at both ends
_APART = {"plain": -0.25, "srnet": 0.0, "irnet": 0.25}  # layers, so that no point hides another


def data(results: pd.DataFrame) -> pd.DataFrame:
    """Takes the test errors out of a comparison's results.

    Args:
        results: Columns as in ``RESULT_COLUMNS``, one row for each trial.

    Returns:
        Columns ``model``, ``depth`` (missing for baselines), ``seed``, ``test_mae`` (unit of the property) and
        ``trial_id``, by model, depth and seed.
    """
    table = results[["model", "depth", "seed", "test_mae", "trial_id"]]
    order = table.assign(order=table["model"].map(model_order)).sort_values(["order", "depth", "seed"]).index
    return table.loc[order].reset_index(drop=True)


@styled
def draw(table: pd.DataFrame, unit: str, *, optimistic: bool) -> Figure:
    """Draws a line for each network through the means over seeds; each seed is a faint point.

    Args:
        table: Of ``data``.
        unit: Of the errors.
        optimistic: Whether the test rows chose the epoch as well.
    """
    figure, (axes,) = new_figure(5.4, 3.5)
    networks = table[table["depth"].notna()]
    for model in networks["model"].unique():
        _draw_network(axes, model, networks[networks["model"] == model])
    for model, rows in table[table["depth"].isna()].groupby("model", sort=False):
        name = str(model)
        line = axes.axhline(rows["test_mae"].mean(), color=COLOURS[name], linestyle=(0, (5, 3)), linewidth=1.3)
        line.set_label(title_of(name))
        mark(line, name, trials=rows["trial_id"])
    depths = sorted(int(depth) for depth in networks["depth"].unique())
    axes.set_xticks(depths, [str(depth) for depth in depths])
    axes.set_xlim(depths[0] - _BESIDE, depths[-1] + _BESIDE)
    low, high = table["test_mae"].min(), table["test_mae"].max()
    is_logarithmic = make_logarithmic(axes.yaxis, table["test_mae"], _SPANS_A_LOT)
    axes.set_ylim(low / _MARGIN if is_logarithmic else 0, high * _MARGIN or None)
    scale = ", log scale" if is_logarithmic else ""
    axes.set_xlabel("Depth (layers)")
    axes.set_ylabel(f"{with_unit('Test MAE', unit)}{', optimistic' if optimistic else ''}{scale}")
    axes.grid(visible=False, axis="x")
    legend_above(figure, axes)
    return figure


def _draw_network(axes: Axes, model: str, table: pd.DataFrame) -> None:
    colour, marker = COLOURS[model], MARKERS[model]
    depths = sorted(table["depth"].astype(int).unique().tolist())
    by_depth = {depth: table[table["depth"] == depth] for depth in depths}
    places = [depth + _APART[model] for depth in depths]
    means = [float(rows["test_mae"].mean()) for rows in by_depth.values()]
    (line,) = axes.plot(places, means, color=colour, marker=marker, label=title_of(model))
    mark(line, model, "all")
    for (depth, rows), place, mean in zip(by_depth.items(), places, means, strict=True):
        (point,) = axes.plot([place], [mean], marker, color=colour)
        mark(point, model, depth, rows["trial_id"])
        for trial_id, error in rows[["trial_id", "test_mae"]].to_numpy() if len(rows) > 1 else ():
            (seed,) = axes.plot([place], [error], marker, color=colour, alpha=0.35, markersize=3.5)
            mark(seed, model, depth, [trial_id])
