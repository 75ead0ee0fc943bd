"""The 145 composition attributes of Ward et al. (2016), whole arrays at a time.

The same numbers under the same labels as matminer's ``Stoichiometry``, ``ElementProperty("magpie")``,
``ValenceOrbital(props=["avg"])`` and ``IonProperty(fast=True)``. Formulas are grouped by their number of
elements, so that each group is a dense array of shape ``(rows, elements)`` and nothing is padded, and
taken in blocks that fit the processor's cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from irnet_ray.features.elements import MAGPIE_PROPERTIES, ElementTables, element_tables
from irnet_ray.formula import Compositions, FloatArray, IntArray

_NORMS = (0, 2, 3, 5, 7, 10)
_STATISTICS = ("minimum", "maximum", "range", "mean", "avg_dev", "mode")
_ORBITALS = ("s", "p", "d", "f")
_ABSOLUTE_TOLERANCE = 1e-8  # numpy.isclose, by which matminer compares amounts and charges
_RELATIVE_TOLERANCE = 1e-5
_LARGEST_BLOCK = 8192  # rows taken at a time
_LARGEST_NUMBER_OF_SUMS = 1_000_000  # of charges, held at a time
_DECIMALS_OF_SUMS = 10  # where equal sums are merged: two more than the tolerance

LABELS: tuple[str, ...] = (
    *(f"{norm}-norm" for norm in _NORMS),
    *(f"MagpieData {statistic} {name}" for name in MAGPIE_PROPERTIES for statistic in _STATISTICS),
    *(f"avg {orbital} valence electrons" for orbital in _ORBITALS),
    "compound possible",
    "max ionic char",
    "avg ionic char",
)
"""matminer's labels of the 145 attributes, in its order."""


def composition_attributes(compositions: Compositions) -> FloatArray:
    """Computes the 145 attributes.

    Args:
        compositions: ``n`` compositions.

    Returns:
        Attributes in the order of ``LABELS``, shape ``(n, 145)``.
    """
    tables = element_tables()
    attributes = np.empty((len(compositions), len(LABELS)))
    for rows, elements, amounts in _blocks_of_one_size(compositions):
        attributes[rows] = np.concatenate(
            [
                _stoichiometric_norms(amounts),
                _magpie_statistics(tables.magpie[elements], amounts),
                _valence_electrons(tables, elements, amounts),
                _compound_possible(tables, elements, amounts)[:, None],
                _ionic_characters(tables.electronegativity[elements], amounts),
            ],
            axis=1,
        )
    return attributes


def _blocks_of_one_size(compositions: Compositions) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """Yields row numbers ``(rows,)``, elements ``(rows, k)`` and amounts ``(rows, k)``, for each size k."""
    sizes = compositions.sizes
    for size in np.unique(sizes):
        group = np.flatnonzero(sizes == size)
        for start in range(0, len(group), _LARGEST_BLOCK):
            rows = group[start : start + _LARGEST_BLOCK]
            entries = compositions.starts[rows][:, None] + np.arange(size)
            yield rows, compositions.elements[entries], compositions.amounts[entries]


def _stoichiometric_norms(amounts: FloatArray) -> FloatArray:
    """Number of elements and p-norms of the fractions, shape ``(rows, 6)``."""
    fractions = amounts / amounts.sum(axis=1, keepdims=True)
    norms = [(fractions**norm).sum(axis=1) ** (1.0 / norm) for norm in _NORMS[1:]]
    return np.stack([np.full(len(amounts), float(amounts.shape[1])), *norms], axis=1)


def _magpie_statistics(values: FloatArray, amounts: FloatArray) -> FloatArray:
    """Six statistics of each of the 22 properties.

    Args:
        values: Properties of each row's elements, shape ``(rows, k, 22)``.
        amounts: Weights, shape ``(rows, k)``.

    Returns:
        The six statistics of the first property, then those of the second, shape ``(rows, 132)``.
    """
    weights = amounts / amounts.sum(axis=1, keepdims=True)
    minimum, maximum = values.min(axis=1), values.max(axis=1)
    mean = np.einsum("rkp,rk->rp", values, weights)
    deviation = np.einsum("rkp,rk->rp", np.abs(values - mean[:, None]), weights)
    largest = amounts.max(axis=1, keepdims=True)
    most_frequent = np.abs(amounts - largest) <= _ABSOLUTE_TOLERANCE + _RELATIVE_TOLERANCE * largest
    mode = np.where(most_frequent[:, :, None], values, np.inf).min(axis=1)
    statistics = np.stack([minimum, maximum, maximum - minimum, mean, deviation, mode], axis=2)
    flat: FloatArray = statistics.reshape(len(amounts), -1)
    return flat


