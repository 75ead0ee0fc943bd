"""Crystals for benchmarks: prototypes that need no download, or those of a file."""

from __future__ import annotations

import bisect
import itertools
import math
import random
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from pymatgen.core import Lattice, Structure

from irnet_ray.crystal import Crystal, parse_crystal, to_crystal

SEED = 0
ATOMS = (1, 5, 9, 13, 21, 49, 100)  # where ranges of numbers of atoms begin
DISPLACEMENT = 0.05  # of an atom along each axis (angstrom, standard deviation)
METALS = ("Li", "Na", "Mg", "Al", "K", "Ca", "Ti", "Mn", "Fe", "Ni", "Cu", "Zn", "Sr", "Zr", "Ba", "La")
NONMETALS = ("N", "O", "F", "S", "Cl", "Se")
PROTOTYPES = (  # space group, a, b and c (angstrom), coordinates of metals and then of a nonmetal
    ("Fm-3m", (4.7, 4.7, 4.7), [[0, 0, 0], [0.5, 0.5, 0.5]]),  # rock salt
    ("Pm-3m", (4.0, 4.0, 4.0), [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]]),  # perovskite
    ("P4_2/mnm", (4.6, 4.6, 3.0), [[0, 0, 0], [0.305, 0.305, 0]]),  # rutile
    ("P4/nmm", (4.0, 4.0, 6.0), [[0, 0, 0], [0, 0.5, 0.3]]),  # litharge
)
SUPERCELLS = [each for each in itertools.combinations_with_replacement(range(1, 4), 3) if math.prod(each) <= 12]


def choose(crystals: Iterable[Crystal], rows: int) -> list[Structure]:
    """The first crystals of each range of numbers of atoms, as many of each, as pymatgen's structures."""
    wanted = dict.fromkeys(range(1, len(ATOMS)), math.ceil(rows / (len(ATOMS) - 1)))
    chosen = []
    for made in crystals:
        group = bisect.bisect(ATOMS, len(made))
        if wanted.get(group):
            wanted[group] -= 1
            chosen.append(Structure(made.lattice, made.elements + 1, made.positions))
        if not any(wanted.values()):
            break
    return chosen


def read_structures(path: str) -> Iterator[Crystal]:
    """Crystals of a table of JSON lines with the column ``poscar``, in random order."""
    texts = pd.read_json(path, lines=True)["poscar"]
    return (parse_crystal(text, "poscar") for text in texts.sample(frac=1.0, random_state=SEED))


def prototypes() -> Iterator[Crystal]:
    """Endless crystals: prototypes and their supercells of random elements, atoms displaced."""
    generator = random.Random(SEED)
    noise = np.random.default_rng(SEED)
    while True:
        group, lengths, sites = generator.choice(PROTOTYPES)
        species = [*generator.sample(METALS, len(sites) - 1), generator.choice(NONMETALS)]
        made = Structure.from_spacegroup(group, Lattice.orthorhombic(*lengths), species, sites)
        made = made.get_primitive_structure().make_supercell(generator.choice(SUPERCELLS))
        moved = made.cart_coords + DISPLACEMENT * noise.standard_normal((len(made), 3))
        yield to_crystal(Structure(made.lattice, made.species, moved, coords_are_cartesian=True))
