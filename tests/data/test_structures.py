import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from data.structures import HALIDES, halides, poscar, rocksalt, zincblende
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from irnet_ray.data.curate import curate, unique_structure
from irnet_ray.data.steps import DropMissing, ReduceComposition, UniqueStructure
from irnet_ray.data.structures import formulas_of, without_repeated_structures
from irnet_ray.errors import CrystalError

SHARED = Path(__file__).parents[3] / "shared" / "data"


def table(structures, **properties):
    texts = [each if isinstance(each, str) else poscar(each) for each in structures]
    frame = pd.DataFrame({"structure": pd.Series(texts, dtype=object), **properties})
    return frame.set_index(pd.RangeIndex(1, len(texts) + 1))


def rows_kept(structures):
    texts = [poscar(each) for each in structures]
    formulas, reasons = formulas_of(texts, "poscar")
    assert not reasons
    return without_repeated_structures(formulas, texts, "poscar")


def translated(structure):
    return structure.copy().translate_sites(range(len(structure)), [0.13, 0.27, 0.41])


def scaled(structure):
    return structure.copy().scale_lattice(1.3 * structure.volume)


def in_another_cell(structure):
    return structure.copy().make_supercell([[1, 1, 0], [0, 1, 0], [1, 0, 2]])


@pytest.mark.parametrize(
    "changed",
    [
        Structure.get_primitive_structure,
        translated,
        scaled,
        in_another_cell,
        lambda structure: Structure.from_sites(list(structure)[::-1]),
        lambda structure: structure.copy().perturb(0.02),
    ],
)
@pytest.mark.parametrize("made", [rocksalt, zincblende])
def test_one_structure_in_another_guise_is_one(made, changed):
    assert rows_kept([made(), changed(made())]) == [0]


def test_two_structures_of_one_composition_are_two():
    assert rows_kept([rocksalt(), zincblende(), rocksalt(edge=5.7), zincblende(edge=5.8)]) == [0, 1]


def test_one_structure_of_two_compositions_is_two():
    assert rows_kept([rocksalt("NaCl"), rocksalt("KCl"), rocksalt("NaCl")]) == [0, 1]


def test_the_lowest_of_each_structure_stays_in_its_place():
    structures = [rocksalt(), zincblende(), in_another_cell(rocksalt()), rocksalt("KCl"), scaled(rocksalt())]
    given = table(structures, energy=[-1.0, -0.5, -1.5, 3.0, np.nan], gap=[1.0, 2, 3, 4, 5])
    steps = [DropMissing(), ReduceComposition(), UniqueStructure(column="energy")]
    kept, report = curate(given, steps, form="poscar")
    assert kept.index.tolist() == [2, 3, 4]
    assert kept["formula"].tolist() == ["NaCl", "NaCl", "KCl"]
    assert kept["gap"].tolist() == [2, 3, 4]
    assert [(step.step, step.dropped) for step in report.steps][-1] == ("unique_structure (energy)", 2)


def test_the_rows_that_stay_do_not_depend_on_their_order():
    structures = [rocksalt(edge=edge) for edge in (5.5, 5.6, 5.7)] + [zincblende(edge=edge) for edge in (5.8, 5.9)]
    given = table(structures, energy=[-1.0, -1, -1, 2, 2]).assign(formula="NaCl")
    first = unique_structure(given, "energy", "poscar")
    second = unique_structure(given.iloc[::-1], "energy", "poscar")
    assert len(first) == 2
    assert first["structure"].tolist() == second["structure"].tolist()[::-1]


def test_every_structure_is_read_once_and_lone_ones_not_at_all(monkeypatch):
    read = []
    from irnet_ray.data import structures

    parse = structures.parse_crystal
    monkeypatch.setattr(structures, "parse_crystal", lambda text, form: read.append(text) or parse(text, form))
    given = table([rocksalt()] * 4 + [rocksalt("KCl")], energy=[1.0, 2, 3, 4, 5])
    kept = unique_structure(given.assign(formula=["NaCl"] * 4 + ["KCl"]), "energy", "poscar")
    assert (len(read), kept.index.tolist()) == (4, [1, 5])


def test_nothing_is_left_of_nothing():
    steps = [DropMissing(), ReduceComposition(), UniqueStructure(column="energy")]
    kept, report = curate(table(["", " "], energy=[1.0, 2.0]), steps, form="poscar")
    assert (len(kept), report.rows_kept) == (0, 0)
    assert "formula" in kept


def test_a_bad_structure_is_named_by_its_row_and_can_be_skipped():
    given = table([rocksalt(), "", "nothing", rocksalt("KCl"), "{}"], energy=[1.0, 2, 3, 4, 5])
    steps = [DropMissing(), ReduceComposition()]
    with pytest.raises(CrystalError, match=r"^row 3: .* \(and 1 more\); correct it, or drop such rows with --skip-bad"):
        curate(given, steps, form="poscar")
    kept, report = curate(given, steps, form="poscar", skip_bad_rows=True)
    assert kept["formula"].tolist() == ["NaCl", "KCl"]
    assert [step.dropped for step in report.steps] == [1, 2]


def test_formulas_are_those_of_the_structures():
    assert formulas_of(halides(), "poscar") == (HALIDES, {})


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="data from outside the repository are not there")
@pytest.mark.parametrize("formula", ["CoO", "BN", "TiO2"])
def test_real_polymorphs_are_grouped_as_pymatgen_groups_them(formula):
    """Rows stay as many as pymatgen finds groups, in cells that it reduces itself."""
    with gzip.open(SHARED / "jarvis_structures.jsonl.gz", "rt") as file:
        texts = [row["poscar"] for row in map(json.loads, file) if row["formula"] == formula]
    structures = [Structure.from_str(text, fmt="poscar") for text in texts]
    groups = StructureMatcher().group_structures(structures)
    kept = without_repeated_structures([formula] * len(texts), texts, "poscar")
    assert 1 < len(kept) == len(groups) < len(texts)