def _valence_electrons(tables: ElementTables, elements: IntArray, amounts: FloatArray) -> FloatArray:
    """Mean number of s, p, d and f valence electrons, shape ``(rows, 4)``."""
    columns = [MAGPIE_PROPERTIES.index(f"N{orbital}Valence") for orbital in _ORBITALS]
    weights = amounts / amounts.sum(axis=1, keepdims=True)
    means: FloatArray = np.einsum("rkp,rk->rp", tables.magpie[:, columns][elements], weights)
    return means


def _ionic_characters(electronegativity: FloatArray, amounts: FloatArray) -> FloatArray:
    """Largest and mean ionic character of the pairs of elements, 1 - exp(-(X_a - X_b)^2 / 4), shape ``(rows, 2)``."""
    first, second = np.triu_indices(amounts.shape[1], k=1)
    if not len(first):
        return np.zeros((len(amounts), 2))
    fractions = amounts / amounts.sum(axis=1, keepdims=True)
    character = 1.0 - np.exp(-0.25 * (electronegativity[:, first] - electronegativity[:, second]) ** 2)
    mean = (fractions[:, first] * fractions[:, second] * character).sum(axis=1)
    return np.stack([character.max(axis=1), mean], axis=1)


def _compound_possible(tables: ElementTables, elements: IntArray, amounts: FloatArray) -> FloatArray:
    """Whether one common oxidation state for each element can make the compound neutral, shape ``(rows,)``.

    Rows whose elements have the same numbers of states (sorted) are done together: their charges are
    summed by broadcasting over all combinations.
    """
    if elements.shape[1] == 1:
        return np.ones(len(elements))
    counts = np.array([len(states) for states in tables.oxidation_states])[elements]
    order = np.argsort(counts, axis=1, kind="stable")
    elements, amounts, counts = (np.take_along_axis(each, order, axis=1) for each in (elements, amounts, counts))
    padded = _padded(tables.oxidation_states)
    possible = np.zeros(len(elements))
    for rows in _equal_rows(counts):
        pattern = counts[rows[0]]
        combinations = math.prod(pattern.tolist())
        if combinations == 0:
            continue  # an element without a common oxidation state: never neutral
        step = max(1, _LARGEST_NUMBER_OF_SUMS // combinations)
        for start in range(0, len(rows), step):
            block = rows[start : start + step]
            charges = padded[elements[block]] * amounts[block][:, :, None]
            possible[block] = _some_sum_is_zero(charges, pattern)
    return possible


def _equal_rows(table: IntArray) -> list[IntArray]:
    """Row numbers of each different row of a table."""
    order = np.lexsort(table.T)
    changes = np.flatnonzero((table[order[1:]] != table[order[:-1]]).any(axis=1)) + 1
    return np.split(order, changes)


def _padded(oxidation_states: tuple[FloatArray, ...]) -> FloatArray:
    """Oxidation states as one table, zeros behind the last one, shape ``(118, largest number of states)``."""
    table = np.zeros((len(oxidation_states), max(len(states) for states in oxidation_states)))
    for row, states in enumerate(oxidation_states):
        table[row, : len(states)] = states
    return table


def _some_sum_is_zero(charges: FloatArray, pattern: IntArray) -> FloatArray:
    """Whether some choice of one charge for each element sums to zero.

    Args:
        charges: Charge of each element in each of its states, shape ``(rows, k, states)``; one row only
            where the combinations are more than ``_LARGEST_NUMBER_OF_SUMS``.
        pattern: How many of the states of each element are real, shape ``(k,)``.

    Returns:
        1 or 0, shape ``(rows,)``.
    """
    sums: FloatArray = np.zeros((len(charges), 1))
    for position, states in enumerate(pattern):
        sums = (sums[:, :, None] + charges[:, position, None, :states]).reshape(len(charges), -1)
        if sums.shape[1] > _LARGEST_NUMBER_OF_SUMS:
            sums = np.unique(sums.round(_DECIMALS_OF_SUMS))[None]
    smallest: FloatArray = np.abs(sums).min(axis=1)
    return (smallest <= _ABSOLUTE_TOLERANCE).astype(np.float64)
