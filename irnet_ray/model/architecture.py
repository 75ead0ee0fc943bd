"""Architectures of Jha et al. (2021): how deep, where the shortcuts are, how wide."""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import dataclass
from typing import Literal, get_args

from irnet_ray.errors import ConfigurationError, suggestion

Shortcut = Literal["none", "stack", "layer"]
SHORTCUTS: tuple[Shortcut, ...] = get_args(Shortcut)
MODEL_NAMES: dict[Shortcut, str] = {"none": "plain", "stack": "srnet", "layer": "irnet"}
"""The paper's names of the networks with each placement of shortcuts."""

Stack = tuple[int, int]
"""Units of each layer, and number of layers."""

STACKS: dict[int, tuple[Stack, ...]] = {
    10: ((1024, 2), (512, 2), (256, 2), (128, 1), (64, 1), (32, 1)),
    17: ((1024, 4), (512, 3), (256, 3), (128, 3), (64, 2), (32, 1)),
    24: ((1024, 4), (512, 4), (256, 4), (128, 4), (64, 3), (32, 2), (16, 2)),
    48: (
        *((units, 4) for units in (1024, 1024, 512, 512, 256, 256, 128, 128, 64, 64)),
        (32, 4),
        (16, 3),
    ),
}
"""Hidden layers by depth: Table 4 and the authors' released strings. The output unit counts as one layer."""

DEPTHS = tuple(STACKS)

_STACK_STRING = re.compile(r"(?P<units>[1-9][0-9]*)BA(?P<layer>R?)(?:x(?P<layers>[1-9][0-9]*))?(?P<stack>R?)")


@dataclass(frozen=True)
class Architecture:
    """Hidden layers in stacks, each layer dense + batch norm + ReLU, and one linear output unit.

    Attributes:
        stacks: Units and number of layers of each stack, from the input to the output.
        shortcut: ``"none"`` (plain network), ``"stack"`` (SRNet: one shortcut around each stack) or
            ``"layer"`` (IRNet: one around each layer).
    """

    stacks: tuple[Stack, ...]
    shortcut: Shortcut

    @classmethod
    def of(cls, depth: int, shortcut: Shortcut, width: float = 1.0) -> Architecture:
        """Gives one of the paper's architectures.

        Args:
            depth: 10, 17, 24 or 48 layers, the output unit counted.
            shortcut: Placement of the shortcuts.
            width: Factor on every number of units; 0.25 makes layers of 256 out of 1024.

        Raises:
            ConfigurationError: The depth or the placement is none of the paper's.
        """
        if depth not in STACKS:
            raise ConfigurationError(f"depth: no architecture of {depth} layers; choose from {DEPTHS}")
        if shortcut not in SHORTCUTS:
            raise ConfigurationError(f"shortcut: unknown value '{shortcut}'{suggestion(shortcut, SHORTCUTS)}")
        return cls(tuple((max(1, round(units * width)), layers) for units, layers in STACKS[depth]), shortcut)

    @classmethod
    @functools.lru_cache(maxsize=256)
    def parse(cls, text: str) -> Architecture:
        """Reads the authors' notation, for example ``"1024BARx4-512BARx3-1"``.

        A stack is ``<units>BA`` (dense, batch norm, activation), ``R`` after it for a shortcut around
        each layer, ``x<layers>``, and ``R`` at its end for a shortcut around the stack. The last part is
        the output unit, ``1``.

        Raises:
            ConfigurationError: Says which part cannot be read.
        """
        *parts, output = text.strip().split("-")
        if output != "1" or not parts:
            raise ConfigurationError(f"architecture '{text}' must be stacks joined by '-' and end in '-1'")
        matches = [_STACK_STRING.fullmatch(part) for part in parts]
        for part, match in zip(parts, matches, strict=True):
            if match is None or (match["layer"] and match["stack"]):
                raise ConfigurationError(
                    f"architecture '{text}': stack '{part}' is not of the form 1024BAx4, 1024BARx4 or 1024BAx4R"
                )
        found = [match for match in matches if match is not None]
        placements = {"layer" if match["layer"] else "stack" if match["stack"] else "none" for match in found}
        if len(placements) > 1:
            raise ConfigurationError(f"architecture '{text}' mixes placements of shortcuts; use one for all stacks")
        shortcut = next(name for name in SHORTCUTS if name in placements)
        return cls(tuple((int(match["units"]), int(match["layers"] or 1)) for match in found), shortcut)

    def __str__(self) -> str:
        """The authors' notation; ``Architecture.parse`` reads it back."""
        layer, stack = ("R" if self.shortcut == placement else "" for placement in ("layer", "stack"))
        return "-".join([*(f"{units}BA{layer}x{layers}{stack}" for units, layers in self.stacks), "1"])

    @property
    def depth(self) -> int:
        """Number of layers, the output unit counted, as in the paper."""
        return sum(layers for _, layers in self.stacks) + 1

    @property
    def model_name(self) -> str:
        """``"plain"``, ``"srnet"`` or ``"irnet"``."""
        return MODEL_NAMES[self.shortcut]

    def count_parameters(self, inputs: int) -> int:
        """Number of trainable parameters of the network on vectors of so many attributes.

        A dense layer from a to b units has a b + b, its batch norm 2 b; a shortcut has a b + b where the
        widths differ and none where they match.
        """
        total, incoming = 0, inputs
        for units, layers in self.stacks:
            widths = [incoming, *[units] * layers]
            total += sum(before * after + 3 * after for before, after in itertools.pairwise(widths))
            if self.shortcut != "none" and incoming != units:
                total += incoming * units + units
            incoming = units
        return total + incoming + 1
