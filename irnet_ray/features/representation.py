"""Representations: named unions of attribute sets, and their computation from formulas."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from irnet_ray.errors import ConfigurationError, FormulaError, suggestion
from irnet_ray.features import composition
from irnet_ray.features.elements import FRACTION_ELEMENTS
from irnet_ray.formula import SYMBOLS, BadFormula, Compositions, FloatArray, IntArray, parse_all

VERSION = 1
"""Part of every cache key: raise it whenever a computed number changes."""

PARTS: dict[str, tuple[str, ...]] = {
    "composition": composition.LABELS,
    "fractions": tuple(f"fraction {symbol}" for symbol in FRACTION_ELEMENTS),
}
"""The labels of each attribute set, in the order in which a union lists the sets."""


def parse_representation(name: str) -> tuple[str, ...]:
    """Splits a name such as ``"composition+fractions"`` into its attribute sets, in canonical order.

    Raises:
        ConfigurationError: A part is unknown or named twice.
    """
    parts = [part.strip() for part in name.split("+")]
    for part in parts:
        if part not in PARTS:
            raise ConfigurationError(f"unknown representation '{part}'{suggestion(part, PARTS)}")
    if len(set(parts)) < len(parts):
        raise ConfigurationError(f"representation '{name}' names a part twice; name each part once")
    return tuple(part for part in PARTS if part in parts)


def canonical_name(name: str) -> str:
    """The one spelling of a representation: its parts in canonical order, joined by ``+``."""
    return "+".join(parse_representation(name))


def labels(name: str) -> tuple[str, ...]:
    """Names of a representation's columns, for example 145 + 86 of ``"composition+fractions"``."""
    return tuple(label for part in parse_representation(name) for label in PARTS[part])


def featurize(formulas: Sequence[str], name: str) -> FloatArray:
    """Computes a representation.

    Args:
        formulas: ``n`` formulas.
        name: A representation, such as ``"composition+fractions"``.

    Returns:
        Attributes in the order of ``labels(name)``, shape ``(n, len(labels(name)))``.

    Raises:
        FormulaError: A formula cannot be read, or holds an element that the representation has no column for.
        ConfigurationError: The representation is unknown.
    """
    compositions = parse_all(formulas)
    compute = {"composition": composition.composition_attributes, "fractions": element_fractions}
    return np.concatenate([compute[part](compositions) for part in parse_representation(name)], axis=1)


def unsupported_rows(formulas: Sequence[str], name: str) -> list[BadFormula]:
    """Finds readable formulas that a representation has no column for.

    Args:
        formulas: ``n`` formulas, all readable.
        name: A representation.

    Returns:
        One entry for each such row, with the first element that has no column.
    """
    if "fractions" not in parse_representation(name):
        return []
    compositions = parse_all(formulas)
    entries = np.flatnonzero(_fraction_columns()[compositions.elements] < 0)
    rows = np.searchsorted(compositions.starts, entries, side="right") - 1
    first = np.unique(rows, return_index=True)[1]
    return [
        BadFormula(
            int(rows[position]),
            formulas[rows[position]],
            f"element '{SYMBOLS[compositions.elements[entries[position]]]}' is none of the 86 of 'fractions'",
        )
        for position in first
    ]


@functools.cache
def _fraction_columns() -> IntArray:
    """Column of each element among the fractions, -1 where it has none, shape ``(118,)``."""
    columns = np.full(len(SYMBOLS), -1, dtype=np.int64)
    columns[[SYMBOLS.index(symbol) for symbol in FRACTION_ELEMENTS]] = np.arange(len(FRACTION_ELEMENTS))
    return columns


def element_fractions(compositions: Compositions) -> FloatArray:
    """Fractions of ElemNet's 86 elements, shape ``(n, 86)``; each row sums to 1.

    Raises:
        FormulaError: A composition holds one of the elements outside the 86.
    """
    columns = _fraction_columns()[compositions.elements]
    rows = np.repeat(np.arange(len(compositions)), compositions.sizes)
    if (columns < 0).any():
        entry = int(np.argmax(columns < 0))
        symbol = SYMBOLS[compositions.elements[entry]]
        raise FormulaError(f"row {rows[entry]}: element '{symbol}' is none of the 86 of 'fractions'")
    table = np.zeros((len(compositions), len(FRACTION_ELEMENTS)))
    table[rows, columns] = compositions.fractions()
    return table
