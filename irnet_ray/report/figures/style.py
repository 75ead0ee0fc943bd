"""One look for all figures, and how they become files."""

from __future__ import annotations

import io
import re
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

from irnet_ray.model.baselines import BASELINES

INK = "#1f2328"
MUTED = "#6b7280"
RULE = "#d8dce2"
CLASSICAL = "#7a6f9b"
COLOURS = {"plain": "#d55e00", "srnet": "#009e73", "irnet": "#0072b2", **dict.fromkeys(BASELINES, CLASSICAL)}
"""Of each model in every figure; the networks' are of the set of Okabe and Ito (2008) for colour-blind eyes."""

MARKERS = {"plain": "s", "srnet": "^", "irnet": "o", **dict.fromkeys(BASELINES, "D")}

_DPI = 150
_SMALLEST, _LARGEST = 3.9, 6.7  # rem an inch: between them a drawing follows the width of the page
_STYLE: dict[RcKeyType, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
}

styled = matplotlib.rc_context(_STYLE)
"""Decorates a function that draws a figure."""


def new_figure(width: float, height: float, panels: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure with panels side by side that share their y axis.

    Args:
        width: Of the figure (inches).
        height: Of the figure (inches).
        panels: How many.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, panels, sharey=True, squeeze=False)
    return figure, list(axes[0])


def legend_above(figure: Figure, axes: Axes) -> None:
    """Puts the legend in one row over the axes."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=max(len(labels), 1), columnspacing=1.4)


def to_png(figure: Figure) -> bytes:
    """Renders at 150 dots per inch; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def to_svg(figure: Figure, name: str, description: str) -> str:
    """Writes an SVG element to be set into a page, whose style sheet may give the colours other values.

    Text stays text, in the page's font and of the same size in every figure. Each colour becomes a CSS
    variable with itself as the default.

    Args:
        figure: What to write.
        name: Tells the figure from the others on the page; the same one gives the same text.
        description: Read out to people who do not see the figure.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.savefig(
            buffer, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    referenced = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    text = re.sub(r' id="([^"]+)"', lambda match: match[0] if match[1] in referenced else "", text)
    networks = {colour: model for model, colour in COLOURS.items()}
    variables = {INK: "ink", MUTED: "muted", RULE: "rule", **networks, CLASSICAL: "classical"}
    for colour, variable in variables.items():
        text = text.replace(colour, f"var(--{variable.replace('_', '-')}, {colour})")
    width = figure.get_figwidth()
    limits = f"min-width: {_SMALLEST * width:.1f}rem; max-width: {_LARGEST * width:.1f}rem"
    return text.replace("<svg", f'<svg role="img" aria-label="{description}" style="{limits}"', 1).strip()
