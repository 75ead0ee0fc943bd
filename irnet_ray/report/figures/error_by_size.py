"""Test error against training rows, and what IRNet gains over classical learning (Figure 2 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from irnet_ray.report.claims.finding import Judged
from irnet_ray.report.comparison import Point
from irnet_ray.report.figures.style import CLASSICAL, COLOURS, MUTED, legend_above, new_figure, styled
from irnet_ray.report.wording import capitalized

TITLE = "Test error against training rows"
GAIN_TITLE = "What IRNet gains over the best baseline"

_LINES = {10: (":", "o"), 17: ("-", "o"), 24: ("-.", "^"), 48: ("--", "s")}
BEST = "best baseline"


def data(run: Sequence[Judged]) -> pd.DataFrame:
    """Gathers mean errors over numbers of training rows.

    Args:
        run: Comparisons on the same data, each with another number of training rows.

    Returns:
        Columns ``name``, ``model`` (empty for the best baseline), ``depth``, ``train_rows``, ``seeds``, ``test_mae``
        (mean over seeds) and ``test_mae_std``, by name and rows.
    """
    rows = []
    for judged in run:
        best = judged.comparison.best_of_ten
        points = [point for point in judged.comparison.finished_points() if point.depth]
        named = {point.label: point for point in points} | ({BEST: best} if best else {})
        rows += [_row(judged, name, point) for name, point in named.items()]
    table = pd.DataFrame(rows, columns=["name", "model", "depth", "train_rows", "seeds", "test_mae", "test_mae_std"])
    return table.astype({"depth": "Int64"}).sort_values(["model", "depth", "train_rows"], ignore_index=True)


def _row(judged: Judged, name: str, point: Point) -> dict[str, object]:
    means = pd.Series([float(errors.mean()) for errors in judged.evidence.errors[point].values()])
    return {
        "name": name,
        "model": "" if name == BEST else point.model,
        "depth": point.depth,
        "train_rows": judged.comparison.train_rows,
        "seeds": len(means),
        "test_mae": means.mean(),
        "test_mae_std": means.std(),
    }


def gains(table: pd.DataFrame) -> pd.DataFrame:
    """The relative change of each IRNet's error from that of the best baseline, as in Figure 2.

    Args:
        table: Of ``data``.

    Returns:
        Columns ``name``, ``model``, ``depth``, ``train_rows`` and ``change`` (negative where IRNet is better).
    """
    baselines = table[table["name"] == BEST].set_index("train_rows")["test_mae"]
    networks = table[(table["model"] == "irnet") & table["train_rows"].isin(baselines.index)]
    change = networks["test_mae"].to_numpy() / baselines.reindex(networks["train_rows"]).to_numpy() - 1
    return networks[["name", "model", "depth", "train_rows"]].assign(change=change).reset_index(drop=True)


@styled
def draw(table: pd.DataFrame, unit: str, *, optimistic: bool) -> Figure:
    """Draws a line for each model; both axes are logarithmic.

    Args:
        table: Of ``data``.
        unit: Of the errors.
        optimistic: Whether the test rows chose the epoch as well.
    """
    figure, (axes,) = new_figure(5.4, 3.8)
    for name, line in table.groupby("name", sort=False):
        _draw_line(axes, str(name), line, line["test_mae"])
        axes.errorbar(
            line["train_rows"].to_numpy(),
            line["test_mae"].to_numpy(),
            yerr=line["test_mae_std"].fillna(0).to_numpy(),
            fmt="none",
            ecolor=_colour(line),
            elinewidth=1,
        )
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:.0e}"[0] in "235" else ""))
    _finish(figure, axes, f"Test MAE ({unit}){', optimistic' if optimistic else ''}")
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
    for name, line in table.groupby("name", sort=False):
        _draw_line(axes, str(name), line, line["change"])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    _finish(figure, axes, f"Change of test MAE{', optimistic' if optimistic else ''}")
    return figure


def _draw_line(axes: Axes, name: str, line: pd.DataFrame, values: pd.Series) -> None:
    depth = line["depth"].iloc[0]
    style, marker = ((0, (5, 3)), "D") if pd.isna(depth) else _LINES.get(int(depth), ("-", "o"))
    axes.plot(
        line["train_rows"].to_numpy(),
        values.to_numpy(),
        linestyle=style,
        marker=marker,
        color=_colour(line),
        label=capitalized(name),
    )


def _colour(line: pd.DataFrame) -> str:
    return COLOURS.get(str(line["model"].iloc[0]), CLASSICAL)


def _finish(figure: Figure, axes: Axes, label: str) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel("Training rows")
    axes.set_ylabel(label)
    legend_above(figure, axes)
