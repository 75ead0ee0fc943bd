"""Cumulative distribution of absolute test errors, as in the last panel of Figure 3 of the paper."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from irnet_ray.report.comparison import Comparison, Point
from irnet_ray.report.figures.style import COLOURS, MARKERS, MUTED, new_figure, styled
from irnet_ray.report.ratio import FloatArray
from irnet_ray.report.wording import capitalized, model_label, number

TITLE = "Distribution of test errors"
NETWORKS = ("plain", "irnet")
MARKED = 0.9

_FRACTIONS = np.round(np.linspace(0, 1, 501), 3)
_SHOWN = 0.96  # of the worst model's errors; the long tail would press the rest together


def points(comparison: Comparison) -> list[Point]:
    """The deepest finished plain network and IRNet, and the best of the ten baselines."""
    finished = comparison.finished_points()
    by_model = [[point for point in finished if point.model == model] for model in NETWORKS]
    best = comparison.best_of_ten
    return [*(candidates[-1] for candidates in by_model if candidates), *([best] if best else [])]


def data(errors: Mapping[Point, FloatArray]) -> pd.DataFrame:
    """Finds the quantiles of absolute errors.

    Args:
        errors: Absolute errors of each model, of all its seeds together, shape ``(n,)``.

    Returns:
        Columns ``model``, ``depth``, ``fraction`` (of the test rows, 0 to 1 in steps of 0.002) and
        ``absolute_error`` (unit of the property) that this fraction does not exceed.
    """
    parts = [
        pd.DataFrame(
            {
                "model": point.model,
                "depth": pd.array([point.depth] * len(_FRACTIONS), dtype="Int64"),
                "fraction": _FRACTIONS,
                "absolute_error": np.quantile(values, _FRACTIONS),
            }
        )
        for point, values in errors.items()
    ]
    columns = ["model", "depth", "fraction", "absolute_error"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


@styled
def draw(table: pd.DataFrame, unit: str, *, optimistic: bool) -> Figure:
    """Draws a line for each model and marks its 90th percentile.

    Args:
        table: Of ``data``.
        unit: Of the errors.
        optimistic: Whether the test rows chose the epoch as well.
    """
    figure, (axes,) = new_figure(5.4, 3.5)
    axes.axhline(MARKED, color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
    for model, curve in table.groupby("model", sort=False):
        name = str(model)
        marked = float(curve.loc[curve["fraction"] == MARKED, "absolute_error"].iloc[0])
        depth = curve["depth"].iloc[0]
        label = model_label(name, None if pd.isna(depth) else int(depth))
        dashes = (0, (5, 3)) if pd.isna(depth) else "solid"
        axes.plot(
            curve["absolute_error"].to_numpy(),
            curve["fraction"].to_numpy(),
            color=COLOURS[name],
            linestyle=dashes,
            label=f"{capitalized(label)}: {number(marked)} {unit}",
        )
        axes.plot([marked], [MARKED], MARKERS[name], color=COLOURS[name])
    axes.set_xlim(0, float(table.loc[table["fraction"] == _SHOWN, "absolute_error"].max()))
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel(f"Absolute test error ({unit}){', optimistic' if optimistic else ''}")
    axes.set_ylabel("Test rows with at most this error")
    axes.legend(loc="lower right", title=f"{MARKED:.0%} of the rows are within", title_fontsize=8.5, alignment="left")
    return figure
