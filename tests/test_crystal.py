from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pymatgen.core import Lattice, Structure

from irnet_ray.crystal import FORMS, crystal, from_pymatgen, guess_form, parse_crystal, to_crystal
from irnet_ray.errors import CrystalError
from irnet_ray.formula import SYMBOLS

ROCKSALT = Structure(Lattice.from_parameters(4, 5, 6, 80, 85, 75), ["Na", "Cl"], [[0.1, 0.2, 0.3], [0.6, 0.7, 0.9]])
JARVIS = {
    "lattice_mat": ROCKSALT.lattice.matrix.tolist(),
    "coords": ROCKSALT.cart_coords.tolist(),
    "elements": ["Na", "Cl"],
    "cartesian": True,
}


def extended_xyz(structure):
    import ase.io

    file = io.StringIO()
    ase.io.write(file, structure.to_ase_atoms(), format="extxyz")
    return file.getvalue()


TEXTS = {
    "poscar": ROCKSALT.to(fmt="poscar"),
    "cif": ROCKSALT.to(fmt="cif"),
    "json": json.dumps(ROCKSALT.as_dict()),
    "extxyz": extended_xyz(ROCKSALT),
}


def distances(read):
    """What all ways to write a structure have in common: no choice of axes matters."""
    structure = Structure(read.lattice, [SYMBOLS[element] for element in read.elements], read.positions)
    return structure.distance_matrix


@pytest.mark.parametrize("form", list(FORMS))
def test_every_form_is_read_and_recognized(form):
    assert guess_form(TEXTS[form]) == form
    read = parse_crystal(TEXTS[form], form)
    assert read.formula == "NaCl"
    np.testing.assert_allclose(distances(read), ROCKSALT.distance_matrix, atol=1e-5)
    assert read.volume == pytest.approx(ROCKSALT.volume, rel=1e-5)


@pytest.mark.parametrize("given_structure", [ROCKSALT, ROCKSALT.to_ase_atoms(), ROCKSALT.as_dict(), JARVIS])
def test_objects_of_the_field_are_taken_as_they_are(given_structure):
    read = to_crystal(given_structure)
    np.testing.assert_allclose(read.lattice, ROCKSALT.lattice.matrix, atol=1e-12)
    np.testing.assert_allclose(read.positions, ROCKSALT.frac_coords, atol=1e-12)
    assert read.elements.tolist() == [10, 16]
    assert to_crystal(read) is read


def test_dictionaries_may_hold_arrays():
    arrays_in_it = {**JARVIS, "lattice_mat": np.array(JARVIS["lattice_mat"]), "coords": np.array(JARVIS["coords"])}
    np.testing.assert_array_equal(to_crystal(arrays_in_it).positions, to_crystal(JARVIS).positions)
    with pytest.raises(CrystalError, match="not a structure in json"):
        to_crystal({"lattice_mat": 1, "coords": None})


@pytest.mark.parametrize("comment", ["salt", "# data of 1960"])
def test_a_poscar_without_elements_is_refused(comment):
    lines = TEXTS["poscar"].splitlines()
    nameless = [comment, *lines[1:5], *lines[6:8], *(" ".join(line.split()[:3]) for line in lines[8:])]
    with pytest.raises(CrystalError, match="Elements in POSCAR cannot be determined"):
        to_crystal("\n".join(nameless))
    named = [f"# {comment}", *lines[1:]]
    assert to_crystal("\n".join(named)).formula == "NaCl"


def test_anything_else_is_named():
    with pytest.raises(CrystalError, match="a int is no structure"):
        to_crystal(5)


@given(arrays.arrays(np.float64, (3,), elements=st.floats(-1e6, 1e6)))
def test_atoms_are_wrapped_into_the_cell(position):
    read = crystal(4 * np.eye(3), position[None], np.array([10]))
    assert ((read.positions >= 0) & (read.positions < 1)).all()
    turns = position - read.positions[0]
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-9)


@pytest.mark.parametrize("edge", [-1e-17, 1.0, -1.0, 1 - 1e-17])
def test_the_edge_of_the_cell_is_its_origin(edge):
    read = crystal(4 * np.eye(3), np.array([[edge, 0, 0]]), np.array([10]))
    assert read.positions.tolist() == [[0.0, 0.0, 0.0]]


def make(symbols, positions, lattice=None):
    return Structure(Lattice.cubic(4) if lattice is None else lattice, symbols, positions)


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        (make(["Na", "Cl"], [[0, 0, 0], [0.5, np.nan, 0]]), "the coordinates of atom 2 are not finite"),
        (make([{"Na": 0.5, "K": 0.5}], [[0, 0, 0]]), r"site 1 is partly occupied \(Na0.5 K0.5\)"),
        (make([{"Na": 0.5}], [[0, 0, 0]]), "site 1 is partly occupied"),
        (make(["X", "Cl"], [[0, 0, 0], [0.5, 0, 0]]), "atom 1: unknown element 'X'"),
        (make(["Na"], [[0, 0, 0]], [[1, 0, 0], [0, 1, 0], [1, 1, 0]]), "the cell has no volume"),
        (make(["Na"], [[0, 0, 0]], [[1, 0, 0], [0, np.inf, 0], [1, 1, 0]]), "a lattice vector is not finite"),
        (make(["Na"], [[0, 0, 0]], Lattice.orthorhombic(4, 4, 1e9)), r"a lattice vector is 1e\+09 angstrom long"),
        (make([], []), "there is no atom in it"),
    ],
)
def test_what_cannot_be_a_crystal_is_refused_with_the_reason(structure, message):
    with pytest.raises(CrystalError, match=message):
        from_pymatgen(structure)


def test_atoms_without_a_cell_are_refused():
    from ase import Atoms

    with pytest.raises(CrystalError, match="not periodic in all directions"):
        to_crystal(Atoms("NaCl", [[0, 0, 0], [2, 0, 0]]))
    with pytest.raises(CrystalError, match="no volume"):
        to_crystal(Atoms("NaCl", [[0, 0, 0], [2, 0, 0]], pbc=True))


def test_isotopes_and_charges_are_those_of_their_element():
    assert from_pymatgen(make(["D+", "Cl-"], [[0, 0, 0], [0.5, 0, 0]])).elements.tolist() == [0, 16]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("9" * 30, "extxyz"),
        (TEXTS["extxyz"].replace("2\n", "2000000000\n", 1), "extxyz"),
        (TEXTS["extxyz"] + "2000000000\n", "extxyz"),
        (TEXTS["poscar"].replace("1 1\n", f"1 {'9' * 12}\n", 1), "poscar"),
    ],
)
def test_a_number_of_atoms_that_cannot_be_is_not_believed(text, form):
    with pytest.raises(CrystalError, match="atoms are announced in"):
        parse_crystal(text, form)


def read_or_refuse(text, form):
    """Whatever the text, it is a crystal, or one line says why not."""
    reason = ""
    try:
        read = parse_crystal(text, form)
        assert np.isfinite(read.positions).all()
        assert read.volume > 0
    except CrystalError as error:
        reason = str(error)
    assert "\n" not in reason


@pytest.mark.parametrize("form", list(FORMS))
@given(text=st.text(max_size=200))
def test_no_text_ends_in_anything_but_a_reason(form, text):
    read_or_refuse(text, form)


@pytest.mark.parametrize("form", list(FORMS))
@given(data=st.data())
def test_no_damage_to_a_text_ends_in_anything_but_a_reason(form, data):
    text = TEXTS[form]
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, len(text)))
    damaged = text[:start] + data.draw(st.text(max_size=5)) + text[stop:]
    read_or_refuse(damaged, form)
