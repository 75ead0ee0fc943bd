import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from data.structures import HALIDES, halides, rocksalt, zincblende

from irnet_ray.cache import Cache
from irnet_ray.crystal import parse_crystal
from irnet_ray.data import structures
from irnet_ray.data.cards import OwnTable
from irnet_ray.data.load import load
from irnet_ray.errors import CrystalError, DataError

SHARED = Path(__file__).parents[3] / "shared" / "data"
UNIQUE = ({"step": "drop_missing"}, {"step": "reduce_composition"}, {"step": "unique_structure", "column": "energy"})


@pytest.fixture
def parsed(monkeypatch):
    """Texts of the structures that curation reads."""
    texts = []
    parse = structures.parse_crystal
    monkeypatch.setattr(structures, "parse_crystal", lambda text, form: texts.append(text) or parse(text, form))
    return texts


def own_table(folder, texts, energies, file="t.csv", **options):
    frame = pd.DataFrame({"crystal": texts, "energy": energies, "gap": np.arange(len(texts)) % 3})
    if file.endswith(".csv"):
        frame.to_csv(folder / file, index=False)
    else:
        frame.to_json(folder / file, orient="records", lines=True)
    given = {"path": str(folder / file), "structure": "crystal", "properties": {"energy": "eV/atom", "gap": "eV"}}
    return OwnTable.model_validate(given | options)


@pytest.mark.parametrize("file", ["t.csv", "t.jsonl"])
def test_compositions_come_from_the_structures(tmp_path, file):
    materials = load(own_table(tmp_path, halides(), range(15), file), "energy", cache=Cache(tmp_path))
    assert sorted(materials.formulas) == sorted(HALIDES)
    assert materials.structures.form == "any"
    read = [parse_crystal(text, "poscar").formula for text in materials.structures.texts]
    assert read == materials.formulas
    assert materials.target.tolist() == [HALIDES.index(formula) for formula in read]


def test_structures_may_be_objects_in_json_lines(tmp_path):
    objects = [rocksalt(formula).as_dict() for formula in HALIDES]
    materials = load(own_table(tmp_path, objects, range(15), "t.jsonl"), "energy", cache=Cache(tmp_path))
    assert materials.structures.form == "any"
    assert sorted(materials.formulas) == sorted(HALIDES)


def test_structures_follow_filters_and_order(tmp_path):
    texts = [*halides(), "", *halides(zincblende)]
    energies = [*range(15), 3, *range(-15, 0)]
    energies[4] = None
    steps = [*UNIQUE, {"step": "bounds", "column": "energy", "low": -12.5, "high": 100}]
    materials = load(own_table(tmp_path, texts, energies, curation=steps), "energy", cache=Cache(tmp_path))
    assert len(materials) == len(materials.structures.texts) == 14 + 12
    expected = {text: energy for text, energy in zip(texts, energies, strict=True) if text}
    assert materials.target.tolist() == [expected[text] for text in materials.structures.texts]
    assert materials.formulas == sorted(materials.formulas)
    assert materials.report.rows_read - materials.report.rows_kept == 31 - 26


def test_taking_rows_takes_all_that_belongs_to_them(tmp_path):
    materials = load(own_table(tmp_path, halides(), range(15)), "energy", cache=Cache(tmp_path))
    taken = materials.take(np.array([2, 7]), "without attributes")
    assert taken.formulas == [materials.formulas[2], materials.formulas[7]]
    assert taken.target.tolist() == [materials.target[2], materials.target[7]]
    assert taken.structures.texts == [materials.structures.texts[2], materials.structures.texts[7]]
    assert (taken.report.steps[-1].step, taken.report.rows_kept) == ("without attributes", 2)


def test_the_order_does_not_depend_on_the_file_even_among_equals(tmp_path):
    texts, energies = halides() + halides(zincblende), [*range(15), *range(15)]
    first = load(own_table(tmp_path, texts, energies, "a.csv"), "energy", cache=Cache(tmp_path))
    second = load(own_table(tmp_path, texts[::-1], energies[::-1], "b.csv"), "energy", cache=Cache(tmp_path))
    assert first.structures == second.structures


