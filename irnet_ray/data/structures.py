"""What curation needs to know of crystal structures: their compositions, and which of them are one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from irnet_ray.crystal import Crystal, parse_crystal
from irnet_ray.errors import CrystalError
from irnet_ray.formula import SYMBOLS

if TYPE_CHECKING:
    from pymatgen.core import Structure


def formulas_of(texts: Sequence[str], form: str) -> tuple[list[str], dict[int, str]]:
    """Reads structures for their compositions.

    Args:
        texts: ``n`` structures as written.
        form: One of ``irnet_ray.crystal.FORMS``.

    Returns:
        The reduced formulas of the readable ones in their order, and for the positions of the others the
        reason.
    """
    formulas: list[str] = []
    reasons: dict[int, str] = {}
    for row, text in enumerate(texts):
        try:
            formulas.append(parse_crystal(text, form).formula)
        except CrystalError as error:
            reasons[row] = str(error)
    return formulas, reasons


def without_repeated_structures(formulas: Sequence[str], texts: Sequence[str], form: str) -> list[int]:
    """Finds the rows that repeat no row before them.

    Two rows are one if their formulas are equal and pymatgen's ``StructureMatcher`` maps the primitive
    Niggli cells onto each other with its default tolerances: both scaled to the same volume, lattice
    lengths within 20% and angles within 5 degrees, and no atom displaced by more than 0.3 (volume /
    atoms)^(1/3). So orderings of one lattice stay apart, and slightly distorted copies do not.

    Args:
        formulas: ``n`` reduced formulas.
        texts: ``n`` structures as written, all readable.
        form: One of ``irnet_ray.crystal.FORMS``.

    Returns:
        Positions of the rows that stay, rising.
    """
    from pymatgen.analysis.structure_matcher import StructureMatcher

    matcher = StructureMatcher()
    kept: dict[tuple[str, int], list[Structure]] = defaultdict(list)
    rows = []
    for row, (formula, text) in enumerate(zip(formulas, texts, strict=True)):
        cell = _primitive_cell(parse_crystal(text, form))
        rivals = kept[formula, len(cell)]  # primitive cells of different size never match
        if not any(matcher.fit(rival, cell, skip_structure_reduction=True) for rival in rivals):
            rivals.append(cell)
            rows.append(row)
    return rows


def _primitive_cell(crystal: Crystal) -> Structure:
    """The primitive Niggli cell, to which the matcher would reduce each structure in every comparison."""
    from pymatgen.core import Lattice, Structure

    symbols = [SYMBOLS[element] for element in crystal.elements]
    structure = Structure(Lattice(crystal.lattice), symbols, crystal.positions)
    return structure.get_reduced_structure().get_primitive_structure()
