"""Test error against depth: does depth help, and where are the shortcuts?"""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from irnet_ray.report.figures.style import COLOURS, MARKERS, legend_above, new_figure, styled
from irnet_ray.report.wording import model_order, title_of

TITLE = "Test error against depth"


def data(results: pd.DataFrame) -> pd.DataFrame:
    """Takes the test errors out of a comparison's results.

    Args:
        results: Columns as in ``RESULT_COLUMNS``, one row for each trial.

    Returns:
        Columns ``model``, ``depth`` (missing for baselines), ``seed`` and ``test_mae`` (unit of the
        property), by model, depth and seed.
    """
    table = results[["model", "depth", "seed", "test_mae"]]
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
    baselines = table[table["depth"].isna()]
    for model in baselines["model"].unique():
        mean = baselines.loc[baselines["model"] == model, "test_mae"].mean()
        axes.axhline(mean, color=COLOURS[model], linestyle=(0, (5, 3)), linewidth=1.3, label=title_of(model))
    depths = sorted(int(depth) for depth in networks["depth"].unique())
    axes.set_xticks(depths, [str(depth) for depth in depths])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("Depth (layers)")
    axes.set_ylabel(f"Test MAE ({unit}){', optimistic' if optimistic else ''}")
    axes.grid(visible=False, axis="x")
    legend_above(figure, axes)
    return figure


def _draw_network(axes: Axes, model: str, table: pd.DataFrame) -> None:
    colour, marker = COLOURS[model], MARKERS[model]
    mean = table.groupby("depth")["test_mae"].mean()
    depths = [int(depth) for depth in mean.index]
    axes.plot(depths, mean.to_numpy(), color=colour, marker=marker, label=title_of(model))
    if table["seed"].nunique() > 1:
        seeds = table["depth"].astype(int).to_numpy()
        axes.plot(
            seeds, table["test_mae"].to_numpy(), linestyle="", marker=marker, color=colour, alpha=0.3, markersize=4
        )
