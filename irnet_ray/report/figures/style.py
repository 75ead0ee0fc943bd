"""One look for all figures, and how they become files."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from matplotlib.transforms import ScaledTranslation
from matplotlib.typing import RcKeyType

from irnet_ray.model.baselines import BASELINES
from irnet_ray.report.wording import filter_model

INK = "#1f2328"
PAGE = "#fefefe"  # white, but told from other whites, as a page may be dark
MUTED = "#6b7280"
RULE = "#d8dce2"
CLASSICAL = "#7a6f9b"
COLOURS = {"plain": "#d55e00", "srnet": "#009e73", "irnet": "#0072b2", **dict.fromkeys(BASELINES, CLASSICAL)}
"""Of each model in every figure; the networks' are of the set of Okabe and Ito (2008) for colour-blind eyes."""

MARKERS = {"plain": "s", "srnet": "^", "irnet": "o", **dict.fromkeys(BASELINES, "D")}

# Inches.
_LEFT, _RIGHT, _BOTTOM, _TITLE, _GAP = 0.75, 0.15, 0.52, 0.3, 0.12
_ROW, _ENTRY = 0.21, 1.3  # of a legend; titles have such rows as well
_BELOW, _BESIDE = 0.28, 0.53  # from a panel to the names of its axes

_DPI = 150
_POINTS = 72  # an inch
_COMPRESSION = 3  # of 9; more takes long and saves little
_SMALLEST, _LARGEST = 3.9, 6.7  # rem an inch: between them a drawing follows the width of the page
_STYLE: dict[RcKeyType, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,
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
    "axes.titley": 1.0,
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
_ATTRIBUTES = re.compile(r' (?:d|x|y|transform|style)="[^"]*"')  # in which a number is no label
_SHORTER = {
    r"(\d\.\d)\d{3,}": r"\1",  # a tenth of a point
    r"\n": " ",
    r"font-family: [^;\"]*": "font-family: sans-serif",
    r' transform="rotate\(-0 [^"]*"': "",
    r"(?<=\d) +L (?=[\d-])": " ",  # what follows a place is a line
    r" +(?=\")": "",
}
_MARK = re.compile(r' id="mark/(\w*)/(\w*)/([\w ]*)"')
_COARSE, _FINE = (1, 2, 3, 5), (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)  # of an axis of many decades, and of few
_FEW_DECADES = 12.0  # an axis that spans less than this factor wants more labels


styled = matplotlib.rc_context(_STYLE)
"""Decorates a function that draws a figure."""


def new_figure(
    width: float, height: float, panels: int = 1, *, share_x: bool = False, title_lines: int = 1
) -> tuple[Figure, list[Axes]]:
    """A figure with panels side by side that share their y axis, and room for titles where there are several.

    Its margins and the places of titles and names are fixed: to have them measured takes as long as to draw the rest.

    Args:
        width: Of the figure (inches).
        height: Of the figure with titles of one line (inches).
        panels: How many.
        share_x: Whether they share the other axis as well.
        title_lines: Of the longest title.
    """
    more_lines = (title_lines - 1) * _ROW
    height += more_lines
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    inner = (width - _LEFT - _RIGHT) / panels  # inches of a panel and the gap beside it
    figure.subplots_adjust(
        left=_LEFT / width,
        right=1 - _RIGHT / width,
        bottom=_BOTTOM / height,
        top=1 - ((_TITLE if panels > 1 else _RIGHT) + more_lines) / height,
        wspace=_GAP / (inner - _GAP),
    )
    panels_of_row = list(figure.subplots(1, panels, sharex=share_x, sharey=True, squeeze=False)[0])
    for axes in panels_of_row:
        below, beside = (
            axes.transAxes + ScaledTranslation(right, up, figure.dpi_scale_trans)
            for right, up in ((0, -_BELOW), (-_BESIDE, 0))
        )
        axes.xaxis.set_label_coords(0.5, 0, below)
        axes.yaxis.set_label_coords(0, 0.5, beside)
    return figure, panels_of_row


def mark(artist: Artist, model: str = "", depth: int | str | None = None, trials: Iterable[str] = ()) -> None:
    """Tells the page whose a drawn thing is, so that a filter can hide it and a pointer ask for it.

    Args:
        artist: The line, point or text.
        model: ``plain``, ``srnet``, ``irnet`` or a baseline; empty if it belongs to several.
        depth: Of the network; ``"all"`` if it joins several depths.
        trials: Ids of the trials that it shows.
    """
    kind = filter_model(model) if model else ""
    artist.set_gid(f"mark/{kind}/{'' if depth is None else depth}/{' '.join(trials)}")


def legend_above(figure: Figure, axes: Axes) -> None:
    """Puts the axes' legend over them."""
    add_legend(figure, *axes.get_legend_handles_labels())


def add_legend(figure: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """Puts a legend over all panels, in as many rows as it takes, and moves them down by as much."""
    columns = max(1, int(figure.get_figwidth() / _ENTRY))
    legend = figure.legend(
        handles, labels, loc="upper left", bbox_to_anchor=(0, 1), ncols=columns, columnspacing=1.4, handlelength=2.6
    )
    rows = -(-len(labels) // columns)
    top = figure.subplotpars.top - rows * _ROW / figure.get_figheight()
    figure.subplots_adjust(top=top)
    mark_legend(legend, handles)


def mark_legend(legend: Legend, handles: Iterable[Any]) -> None:
    """Lets a filter that hides a line hide its entry in the legend."""
    for source, handle, text in zip(handles, legend.legend_handles, legend.get_texts(), strict=True):
        if isinstance(source, Artist) and source.get_gid():
            _, model, depth, _ = str(source.get_gid()).split("/")
            for artist in (handle, text):
                if artist is not None:
                    artist.set_gid(f"mark/{model}/{depth if depth != 'all' else ''}/")


def make_logarithmic(axis: Axis, values: pd.Series, least_span: float = 1.0) -> bool:
    """Makes an axis logarithmic, with round numbers where they help.

    Args:
        axis: The x or y axis of a panel.
        values: The numbers on it; what is not finite is not drawn.
        least_span: Ratio of the largest to the smallest number from which on the axis is to be logarithmic.

    Returns:
        Whether it is: not where numbers are zero or less, or span too little.
    """
    finite = values[np.isfinite(values.to_numpy(dtype=float))]
    low, high = float(finite.min()), float(finite.max())
    if not low > 0 or high <= least_span * low:
        return False
    scale = axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale  # type: ignore[attr-defined]
    scale("log")
    steps = _FINE if high / low < _FEW_DECADES else _COARSE
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    places = [step * 10.0**decade for decade in decades for step in steps]
    axis.set_major_locator(FixedLocator([place for place in places if low / 2 <= place <= 2 * high]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if 1e3 <= value < 1e5 else f"{value:g}"))
    axis.set_minor_locator(NullLocator())
    return True


def to_png(figure: Figure) -> bytes:
    """Renders at 150 dots per inch; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format="png",
        dpi=_DPI,
        facecolor="white",
        metadata={"Software": None},
        pil_kwargs={"compress_level": _COMPRESSION},
    )
    return buffer.getvalue()


def to_svg(figure: Figure, name: str) -> str:
    """Writes an SVG file's text; what ``mark`` told of an artist stands as data attributes.

    Args:
        figure: What to write.
        name: Tells the figure from the others on the page; the same one gives the same text.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.savefig(
            buffer, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = _MARK.sub(_data_attributes, text)
    referenced = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    text = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in referenced else "", text)
    text = _ATTRIBUTES.sub(_shortened, text)
    return re.sub(r"\n *(?=<)", "", text).strip() + "\n"


def _shortened(attribute: re.Match[str]) -> str:
    text = attribute[0]
    for pattern, shorter in _SHORTER.items():
        text = re.sub(pattern, shorter, text)
    return text


def _data_attributes(found: re.Match[str]) -> str:
    named = zip(("model", "depth", "trials"), found.groups(), strict=True)
    return "".join(f' data-{name}="{value}"' for name, value in named if value)


def for_page(svg: str, description: str) -> str:
    """Makes an SVG element to be set into a page, whose style sheet may give the colours other values.

    Text stays text, in the page's font and of the same size in every figure. Each colour becomes a CSS variable with
    itself as the default.

    Args:
        svg: Of ``to_svg``.
        description: Read out to people who do not see the figure.
    """
    networks = {colour: model for model, colour in COLOURS.items()}
    variables = {PAGE: "page", INK: "ink", MUTED: "muted", RULE: "rule", **networks, CLASSICAL: "classical"}
    for colour, variable in variables.items():
        svg = svg.replace(colour, f"var(--{variable.replace('_', '-')}, {colour})")
    width = float(re.findall(r'<svg[^>]* width="([\d.]+)pt"', svg)[0]) / _POINTS
    limits = f"min-width: {_SMALLEST * width:.1f}rem; max-width: {_LARGEST * width:.1f}rem"
    return svg.replace("<svg", f'<svg role="img" aria-label="{description}" style="{limits}"', 1).strip()
