"""Crystals as arrays: the one place where a structure is read.

pymatgen and ASE parse; what they found is wrapped into the cell, checked, and becomes three arrays, so
that everything behind it can rely on what a crystal is.
"""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from irnet_ray.errors import CrystalError
from irnet_ray.formula import SYMBOLS, Compositions, FloatArray, IntArray, reduced_formulas

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core import Structure

_LONGEST_VECTOR = 1000.0  # angstrom; a mistake of units makes longer ones, which no program here can divide
_SMALLEST_VOLUME = 1e-3  # of the box spanned by the lengths of the lattice vectors; angles of 1 degree have 1e-2
_INDEX = {symbol: index for index, symbol in enumerate(SYMBOLS)} | {"D": 0, "T": 0}
# Parsers raise whatever a malformed text leads them to, pymatgen even its own BadPoscarWarning.
_PARSER_ERRORS = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    StopIteration,
    OSError,
    Warning,
)


@dataclass(frozen=True)
class Crystal:
    """A periodic arrangement of ``n`` atoms.

    Attributes:
        lattice: The lattice vectors as rows (angstrom), shape ``(3, 3)``.
        positions: Fractional coordinates in [0, 1), shape ``(n, 3)``.
        elements: Atomic numbers less one, shape ``(n,)``.
    """

    lattice: FloatArray
    positions: FloatArray
    elements: IntArray

    def __len__(self) -> int:
        return len(self.elements)

    @property
    def volume(self) -> float:
        """Volume of the cell (cubic angstrom)."""
        return float(abs(np.linalg.det(self.lattice)))

    @property
    def formula(self) -> str:
        """The reduced formula."""
        elements, amounts = np.unique(self.elements, return_counts=True)
        starts = np.array([0, len(elements)], dtype=np.int64)
        return reduced_formulas(Compositions(starts, elements, amounts.astype(np.float64)))[0]


def crystal(lattice: FloatArray, positions: FloatArray, elements: IntArray) -> Crystal:
    """Wraps the atoms into the cell, and checks that they can be a crystal.

    Args:
        lattice: The lattice vectors as rows (angstrom), shape ``(3, 3)``.
        positions: Fractional coordinates, anywhere, shape ``(n, 3)``.
        elements: Atomic numbers less one, shape ``(n,)``.

    Raises:
        CrystalError: There is no atom, a number is not finite, or the cell is too long or has no volume.
    """
    if not len(elements):
        raise CrystalError("there is no atom in it")
    if not np.isfinite(lattice).all():
        raise CrystalError("a lattice vector is not finite")
    if not np.isfinite(positions).all():
        atom = int(np.argmax(~np.isfinite(positions).all(axis=1)))
        raise CrystalError(f"the coordinates of atom {atom + 1} are not finite")
    longest = float(np.linalg.norm(lattice, axis=1).max())
    if longest > _LONGEST_VECTOR:
        raise CrystalError(f"a lattice vector is {longest:.3g} angstrom long, more than {_LONGEST_VECTOR:g}")
    box = float(np.prod(np.linalg.norm(lattice, axis=1)))
    if abs(np.linalg.det(lattice)) <= _SMALLEST_VOLUME * box:
        raise CrystalError("the cell has no volume: its lattice vectors lie in a plane")
    wrapped = positions % 1.0
    wrapped[wrapped == 1.0] = 0.0  # what -1e-17 % 1.0 gives
    return Crystal(np.ascontiguousarray(lattice, dtype=np.float64), wrapped, np.asarray(elements, dtype=np.int64))


def from_pymatgen(structure: Structure) -> Crystal:
    """Takes a pymatgen structure as it is; isotopes of hydrogen count as hydrogen, charges do not count.

    Raises:
        CrystalError: A site is partly occupied or holds no element, or see ``crystal``.
    """
    elements = []
    for number, site in enumerate(structure, start=1):
        species = site.species
        if len(species) != 1 or abs(species.num_atoms - 1.0) > 1e-8:
            raise CrystalError(f"site {number} is partly occupied ({species}); order the structure first")
        elements.append(_element(species.elements[0].symbol, number))
    return crystal(
        np.array(structure.lattice.matrix), np.array(structure.frac_coords), np.array(elements, dtype=np.int64)
    )


def from_ase(atoms: Atoms) -> Crystal:
    """Takes ASE atoms, which must be periodic in all directions.

    Raises:
        CrystalError: A direction is not periodic, an atom is no element, or see ``crystal``.
    """
    if not np.all(atoms.pbc):
        raise CrystalError("it is not periodic in all directions; set a cell and pbc=True")
    lattice = np.array(atoms.cell)
    if not np.linalg.det(lattice):
        raise CrystalError("the cell has no volume: its lattice vectors lie in a plane")
    elements = [_element(symbol, number) for number, symbol in enumerate(atoms.get_chemical_symbols(), start=1)]
    positions = np.array(atoms.get_positions()) @ np.linalg.inv(lattice)
    return crystal(lattice, positions, np.array(elements, dtype=np.int64))


