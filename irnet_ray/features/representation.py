"""Representations: named unions of attribute sets, and what has to be computed for them."""

from __future__ import annotations

import functools

import numpy as np

from irnet_ray.errors import ConfigurationError, suggestion
from irnet_ray.features import composition, structure
from irnet_ray.features.elements import FRACTION_ELEMENTS
from irnet_ray.features.featurizers import FEATURIZERS, Featurized, Featurizer
from irnet_ray.formula import SYMBOLS, Compositions, FloatArray, IntArray, parse_all

PARTS: dict[str, tuple[str, ...]] = {
    "composition": composition.LABELS,
    "structure": structure.WARD_LABELS,
    "structure_matminer": structure.LABELS,
    "fractions": tuple(f"fraction {symbol}" for symbol in FRACTION_ELEMENTS),
}
"""The labels of each attribute set, in the order in which a union lists the sets."""

_STRUCTURE_PARTS = ("structure", "structure_matminer")


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
    if set(_STRUCTURE_PARTS) <= set(parts):
        raise ConfigurationError(f"representation '{name}': 'structure_matminer' holds 'structure'; name one of them")
    return tuple(part for part in PARTS if part in parts)


def canonical_name(name: str) -> str:
    """The one spelling of a representation: its parts in canonical order, joined by ``+``."""
    return "+".join(parse_representation(name))


def labels(name: str) -> tuple[str, ...]:
    """Names of a representation's columns, for example 145 + 86 of ``"composition+fractions"``."""
    return tuple(label for part in parse_representation(name) for label in PARTS[part])


def needs_structures(name: str) -> bool:
    """Whether a representation can only be computed from crystal structures."""
    return any(part in _STRUCTURE_PARTS for part in parse_representation(name))


def featurizer(name: str) -> Featurizer:
    """The featurizer whose numbers are worth keeping; the rest of the representation follows from formulas."""
    if needs_structures(name):
        return FEATURIZERS["structure"]
    return FEATURIZERS["composition" if "composition" in parse_representation(name) else "formula"]


def assemble(name: str, computed: Featurized) -> Featurized:
    """Makes the columns of a representation from what its featurizer computed.

    Args:
        name: A representation, such as ``"composition+structure"``.
        computed: ``n`` rows of ``featurizer(name)``.

    Returns:
        The columns of ``labels(name)``, shape ``(n, len(labels(name)))``. A row fails if it has failed before,
        or holds an element that has no column in ``fractions``.
    """
    kept = featurizer(name)
    failures = computed.failures.copy()
    columns = []
    for part in parse_representation(name):
        if set(PARTS[part]) <= set(kept.labels):
            columns.append(computed.values[:, _positions(kept, part)])
            continue
        values, reasons = _from_formulas(part, computed)
        columns.append(values)
        for row, reason in reasons.items():
            failures[row] = reason
    together = np.concatenate(columns, axis=1)
    together[[failure is not None for failure in failures]] = np.nan
    return Featurized(computed.formulas, together, failures)


def _from_formulas(part: str, computed: Featurized) -> tuple[FloatArray, dict[int, str]]:
    """The columns of a part, NaN where a row has failed before, and for rows that fail now the reason."""
    good = np.flatnonzero(~computed.failed)
    compositions = parse_all([computed.formulas[row] for row in good])
    values = np.full((len(computed), len(PARTS[part])), np.nan)
    if part == "composition":
        values[good] = composition.composition_attributes(compositions)
        return values, {}
    values[good], missing = element_fractions(compositions)
    reasons = {
        int(good[row]): f"element '{symbol}' is none of the 86 of 'fractions'" for row, symbol in missing.items()
    }
    return values, reasons


@functools.cache
def _positions(kept: Featurizer, part: str) -> IntArray:
    """Columns of a part among those that a featurizer computes."""
    return np.array([kept.labels.index(label) for label in PARTS[part]], dtype=np.int64)


@functools.cache
def _fraction_columns() -> IntArray:
    """Column of each element among the fractions, -1 where it has none, shape ``(118,)``."""
    columns = np.full(len(SYMBOLS), -1, dtype=np.int64)
    columns[[SYMBOLS.index(symbol) for symbol in FRACTION_ELEMENTS]] = np.arange(len(FRACTION_ELEMENTS))
    return columns


def element_fractions(compositions: Compositions) -> tuple[FloatArray, dict[int, str]]:
    """Fractions of ElemNet's 86 elements, each row sums to 1.

    Returns:
        The fractions, shape ``(n, 86)``, NaN in rows with an element outside the 86; and for each such row
        the first of these elements.
    """
    columns = _fraction_columns()[compositions.elements]
    rows = np.repeat(np.arange(len(compositions)), compositions.sizes)
    table = np.zeros((len(compositions), len(FRACTION_ELEMENTS)))
    known = columns >= 0
    table[rows[known], columns[known]] = compositions.fractions()[known]
    table[rows[~known]] = np.nan
    missing: dict[int, str] = {}
    for entry in np.flatnonzero(~known):
        missing.setdefault(int(rows[entry]), SYMBOLS[compositions.elements[entry]])
    return table, missing
