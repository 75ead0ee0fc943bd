"""How far the elements around each atom are from being mixed at random: the chemical ordering of Ward et al. (2017).

A shell of order s holds the ends of all self-avoiding paths of s steps from neighbour to neighbour; a path weighs
the product of its steps, a step the area of its face over that of the largest face of the site it starts from. Only
the sums of weights by element are needed, so no path is listed: sums over all paths run along the faces, and what
returns to a site is taken off.
"""

from __future__ import annotations

import numpy as np

from irnet_ray.features.tessellation import Tessellation
from irnet_ray.formula import FloatArray, IntArray

SHELLS = (1, 2, 3)

_FACES_PER_BLOCK = 20_000  # of which each has some 15 followers


def ordering_parameters(tessellation: Tessellation, members: FloatArray) -> FloatArray:
    """Mean Warren-Cowley-like parameter of three shells: mean of |1 - (share of an element) / (its fraction)|.

    Args:
        tessellation: Of ``n`` sites.
        members: 1 where the site is of the element, shape ``(n, elements)``.

    Returns:
        One number for each of ``SHELLS``, 0 where there is one element only.
    """
    if members.shape[1] == 1:
        return np.zeros(len(SHELLS))
    sums = np.stack(shell_weights(tessellation, members))
    shares = sums / sums.sum(axis=2, keepdims=True)
    parameters: FloatArray = np.abs(1.0 - shares / members.mean(axis=0)).mean(axis=(1, 2))
    return parameters


def shell_weights(tessellation: Tessellation, members: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Weights of the paths of one, two and three steps, by the element at the end.

    Args:
        tessellation: Of ``n`` sites.
        members: 1 where the site is of the element, shape ``(n, elements)``.

    Returns:
        For each shell the sums from each site, shape ``(n, elements)``.
    """
    starts, neighbours = tessellation.starts[:-1], tessellation.neighbours
    largest = np.maximum.reduceat(tessellation.areas, starts)
    forth = tessellation.areas / largest[tessellation.sites]
    back = tessellation.areas / largest[neighbours]

    def steps(weights: FloatArray, ends: FloatArray) -> FloatArray:
        sums: FloatArray = np.add.reduceat(weights[:, None] * ends[neighbours], starts, axis=0)
        return sums

    there_and_back = np.add.reduceat(forth * back, starts)[:, None]
    triangles = _triangles(tessellation, forth, back)[:, None]
    first = steps(forth, members)
    second = steps(forth, first) - there_and_back * members
    third = steps(forth, second) - there_and_back * first + steps(forth**2 * back, members) - triangles * members
    return first, second, third


def _triangles(tessellation: Tessellation, forth: FloatArray, back: FloatArray) -> FloatArray:
    """Weights of the closed paths of three steps from each site, shape ``(n,)``.

    Two steps end beside their start if a face of the start leads there as well; its way back closes the triangle.
    """
    starts, sites, neighbours = tessellation.starts, tessellation.sites, tessellation.neighbours
    codes, distinct = _image_codes(tessellation.images)
    keys = (sites * len(starts) + neighbours) * distinct + codes
    order = np.argsort(keys)
    keys = keys[order]
    followers = np.diff(starts)[neighbours]
    sums = np.zeros(len(starts) - 1)
    for begin in range(0, len(sites), _FACES_PER_BLOCK):
        counts = followers[begin : begin + _FACES_PER_BLOCK]
        faces = np.arange(begin, begin + len(counts))
        ends = np.cumsum(counts)
        first = np.repeat(faces, counts)
        second = np.arange(ends[-1]) + np.repeat(starts[neighbours[faces]] - ends + counts, counts)
        wanted = (sites[first] * len(starts) + neighbours[second]) * distinct + codes[first] + codes[second]
        found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        closed = np.flatnonzero(keys[found] == wanted)
        first, second, third = first[closed], second[closed], order[found[closed]]
        sums += np.bincount(sites[first], forth[first] * forth[second] * back[third], minlength=len(sums))
    return sums


def _image_codes(images: IntArray) -> tuple[IntArray, int]:
    """One number for each image; numbers add like images, and sums of two images differ if their numbers do.

    Returns:
        The numbers, shape ``(faces,)``, and how many distinct ones there can be.
    """
    widths = 4 * np.abs(images).max(axis=0) + 1
    return images @ np.array([widths[1] * widths[2], widths[2], 1]), int(np.prod(widths))
