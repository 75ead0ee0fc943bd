"""One Voronoi tessellation of a crystal, as flat arrays over its faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from irnet_ray.crystal import Crystal
from irnet_ray.errors import CrystalError
from irnet_ray.features.voronoi_faces import Faces, Placement, lengths, place, voronoi_faces
from irnet_ray.formula import FloatArray, IntArray

SMALLEST_DISTANCE = 0.5
"""Atoms that are nearer to each other (angstrom) overlap, as in pymatgen's ``DISTANCE_TOLERANCE``."""

_MOST_ATOMS_IN_PAIRS = 2000  # of which each is compared with each other, to name the two in one place
_LARGEST_SLIVER = 1e-7  # square angstrom; that of which it may be unclear which image is behind it
_LARGEST_RESIDUAL = 1e-3  # of a lattice vector, between a neighbour's image and the place that its face tells
_VOLUME_TOLERANCE = 1e-6  # of the cell's volume


@dataclass(frozen=True)
class Tessellation:
    """The faces between the Voronoi cells of a crystal's ``n`` sites, grouped by site.

    Both sites that share a face have it in their group. A site's own images are neighbours like all others.

    Attributes:
        starts: Where each site's faces begin and the last one's end, shape ``(n + 1,)``.
        sites: The site inside, shape ``(faces,)``.
        neighbours: The site on the other side, shape ``(faces,)``.
        images: The cell that this neighbour is in, counted in lattice vectors from the site's, shape ``(faces, 3)``.
        areas: Area of the face (square angstrom), shape ``(faces,)``.
        distances: Distance to the neighbour, twice that to the face (angstrom), shape ``(faces,)``.
    """

    starts: IntArray
    sites: IntArray
    neighbours: IntArray
    images: IntArray
    areas: FloatArray
    distances: FloatArray


def tessellate(crystal: Crystal) -> Tessellation:
    """Divides space among the atoms of a crystal.

    Raises:
        CrystalError: Atoms overlap, or the tessellation does not fill the cell or is otherwise wrong.
    """
    placement = place(crystal)
    _refuse_small_cell(placement.cell)
    faces = _faces(placement)
    images, distances, residuals = _images(placement, faces)
    told = residuals <= _LARGEST_RESIDUAL
    sites, neighbours = faces.sites[told], faces.neighbours[told]
    areas, distances = faces.areas[told], distances[told]
    _refuse_nearest(sites, neighbours, distances)
    if faces.areas[~told].max(initial=0.0) > _LARGEST_SLIVER:
        raise CrystalError("its Voronoi tessellation has a face without a neighbour behind it")
    _refuse_gaps(areas, distances, crystal.volume)
    starts = np.searchsorted(sites, np.arange(len(crystal) + 1))
    return Tessellation(starts, sites, neighbours, images[told], areas, distances)


def _faces(placement: Placement) -> Faces:
    try:
        return voronoi_faces(placement)
    except ValueError as error:
        _refuse_coincidence(placement)
        raise CrystalError(f"Voro++ cannot divide its cell ({str(error).splitlines()[0]})") from error


def _images(placement: Placement, faces: Faces) -> tuple[IntArray, FloatArray, FloatArray]:
    """Which image of the neighbour lies behind each face.

    Returns:
        Images in terms of the crystal's lattice ``(faces, 3)``, distances in angstrom ``(faces,)``, and how far the
        mirrored sites lie from the images, in lattice vectors ``(faces,)``.
    """
    sites, neighbours = faces.sites, faces.neighbours
    between = placement.points[neighbours] - placement.points[sites]
    shifts = (faces.mirrored - between) @ np.linalg.inv(placement.cell)
    whole = np.rint(shifts)
    images = np.rint((whole - placement.wraps[neighbours] + placement.wraps[sites]) @ placement.change)
    distances = lengths(between + whole @ placement.cell)
    return images.astype(np.int64), distances, np.abs(shifts - whole).max(axis=1)


def _refuse_small_cell(cell: FloatArray) -> None:
    shortest = float(lengths(cell).min())
    if shortest < SMALLEST_DISTANCE:
        _refuse_overlap(0, 0, shortest)


def _refuse_nearest(sites: IntArray, neighbours: IntArray, distances: FloatArray) -> None:
    nearest = int(np.argmin(distances))
    if distances[nearest] < SMALLEST_DISTANCE:
        _refuse_overlap(int(sites[nearest]), int(neighbours[nearest]), float(distances[nearest]))


def _refuse_overlap(site: int, neighbour: int, distance: float) -> None:
    one, other = sorted((site + 1, neighbour + 1))
    names = f"atoms {one} and {other} overlap" if one != other else f"atom {one} overlaps with its own image"
    raise CrystalError(f"{names}: {distance:.2f} angstrom apart, less than {SMALLEST_DISTANCE:g}")


def _refuse_coincidence(placement: Placement) -> None:
    """Finds atoms in one place, of which Voro++ makes no cells."""
    first, second = np.triu_indices(min(len(placement.points), _MOST_ATOMS_IN_PAIRS), k=1)
    if len(first):
        apart = placement.points[second] - placement.points[first]
        apart -= np.rint(apart @ np.linalg.inv(placement.cell)) @ placement.cell
        _refuse_nearest(first, second, lengths(apart))


def _refuse_gaps(areas: FloatArray, distances: FloatArray, volume: float) -> None:
    filled = float(areas @ distances) / 6.0  # a pyramid has a third of its base times its height, half a distance
    if abs(filled - volume) > _VOLUME_TOLERANCE * volume:
        raise CrystalError(f"its Voronoi cells fill {filled:.6g} of {volume:.6g} cubic angstrom")
