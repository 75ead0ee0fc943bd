"""Validation error against training step, as in Figure 1 of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from irnet_ray.report.comparison import Point
from irnet_ray.report.figures.style import COLOURS, new_figure, styled
from irnet_ray.report.wording import title_of

TITLE = "Learning curves"
PANELS = ("plain", "srnet", "irnet")

_SPANS_A_LOT = 5.0  # from this ratio of the largest to the smallest error the axis is logarithmic
_LINES = ((0, (1.2, 1.2)), (0, (4, 1.8)), "solid")  # from the shallowest to the deepest network


def data(histories: Mapping[tuple[Point, int], pd.DataFrame]) -> pd.DataFrame:
    """Puts the histories of networks one under the other.

    Args:
        histories: Of each point and seed, columns as in ``Epoch``.

    Returns:
        Columns ``model``, ``depth``, ``seed``, ``epoch``, ``step``, ``val_mae`` (unit of the property) and
        ``is_best``: whether the epoch's weights were tested.
    """
    parts = [
        history[["epoch", "step", "val_mae"]].assign(
            model=point.model, depth=point.depth, seed=seed, is_best=history.index == history["val_mae"].idxmin()
        )
        for (point, seed), history in histories.items()
        if len(history)
    ]
    columns = ["model", "depth", "seed", "epoch", "step", "val_mae", "is_best"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


@styled
def draw(table: pd.DataFrame, unit: str, *, optimistic: bool) -> Figure:
    """Draws a panel for each network and in it a line for each depth and seed.

    Args:
        table: Of ``data``.
        unit: Of the errors.
        optimistic: Whether the validation rows are the test rows.
    """
    panels = [model for model in PANELS if model in set(table["model"])]
    figure, all_axes = new_figure(1.2 + 2.1 * len(panels), 3.0, len(panels))
    depths = sorted(table["depth"].unique())
    for axes, model in zip(all_axes, panels, strict=True):
        _draw_panel(axes, model, table[table["model"] == model], [int(depth) for depth in depths])
    if table["val_mae"].max() > _SPANS_A_LOT * table["val_mae"].min():
        _make_logarithmic(all_axes[0])
    all_axes[0].set_ylabel(f"{'Validation = test' if optimistic else 'Validation'} MAE ({unit})")
    figure.supxlabel("Training step", fontsize=9)
    return figure


def _draw_panel(axes: Axes, model: str, table: pd.DataFrame, depths: list[int]) -> None:
    for place, curve in table.groupby(["depth", "seed"]):
        depth, seed = cast("tuple[int, int]", place)
        rank = depths.index(depth) - len(depths)
        axes.plot(
            curve["step"].to_numpy(),
            curve["val_mae"].to_numpy(),
            color=COLOURS[model],
            linestyle=_LINES[max(rank, -len(_LINES))],
            alpha=max(0.55, 1 + 0.2 * (rank + 1)),
            linewidth=1.3,
            label=f"{depth} layers" if seed == table.loc[table["depth"] == depth, "seed"].min() else None,
        )
        best = curve[curve["is_best"]]
        axes.plot(best["step"].to_numpy(), best["val_mae"].to_numpy(), "o", color=COLOURS[model], markersize=3)
    axes.set_title(title_of(model))
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_xlim(left=0)
    axes.legend(handlelength=2.6, loc="upper right")


def _make_logarithmic(axes: Axes) -> None:
    """Writes plain numbers at 1, 2 and 5 of each decade."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
