"""Structures of known compounds, for the tests of this folder."""

import functools

import numpy as np
from pymatgen.core import Lattice, Structure

HALIDES = [f"{metal}{halogen}" for metal in ("Li", "Na", "K", "Rb", "Cs") for halogen in ("F", "Cl", "Br")]
_FACE_CENTRED = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def rocksalt(formula="NaCl", edge=5.6):
    return _face_centred(formula, edge, 0.5)


def zincblende(formula="NaCl", edge=5.9):
    return _face_centred(formula, edge, 0.25)


def _face_centred(formula, edge, shift):
    second = next(position for position, letter in enumerate(formula[1:], start=1) if letter.isupper())
    symbols = [formula[:second]] * 4 + [formula[second:]] * 4
    return Structure(Lattice.cubic(edge), symbols, np.concatenate([_FACE_CENTRED, (_FACE_CENTRED + shift) % 1]))


def in_mixed_sites():
    return Structure(Lattice.cubic(3), [{"Fe": 0.5, "Ni": 0.5}], [[0, 0, 0]])


def poscar(structure):
    return structure.to(fmt="poscar")


@functools.cache
def halides(made=rocksalt):
    """The text of each halide."""
    return [poscar(made(formula)) for formula in HALIDES]
