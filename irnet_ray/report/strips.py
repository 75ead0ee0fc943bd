"""Small drawings of intervals, one beside each finding, on a scale that the findings on a question share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from irnet_ray.report.claims import Finding

WIDTH, HEIGHT = 220, 20
"""Of a drawing (px)."""

_EDGE = 8  # px that stay free at both ends
_WIDER = 1.03  # than the outermost number

Place = Callable[[float], float]


@dataclass(frozen=True)
class Strip:
    """Where the parts of a drawing are, in pixels from the left.

    Attributes:
        effect: The estimate.
        low: Lower end of the interval, at the edge if it lies beyond the scale.
        high: Upper end, likewise.
        threshold: What the verdict depends on; ``None`` where it is no single number.
        paper: The paper's value; ``None`` where it has none.
    """

    effect: float
    low: float
    high: float
    threshold: float | None
    paper: float | None


def strips(findings: Sequence[Finding]) -> list[Strip | None]:
    """Places findings on one logarithmic scale; ``None`` for those without an estimate."""
    shown = [each for each in findings if each.effect]
    numbers = [
        value for each in shown for value in (each.effect, each.low, each.high, each.paper, each.threshold) if value
    ]
    if not numbers:
        return [None] * len(findings)
    low, high = math.log(min(numbers) / _WIDER), math.log(max(numbers) * _WIDER)

    def place(value: float) -> float:
        return round(_EDGE + (WIDTH - 2 * _EDGE) * (math.log(value) - low) / (high - low), 1)

    return [_strip(each, each.effect, place) if each.effect else None for each in findings]


def _strip(finding: Finding, effect: float, place: Place) -> Strip:
    return Strip(
        effect=place(effect),
        low=place(finding.low) if finding.low else 0.0,
        high=place(finding.high) if finding.high else float(WIDTH),
        threshold=place(finding.threshold) if finding.threshold else None,
        paper=place(finding.paper) if finding.paper else None,
    )