def test_a_bad_structure_stops_unless_it_is_skipped(tmp_path):
    own = own_table(tmp_path, [*halides(), "no structure"], range(16))
    with pytest.raises(CrystalError, match=r"t.csv: row 16: not a structure in poscar .*--skip-bad-rows"):
        load(own, "energy", cache=Cache(tmp_path))
    materials = load(own, "energy", cache=Cache(tmp_path), skip_bad_rows=True)
    assert len(materials) == 15
    assert [step.dropped for step in materials.report.steps if step.step == "reduce_composition"] == [1]
    with pytest.raises(CrystalError, match="row 16"):
        load(own, "energy", cache=Cache(tmp_path))


def test_a_second_load_reads_no_structure(tmp_path, parsed):
    own = own_table(tmp_path, halides(), range(15))
    first = load(own, "energy", cache=Cache(tmp_path))
    assert len(parsed) == 15
    again = load(own, "energy", cache=Cache(tmp_path), skip_bad_rows=True)
    other_property = load(own, "gap", cache=Cache(tmp_path))
    assert len(parsed) == 15
    assert (first.structures, first.formulas, first.report) == (again.structures, again.formulas, again.report)
    assert first.target.tolist() == again.target.tolist()
    assert sorted(other_property.target) == sorted(number % 3 for number in range(15))


def test_what_changes_is_read_again(tmp_path, parsed):
    first = own_table(tmp_path, halides(), range(15))
    load(first, "energy", cache=Cache(tmp_path))
    changes = [
        own_table(tmp_path, halides(), range(1, 16)),
        own_table(tmp_path, halides(), range(1, 16), curation=UNIQUE),
        own_table(tmp_path, halides(), range(1, 16), columns={"energy": "gap"}),
    ]
    for number, changed in enumerate(changes, start=2):
        load(changed, "energy", cache=Cache(tmp_path))
        assert len(parsed) == 15 * number


def test_where_the_table_lies_and_what_it_is_called_does_not_matter(tmp_path, parsed):
    load(own_table(tmp_path, halides(), range(15)), "energy", cache=Cache(tmp_path))
    moved = load(own_table(tmp_path, halides(), range(15), "other.csv", name="mine"), "energy", cache=Cache(tmp_path))
    assert (moved.name, len(parsed)) == ("mine", 15)


def test_tables_of_formulas_have_no_structures_and_are_not_kept(tmp_path):
    own = own_table(tmp_path, halides(), range(15)).model_copy(update={"structure": None, "formula": "name"})
    pd.read_csv(own.path).assign(name=HALIDES).to_csv(own.path, index=False)
    assert load(own, "energy", cache=Cache(tmp_path)).structures is None
    assert not (tmp_path / "curated").exists()


@pytest.mark.parametrize(
    ("texts", "column", "message"),
    [
        (halides(), "cristal", "no column 'cristal'; did you mean 'crystal'"),
        ([""] * 15, "crystal", "column 'crystal' is empty in every row"),
    ],
)
def test_a_column_without_structures_is_told(tmp_path, texts, column, message):
    own = own_table(tmp_path, texts, range(15)).model_copy(update={"structure": column})
    with pytest.raises(DataError, match=message):
        load(own, "energy", cache=Cache(tmp_path))
    Path(own.path).unlink()
    with pytest.raises(DataError, match="no such file"):
        load(own, "energy", cache=Cache(tmp_path))


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="data from outside the repository are not there")
def test_the_shared_structures_keep_their_count(tmp_path):
    path = SHARED / "jarvis_structures.jsonl.gz"
    own = OwnTable(
        path=str(path),
        structure="poscar",
        properties={"energy": "eV/atom", "gap": "eV"},
        columns={"energy": "formation_energy_per_atom", "gap": "band_gap"},
    )
    materials = load(own, "energy", cache=Cache(tmp_path))
    assert len(materials) == len(materials.structures.texts) == 14_000
    with gzip.open(path, "rt") as file:
        energies = {row["poscar"]: row["formation_energy_per_atom"] for row in map(json.loads, file)}
    assert materials.target.tolist() == [energies[text] for text in materials.structures.texts]
