"""Validation error against training step, as in Figure 1 of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, MaxNLocator

from irnet_ray.report.comparison import Point
from irnet_ray.report.figures.style import COLOURS, INK, add_legend, make_logarithmic, mark, new_figure, styled
from irnet_ray.report.wording import title_of, with_unit

TITLE = "Learning curves"
PANELS = ("plain", "srnet", "irnet")

_SPANS_A_LOT = 5.0  # from this ratio of the largest to the smallest error the axis is logarithmic
_LINES = (
    "solid",
    (0, (4, 1.8)),
    (0, (1.2, 1.2)),
    (0, (5, 1.2, 1.2, 1.2)),
)  # the deepest first
_DRAWN = 60  # epochs of a curve at most; the data have all


class Curve(NamedTuple):
    """Whose history a curve is.

    Attributes:
        point: The network.
        seed: Of its training.
        trial_id: The trial.
        tested: The epoch whose weights were tested.
    """

    point: Point
    seed: int
    trial_id: str
    tested: int


def data(histories: Mapping[Curve, pd.DataFrame]) -> pd.DataFrame:
    """Puts the histories of networks one under the other.

    Args:
        histories: Columns as in ``Epoch``.

    Returns:
        Columns ``model``, ``depth``, ``seed``, ``epoch``, ``step``, ``val_mae`` (unit of the property), ``is_tested``
        (whether the epoch's weights were) and ``trial_id``.
    """
    parts = [
        history[["epoch", "step", "val_mae"]].assign(
            model=curve.point.model,
            depth=curve.point.depth,
            seed=curve.seed,
            is_tested=history["epoch"] == curve.tested,
            trial_id=curve.trial_id,
        )
        for curve, history in histories.items()
        if len(history)
    ]
    columns = ["model", "depth", "seed", "epoch", "step", "val_mae", "is_tested", "trial_id"]
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
    figure, all_axes = new_figure(1.2 + 2.1 * len(panels), 3.2, len(panels))
    depths = sorted(int(depth) for depth in table["depth"].unique())
    for axes, model in zip(all_axes, panels, strict=True):
        _draw_panel(axes, model, table[table["model"] == model], depths)
    scale = ", log scale" if make_logarithmic(all_axes[0].yaxis, table["val_mae"], _SPANS_A_LOT) else ""
    all_axes[0].set_ylabel(f"{with_unit('Validation = test MAE' if optimistic else 'Validation MAE', unit)}{scale}")
    figure.supxlabel("Training step", fontsize=9)
    _name_dashes(figure, depths)
    return figure


def _style(depth: int, depths: list[int]) -> tuple[object, float]:
    """Dashes and opacity of a depth."""
    rank = len(depths) - 1 - depths.index(depth)
    return _LINES[rank % len(_LINES)], max(0.55, 1 - 0.2 * rank)


def _name_dashes(figure: Figure, depths: list[int]) -> None:
    """Names the dashes once, over all panels."""
    handles = []
    for depth in depths:
        dashes, opacity = _style(depth, depths)
        handles.append(Line2D([], [], color=INK, linestyle=dashes, alpha=opacity, linewidth=1.3))  # type: ignore[arg-type]
        mark(handles[-1], depth=depth)
    labels = [f"{depth} layers" for depth in depths]
    add_legend(figure, handles, labels)


def _draw_panel(axes: Axes, model: str, table: pd.DataFrame, depths: list[int]) -> None:
    for place, curve in table.groupby(["depth", "seed", "trial_id"]):
        depth, _, trial_id = cast("tuple[int, int, str]", place)
        dashes, opacity = _style(int(depth), depths)
        (line,) = axes.plot(
            *_thinned(curve),
            color=COLOURS[model],
            linestyle=dashes,
            alpha=opacity,
            linewidth=1.3,
        )
        best = curve[curve["is_tested"]]
        (dot,) = axes.plot(best["step"].to_numpy(), best["val_mae"].to_numpy(), "o", color=COLOURS[model], markersize=3)
        for artist in (line, dot):
            mark(artist, model, int(depth), [trial_id])
    axes.set_title(title_of(model))
    axes.xaxis.set_major_locator(MaxNLocator(4, prune="upper"))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_xlim(left=0)


def _thinned(curve: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Steps and errors of so many epochs as can be told apart, the tested one among them."""
    every = max(1, -(-len(curve) // _DRAWN))
    kept = curve[(np.arange(len(curve)) % every == 0) | curve["is_tested"].to_numpy(dtype=bool)]
    return kept["step"].to_numpy(), kept["val_mae"].to_numpy()
