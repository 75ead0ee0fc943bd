"""Figures become the text and the bytes of their files, on all cores where there are many."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from irnet_ray.report.figures.style import to_png, to_svg
from irnet_ray.report.illustrations import Illustration

_MANY = 40  # figures, from which on it pays to start processes


@dataclass(frozen=True)
class Drawing:
    """A figure's files.

    Attributes:
        svg: The text of one.
        png: The bytes of the other.
    """

    svg: str
    png: bytes


def draw_all(illustrations: Sequence[Illustration], processes: int | None = None) -> Iterator[tuple[str, Drawing]]:
    """Draws every figure of which the trials are there, while whoever asks does something else.

    Args:
        illustrations: What to draw.
        processes: How many draw; unless given, one for each core if there are many figures.

    Returns:
        Each illustration's name with its drawing. Other processes begin with this call; where there is none, a figure
        is drawn when it is asked for.
    """
    from joblib import Parallel, delayed

    tasks = [(each.name, each.draw) for each in illustrations if each.draw is not None]
    wanted = processes or ((os.cpu_count() or 1) if len(tasks) >= _MANY else 1)
    parallel = Parallel(n_jobs=wanted, return_as="generator", pre_dispatch="all")
    drawn = parallel(delayed(_draw)(name, draw) for name, draw in tasks)
    return zip((name for name, _ in tasks), drawn, strict=True)


def _draw(name: str, draw: Callable[[], Figure]) -> Drawing:
    figure = draw()
    return Drawing(to_svg(figure, name), to_png(figure))
