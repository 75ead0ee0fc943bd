"""Predicted against actual values of the test rows, as in the first panels of Figures 3 and 4 of the paper."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from irnet_ray.report.figures.error_distribution import Curve
from irnet_ray.report.figures.style import COLOURS, MUTED, mark, new_figure, styled
from irnet_ray.report.ratio import FloatArray
from irnet_ray.report.wording import capitalized

TITLE = "Predicted against actual values"

_LETTERS = 24  # of a title, in a line above a panel
_BINS = 90
_FAINTEST = 0.25  # opacity of a bin that holds one row


def data(predictions: Mapping[Curve, tuple[FloatArray, FloatArray]]) -> pd.DataFrame:
    """Counts test rows in square bins, the same for all panels.

    Args:
        predictions: Target and prediction of each panel's rows, both of shape ``(n,)``, in the property's unit.

    Returns:
        Columns ``name``, ``model``, ``depth``, ``target`` and ``prediction`` (middles of the bins), ``rows`` in the
        bin, ``width`` of a bin and ``trial_ids``; bins without rows are left out.
    """
    columns = ["name", "model", "depth", "target", "prediction", "rows", "width", "trial_ids"]
    if not predictions:
        return pd.DataFrame(columns=columns)
    values = np.concatenate([part for pair in predictions.values() for part in pair])
    low, high = float(values.min()), float(values.max())
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    middles, width = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
    parts = []
    for curve, (target, prediction) in predictions.items():
        counts, _, _ = np.histogram2d(target, prediction, bins=(edges, edges))
        across, up = np.nonzero(counts)
        part = pd.DataFrame(
            {
                "name": curve.name,
                "model": curve.point.model,
                "depth": pd.array([curve.point.depth] * len(across), dtype="Int64"),
                "target": middles[across],
                "prediction": middles[up],
                "rows": counts[across, up].astype(int),
                "width": width,
                "trial_ids": " ".join(curve.trials),
            }
        )
        parts.append(part)
    return pd.concat(parts, ignore_index=True)[columns]


@styled
def draw(table: pd.DataFrame, quantity: str, *, optimistic: bool) -> Figure:
    """Draws a panel for each model; the more rows a bin holds, the darker it is, on a logarithmic scale.

    Args:
        table: Of ``data``.
        quantity: The property with its unit.
        optimistic: Whether the test rows chose the epoch as well.
    """
    names = list(dict.fromkeys(table["name"]))
    titles = [textwrap.fill(capitalized(name).replace("+", " + "), _LETTERS) for name in names]
    lines = 1 + max(title.count("\n") for title in titles)
    figure, all_axes = new_figure(0.9 + 2.1 * len(names), 2.9, len(names), share_x=True, title_lines=lines)
    most = int(table["rows"].max())
    margin = table["width"].iloc[0] / 2
    values = table[["target", "prediction"]].to_numpy()
    limits = (float(values.min() - margin), float(values.max() + margin))
    for axes, name, title in zip(all_axes, names, titles, strict=True):
        _draw_panel(axes, table[table["name"] == name], limits, most)
        axes.set_title(title)
    all_axes[0].set_ylabel(f"Predicted{' (optimistic)' if optimistic else ''}")
    figure.supxlabel(f"Actual {quantity}", fontsize=9)
    return figure


def _draw_panel(axes: Axes, panel: pd.DataFrame, limits: tuple[float, float], most: int) -> None:
    first = panel.iloc[0]
    size = max(1, round((limits[1] - limits[0]) / first["width"]))
    image = np.zeros((size, size, 4))
    image[..., :3] = to_rgb(COLOURS[first["model"]])
    places = ((panel[["prediction", "target"]].to_numpy() - limits[0]) / first["width"]).astype(int)
    shares = np.log1p(panel["rows"].to_numpy()) / np.log1p(most)
    image[places[:, 0], places[:, 1], 3] = _FAINTEST + (1 - _FAINTEST) * shares
    shown = axes.imshow(image, origin="lower", extent=(*limits, *limits), aspect="equal", interpolation="nearest")
    mark(shown, first["model"], None if pd.isna(first["depth"]) else int(first["depth"]), first["trial_ids"].split())
    axes.plot(limits, limits, color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
    axes.set_xlim(*limits)
    axes.set_ylim(*limits)
