"""Voronoi cells of a crystal by Voro++ (Rycroft, Chaos 19, 041111, 2009), and their faces as flat arrays.

Voro++ wants a lattice of lower-triangular form with angles that are not too sharp, and all atoms inside a box.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from irnet_ray.crystal import Crystal
from irnet_ray.errors import CrystalError
from irnet_ray.formula import FloatArray, IntArray

_SMALLEST_AREA = 1e-10  # square angstrom; where more than four cells meet at a vertex, rounding leaves slivers
_NEAR_THE_END = 1e-12  # of a side of the box; Voro++ may count such an atom to the next box, so it is put at 0
_LARGEST_DRIFT = 1e-9  # angstrom, of a site on its way through Voro++
_SITES_PER_BLOCK = 3.0  # of the grid by which Voro++ finds neighbours; the quickest, though it matters little
_MEMORY_PER_BLOCK = 8  # sites; grows where needed
_OUTPUT = (True, False, True)  # vertices, not which of them are joined, faces
_LOWER_TRIANGLE = np.tril_indices(3)

_stderr_lock = threading.Lock()


@dataclass(frozen=True)
class Placement:
    """A crystal as Voro++ wants it: ``crystal = rotation(points + wraps @ cell)``.

    Attributes:
        cell: Lower-triangular reduced lattice (angstrom), vectors as rows, shape ``(3, 3)``.
        change: The reduced lattice vectors in terms of the crystal's, integers, shape ``(3, 3)``.
        points: Cartesian coordinates in the box of the cell's diagonal, shape ``(n, 3)``.
        wraps: Reduced lattice vectors taken off to get there, shape ``(n, 3)``.
    """

    cell: FloatArray
    change: FloatArray
    points: FloatArray
    wraps: FloatArray


@dataclass(frozen=True)
class Faces:
    """Faces of the Voronoi cells, grouped by site.

    Attributes:
        sites: Shape ``(faces,)``.
        neighbours: Shape ``(faces,)``.
        areas: Square angstrom, shape ``(faces,)``.
        mirrored: The site mirrored in the face, seen from the site (angstrom), shape ``(faces, 3)``.
    """

    sites: IntArray
    neighbours: IntArray
    areas: FloatArray
    mirrored: FloatArray


def place(crystal: Crystal) -> Placement:
    """Reduces the lattice, rotates it, and moves the atoms into the box."""
    from pymatgen.core import Lattice

    reduced = Lattice(crystal.lattice).get_lll_reduced_lattice().matrix
    change = np.rint(reduced @ np.linalg.inv(crystal.lattice))
    reduced = change @ crystal.lattice
    cell = np.linalg.cholesky(reduced @ reduced.T)
    points = crystal.positions @ np.rint(np.linalg.inv(change)) @ cell
    wraps = np.empty_like(points)
    for axis in (2, 1, 0):
        wraps[:, axis] = np.floor(points[:, axis] / cell[axis, axis] + _NEAR_THE_END)
        points -= wraps[:, axis, None] * cell[axis]
    return Placement(cell, change, np.maximum(points, 0.0), wraps)


def voronoi_faces(placement: Placement) -> Faces:
    """Makes the Voronoi cells and takes their faces apart.

    Raises:
        CrystalError: Voro++ lost or moved an atom.
        ValueError: Atoms are in one place.
    """
    cells = _cells(placement)
    if [cell["id"] for cell in cells] != list(range(len(placement.points))):
        raise CrystalError("its Voronoi tessellation lacks the cell of an atom")
    returned = np.array([cell["site"] for cell in cells])
    if np.abs(returned - placement.points).max() > _LARGEST_DRIFT:
        raise CrystalError("its Voronoi tessellation has moved an atom")
    return _faces(cells, returned)


def _cells(placement: Placement) -> list[dict[str, Any]]:
    """Voronoi cells in the order of the sites, each with its vertices and its faces.

    ``pyvoro2.compute`` is passed by: its checks take three times as long as Voro++ takes for the cells, and those
    that matter here are made on the result.
    """
    from pyvoro2 import _core

    cell, points = placement.cell, placement.points
    sides = np.diag(cell)
    block = (_SITES_PER_BLOCK * float(np.prod(sides)) / len(points)) ** (1.0 / 3.0)
    blocks = tuple(max(1, int(side / block)) for side in sides)
    lower = tuple(cell[_LOWER_TRIANGLE].tolist())
    names = np.arange(len(points), dtype=np.int32)
    with _stderr_closed():
        cells = _core.compute_periodic_standard(points, names, lower, blocks, _MEMORY_PER_BLOCK, _OUTPUT)
    return sorted(cells, key=itemgetter("id"))


@contextlib.contextmanager
def _stderr_closed() -> Iterator[None]:
    """Keeps quiet the C++ code that reports whenever it takes more memory; one thread at a time."""
    with _stderr_lock:
        try:
            kept = os.dup(2)
        except OSError:  # it is closed already
            yield
            return
        os.dup2(_null(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@functools.cache
def _null() -> int:
    return os.open(os.devnull, os.O_WRONLY)


def _faces(cells: list[dict[str, Any]], points: FloatArray) -> Faces:
    faces = [face for cell in cells for face in cell["faces"]]
    sites = np.repeat(np.arange(len(cells)), [len(cell["faces"]) for cell in cells])
    neighbours = np.fromiter((face["adjacent_cell"] for face in faces), dtype=np.int64, count=len(faces))
    corners, sizes = _corners(cells, faces, sites, points)
    firsts = np.cumsum(sizes) - sizes
    spokes = corners - np.repeat(corners[firsts], sizes, axis=0)
    crosses = _cross(spokes[:-1], spokes[1:])  # the first spoke of a face is zero, so faces do not mix
    doubled = np.add.reduceat(crosses, firsts, axis=0)
    areas = 0.5 * lengths(doubled)
    kept = areas > _SMALLEST_AREA
    normals = doubled[kept] / (2.0 * areas[kept, None])  # inward or outward
    mirrored = 2.0 * np.einsum("fx,fx->f", normals, corners[firsts[kept]])[:, None] * normals
    return Faces(sites[kept], neighbours[kept], areas[kept], mirrored)


def _corners(
    cells: list[dict[str, Any]], faces: list[dict[str, Any]], sites: IntArray, points: FloatArray
) -> tuple[FloatArray, IntArray]:
    """The corners of each face in order, seen from the site inside, and how many each face has."""
    counts = [len(cell["vertices"]) for cell in cells]
    numbers = chain.from_iterable(chain.from_iterable(cell["vertices"] for cell in cells))
    vertices = np.fromiter(numbers, dtype=np.float64, count=3 * sum(counts)).reshape(-1, 3)
    vertices -= np.repeat(points, counts, axis=0)
    rings = [face["vertices"] for face in faces]
    sizes = np.fromiter(map(len, rings), dtype=np.int64, count=len(rings))
    ring = np.fromiter(chain.from_iterable(rings), dtype=np.int64, count=int(sizes.sum()))
    first_vertices = np.cumsum(counts) - counts
    return vertices[ring + np.repeat(first_vertices[sites], sizes)], sizes


def _cross(first: FloatArray, second: FloatArray) -> FloatArray:
    """The cross product, several times as fast as numpy's on short arrays."""
    (a, b, c), (x, y, z) = first.T, second.T
    return np.stack([b * z - c * y, c * x - a * z, a * y - b * x], axis=1)


def lengths(vectors: FloatArray) -> FloatArray:
    """Lengths of vectors, from shape ``(faces, 3)`` to ``(faces,)``."""
    squares: FloatArray = np.einsum("fx,fx->f", vectors, vectors)
    return np.sqrt(squares)
