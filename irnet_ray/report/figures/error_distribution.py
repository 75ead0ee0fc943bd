"""Cumulative distribution of absolute test errors, as in the last panels of Figures 3 and 4 of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from irnet_ray.report.comparison import Comparison, Point
from irnet_ray.report.figures.style import COLOURS, MARKERS, MUTED, mark, mark_legend, new_figure, styled
from irnet_ray.report.ratio import FloatArray
from irnet_ray.report.wording import capitalized, number, with_unit

TITLE = "Distribution of test errors"
MARKED = 0.9

_FRACTIONS = np.round(np.linspace(0, 1, 501), 3)
_SHOWN = 0.96  # of the worst model's errors; the long tail would press the rest together
_NETWORKS = ("plain", "srnet", "irnet")
_DASHES = ("solid", (0, (4, 1.8)), (0, (1.2, 1.2)), (0, (5, 1, 1, 1)))  # of models of one colour


class Curve(NamedTuple):
    """Whose errors a curve shows.

    Attributes:
        name: In the legend.
        point: The model.
        trials: Ids of the trials whose errors are pooled.
    """

    name: str
    point: Point
    trials: tuple[str, ...]


def points(comparison: Comparison) -> list[Point]:
    """The deepest finished network with each placement of shortcuts, and the best of the ten baselines."""
    finished = comparison.finished_points()
    by_model = [[point for point in finished if point.model == model] for model in _NETWORKS]
    best = comparison.best_of_ten
    return [*(candidates[-1] for candidates in by_model if candidates), *([best] if best else [])]


def data(errors: Mapping[Curve, FloatArray]) -> pd.DataFrame:
    """Finds the quantiles of absolute errors.

    Args:
        errors: Absolute errors of each curve, of all its seeds together, shape ``(n,)``.

    Returns:
        Columns ``name``, ``model``, ``depth``, ``fraction`` (of the test rows, 0 to 1 in steps of 0.002),
        ``absolute_error`` (unit of the property) that this fraction does not exceed, and ``trial_ids``.
    """
    parts = [
        pd.DataFrame(
            {
                "name": curve.name,
                "model": curve.point.model,
                "depth": pd.array([curve.point.depth] * len(_FRACTIONS), dtype="Int64"),
                "fraction": _FRACTIONS,
                "absolute_error": np.quantile(values, _FRACTIONS),
                "trial_ids": " ".join(curve.trials),
            }
        )
        for curve, values in errors.items()
    ]
    columns = ["name", "model", "depth", "fraction", "absolute_error", "trial_ids"]
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
    drawn: dict[str, int] = {}
    for name, curve in table.groupby("name", sort=False):
        model = str(curve["model"].iloc[0])
        depth = curve["depth"].iloc[0]
        marked = float(curve.loc[curve["fraction"] == MARKED, "absolute_error"].iloc[0])
        drawn[model] = drawn.get(model, -1) + 1
        (line,) = axes.plot(
            curve["absolute_error"].to_numpy(),
            curve["fraction"].to_numpy(),
            color=COLOURS[model],
            linestyle=(0, (5, 3)) if pd.isna(depth) else _DASHES[drawn[model] % len(_DASHES)],
            label=f"{capitalized(str(name))}: {number(marked)} {unit}".rstrip(),
        )
        (dot,) = axes.plot([marked], [MARKED], MARKERS[model], color=COLOURS[model])
        for artist in (line, dot):
            mark(artist, model, None if pd.isna(depth) else int(depth), curve["trial_ids"].iloc[0].split())
    axes.set_xlim(0, float(table.loc[table["fraction"] == _SHOWN, "absolute_error"].max()) or None)
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel(f"{with_unit('Absolute test error', unit)}{', optimistic' if optimistic else ''}")
    axes.set_ylabel("Test rows with at most this error")
    legend = axes.legend(
        loc="lower right", title=f"{MARKED:.0%} of the rows are within", title_fontsize=8.5, alignment="left"
    )
    mark_legend(legend, axes.get_legend_handles_labels()[0])
    return figure


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Some quantiles side by side.

    Args:
        table: Of ``data``.

    Returns:
        Columns ``network``, ``model``, ``depth``, ``half_within``, ``p90``, ``p95`` and ``p99`` (unit of the property).
    """
    wanted = {"half_within": 0.5, "p90": MARKED, "p95": 0.95, "p99": 0.99}
    rows = []
    for name, curve in table.groupby("name", sort=False):
        errors = curve.set_index("fraction")["absolute_error"]
        first = curve.iloc[0]
        quantiles = {column: errors[fraction] for column, fraction in wanted.items()}
        rows.append({"network": name, "model": first["model"], "depth": first["depth"], **quantiles})
    return pd.DataFrame(rows, columns=["network", "model", "depth", *wanted]).astype({"depth": "Int64"})
