"""The structure attributes of Ward et al., Phys. Rev. B 96, 024104 (2017), all from one Voronoi tessellation.

The same numbers under the same labels as five of matminer's featurizers, which make several tessellations of the
same structure and go through them face by face.
"""

from __future__ import annotations

import numpy as np

from irnet_ray.crystal import Crystal
from irnet_ray.features.elements import MAGPIE_PROPERTIES, element_tables
from irnet_ray.features.ordering import SHELLS, ordering_parameters
from irnet_ray.features.tessellation import Tessellation, tessellate
from irnet_ray.formula import FloatArray, IntArray

_STATISTICS = ("minimum", "maximum", "range", "mean", "avg_dev")

LABELS: tuple[str, ...] = (
    *(f"{statistic} CN_VoronoiNN" for statistic in _STATISTICS),
    "mean absolute deviation in relative bond length",
    "max relative bond length",
    "min relative bond length",
    *(f"{statistic} neighbor distance variation" for statistic in _STATISTICS),
    "mean absolute deviation in relative cell size",
    *(f"mean ordering parameter shell {shell}" for shell in SHELLS),
    "max packing efficiency",
    *(f"{statistic} local difference in {name}" for name in MAGPIE_PROPERTIES for statistic in _STATISTICS),
)
"""matminer's labels of its 128 attributes, in the order of the paper."""

WARD_LABELS: tuple[str, ...] = tuple(
    label for label in LABELS if label not in {"range CN_VoronoiNN", "range neighbor distance variation"}
)
"""The 126 attributes of the paper."""


def structure_attributes(crystal: Crystal) -> FloatArray:
    """Computes the attributes of one crystal.

    Returns:
        Attributes in the order of ``LABELS``, shape ``(128,)``.

    Raises:
        CrystalError: Its Voronoi tessellation fails.
    """
    tessellation = tessellate(crystal)
    present, element_of = np.unique(crystal.elements, return_inverse=True)
    element_of = element_of.reshape(-1)
    differences = _property_differences(tessellation, element_of, element_tables().magpie[present])
    lengths, variations, sizes = _bond_lengths(tessellation)
    of_sites = np.column_stack([_coordination_numbers(tessellation), variations, differences])
    statistics = _statistics(of_sites)
    return np.concatenate(
        [
            statistics[0],
            [_mean_deviation(lengths), lengths.max(), lengths.min()],
            statistics[1],
            [_mean_deviation(sizes)],
            ordering_parameters(tessellation, np.eye(len(present))[element_of]),
            [_packing_efficiency(tessellation, crystal.volume)],
            statistics[2:].reshape(-1),
        ]
    )


def _statistics(values: FloatArray) -> FloatArray:
    """Statistics over the sites.

    Args:
        values: One column for each property, shape ``(n, properties)``.

    Returns:
        The five statistics of each property, shape ``(properties, 5)``.
    """
    minimum, maximum, mean = values.min(axis=0), values.max(axis=0), values.mean(axis=0)
    deviation = np.abs(values - mean).mean(axis=0)
    return np.stack([minimum, maximum, maximum - minimum, mean, deviation], axis=1)


def _sums(values: FloatArray, tessellation: Tessellation) -> FloatArray:
    """Sums over the faces of each site, shape ``(n,)``."""
    sums: FloatArray = np.add.reduceat(values, tessellation.starts[:-1])
    return sums


def _coordination_numbers(tessellation: Tessellation) -> FloatArray:
    """Effective coordination number of each site, (sum of areas)^2 / (sum of squared areas), shape ``(n,)``."""
    return _sums(tessellation.areas, tessellation) ** 2 / _sums(tessellation.areas**2, tessellation)


def _bond_lengths(tessellation: Tessellation) -> tuple[FloatArray, FloatArray, FloatArray]:
    """How bond lengths and cell sizes vary; a bond's length is the distance to a neighbour, its weight the area.

    Returns:
        Mean bond length of each site over the mean of the sites; mean absolute deviation of its bond lengths over
        their mean; its cell's volume over the mean of the sites. Shape ``(n,)`` each.
    """
    areas, distances = tessellation.areas, tessellation.distances
    surfaces, sizes = _sums(areas, tessellation), _sums(areas * distances, tessellation)
    lengths = sizes / surfaces
    deviations = np.abs(distances - lengths[tessellation.sites])
    variations = _sums(areas * deviations, tessellation) / sizes
    return lengths / lengths.mean(), variations, sizes / sizes.mean()


def _mean_deviation(values: FloatArray) -> float:
    return float(np.abs(values - values.mean()).mean())


def _packing_efficiency(tessellation: Tessellation, volume: float) -> float:
    """Share of space inside spheres around the sites that just touch the nearest face."""
    radii = 0.5 * np.minimum.reduceat(tessellation.distances, tessellation.starts[:-1])
    return float(4.0 / 3.0 * np.pi * (radii**3).sum() / volume)


def _property_differences(tessellation: Tessellation, element_of: IntArray, properties: FloatArray) -> FloatArray:
    """Mean difference between a site and its neighbours, weighted by area.

    Args:
        tessellation: Of ``n`` sites.
        element_of: Row of each site's element among the properties, shape ``(n,)``.
        properties: Of the elements present, shape ``(elements, properties)``.

    Returns:
        Mean absolute differences, shape ``(n, properties)``.
    """
    sites, count = len(element_of), len(properties)
    pairs = tessellation.sites * count + element_of[tessellation.neighbours]
    weights = np.bincount(pairs, tessellation.areas, minlength=sites * count).reshape(sites, count)
    shares = weights / weights.sum(axis=1, keepdims=True)
    differences = np.abs(properties[:, None] - properties)
    means: FloatArray = np.einsum("ne,nep->np", shares, differences[element_of])
    return means