def _element(symbol: str, number: int) -> int:
    index = _INDEX.get(symbol)
    if index is None:
        raise CrystalError(f"atom {number}: unknown element '{symbol}'")
    return index


def parse_crystal(text: str, form: str) -> Crystal:
    """Reads a crystal from text.

    Args:
        text: The content of a file or of a table's field.
        form: One of ``FORMS``, or ``ANY_FORM``.

    Raises:
        CrystalError: The text does not parse, or does not describe a crystal.
    """
    if not text.strip():
        raise CrystalError("empty")
    form = guess_form(text) if form == ANY_FORM else form
    return _guarded(FORMS[form], text, form)


def _guarded(read: Callable[[Any], Crystal], content: Any, form: str) -> Crystal:
    """Turns whatever a parser raises into one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # parsers warn of much that does not change the atoms
            return read(content)
    except CrystalError:
        raise
    except _PARSER_ERRORS as error:
        lines = str(error).strip().splitlines()
        raise CrystalError(f"not a structure in {form} ({lines[0] if lines else type(error).__name__})") from error


def _parse_poscar(text: str) -> Crystal:
    from pymatgen.core import Structure

    lines = text.splitlines()
    for line in lines[5:7]:  # where the numbers of atoms stand, with or without symbols before them
        if re.fullmatch(r"[\d\s]+", line):
            _refuse_more_atoms_than_lines(sum(map(int, line.split())), len(lines))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*cannot be determined")  # else H, He, Li and so on are taken
        return from_pymatgen(Structure.from_str(text, fmt="poscar"))


def _refuse_more_atoms_than_lines(atoms: int, lines: int) -> None:
    """Parsers believe any number, and make as many atoms or look for as many lines."""
    if atoms > lines:
        raise CrystalError(f"{atoms} atoms are announced in {lines} lines")


def _parse_cif(text: str) -> Crystal:
    from pymatgen.core import Structure

    return from_pymatgen(Structure.from_str(text, fmt="cif"))


def _parse_json(text: str) -> Crystal:
    """Reads pymatgen's dictionary of a structure, or that of JARVIS."""
    content = json.loads(text)
    if not isinstance(content, Mapping):
        raise CrystalError("not a JSON object")
    return _from_dictionary(content)


def _from_dictionary(content: Mapping[str, Any]) -> Crystal:
    if "lattice_mat" in content:
        return _from_jarvis(content)
    from pymatgen.core import Structure

    return from_pymatgen(Structure.from_dict(dict(content)))


def _from_jarvis(atoms: Mapping[str, Any]) -> Crystal:
    lattice = np.array(atoms["lattice_mat"], dtype=np.float64).reshape(3, 3)
    positions = np.array(atoms["coords"], dtype=np.float64).reshape(-1, 3)
    if atoms.get("cartesian"):
        positions = positions @ np.linalg.inv(lattice)
    elements = [_element(str(symbol).strip(), number) for number, symbol in enumerate(atoms["elements"], start=1)]
    if len(elements) != len(positions):
        raise CrystalError(f"{len(elements)} elements, but {len(positions)} coordinates")
    return crystal(lattice, positions, np.array(elements, dtype=np.int64))


def _parse_extended_xyz(text: str) -> Crystal:
    from ase.io import read

    lines = text.splitlines()
    for line in lines:
        if re.fullmatch(r"\s*\d+\s*", line):
            _refuse_more_atoms_than_lines(int(line), len(lines))
    return from_ase(read(io.StringIO(text), format="extxyz"))


FORMS: dict[str, Callable[[str], Crystal]] = {
    "poscar": _parse_poscar,
    "cif": _parse_cif,
    "json": _parse_json,
    "extxyz": _parse_extended_xyz,
}
"""The ways in which a structure is written, and their readers; ``json`` is pymatgen's or that of JARVIS."""

ANY_FORM = "any"
"""Stands for the form that a text looks like."""


def guess_form(text: str) -> str:
    """Tells from the text in which form a structure is written."""
    start = text.lstrip()
    if start.startswith("{"):
        return "json"
    if start.startswith("data_") or "_cell_length_a" in text:
        return "cif"
    return "extxyz" if "Lattice=" in text else "poscar"


def to_crystal(structure: Any) -> Crystal:
    """Takes a structure in any form that the field uses.

    Args:
        structure: A crystal, a pymatgen ``Structure`` or its dictionary, ASE ``Atoms``, or the text of a
            POSCAR, CIF, extended XYZ or JSON.

    Raises:
        CrystalError: It is none of these, or does not describe a crystal.
    """
    if isinstance(structure, Crystal):
        return structure
    if isinstance(structure, str):
        return parse_crystal(structure, ANY_FORM)
    if isinstance(structure, Mapping):
        return _guarded(_from_dictionary, structure, "json")
    if hasattr(structure, "get_chemical_symbols"):
        return from_ase(structure)
    if hasattr(structure, "frac_coords"):
        return from_pymatgen(structure)
    raise CrystalError(f"a {type(structure).__name__} is no structure; give one of pymatgen, ASE, or text")
