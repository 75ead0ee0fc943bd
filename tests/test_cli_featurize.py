"""``irnet-ray featurize``, as a user meets it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from commands import assert_refused, succeed
from conftest import small_table
from pymatgen.core import Lattice, Structure

from irnet_ray.crystal import from_pymatgen
from irnet_ray.features.composition import composition_attributes
from irnet_ray.features.representation import labels
from irnet_ray.features.structure import WARD_LABELS, structure_attributes
from irnet_ray.formula import parse_all

GOOD = {
    f"{metal}O": Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge), [metal, "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    for metal, edge in (("Mg", 4.21), ("Ca", 4.81), ("Sr", 5.16))
}
BAD = {
    "overlapping": (Structure(Lattice.cubic(4), ["Na", "Cl"], [[0, 0, 0], [0.01, 0, 0]]), "overlap"),
    "flat": (Structure([[1, 0, 0], [0, 1, 0], [1, 1, 0]], ["Na"], [[0, 0, 0]]), "the cell has no volume"),
    "partly": (Structure(Lattice.cubic(4), [{"Na": 0.5, "K": 0.5}], [[0, 0, 0]]), "site 1 is partly occupied"),
    "unknown": (Structure(Lattice.cubic(4), ["X", "Cl"], [[0, 0, 0], [0.5, 0, 0]]), "unknown element 'X'"),
}


@pytest.fixture(autouse=True)
def empty_cache(own_cache, tmp_path_factory, monkeypatch):
    """What other tests have computed is not counted here."""
    monkeypatch.setenv("IRNET_RAY_CACHE", str(tmp_path_factory.mktemp("cache")))


def write_structures(path, structures):
    rows = [{"name": name, "structure": structure.as_dict()} for name, structure in structures.items()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_the_rows_of_a_file_of_formulas(invoke, tmp_path):
    small_table().rename(columns={"formula": "compound"}).to_csv(tmp_path / "mine.csv", index=False)
    arguments = (
        "featurize",
        "mine.csv",
        "--formula",
        "compound",
        "--representation",
        "fractions+composition",
        "--local",
    )
    assert "252 rows x 231 attributes in mine-composition+fractions.parquet" in succeed(invoke(*arguments))
    table = pq.read_table(tmp_path / "mine-composition+fractions.parquet").to_pandas()
    assert table.columns.tolist() == ["row", "formula", *labels("composition+fractions")]
    assert table["formula"].tolist() == small_table()["formula"].tolist()
    assert table["row"].tolist() == list(range(1, 253))
    expected = composition_attributes(parse_all(table["formula"].tolist()))
    np.testing.assert_array_equal(table[list(labels("composition"))].to_numpy(), expected)


def test_the_rows_of_a_file_of_structures(invoke, tmp_path):
    write_structures(tmp_path / "oxides.jsonl", GOOD)
    arguments = ("--structure", "structure", "--id", "name", "--output", "out.parquet")
    output = succeed(
        invoke("featurize", "oxides.jsonl", "--local", "--representation", "composition+structure", *arguments)
    )
    assert output == "3 rows x 271 attributes in out.parquet; 3 computed, none failed\n"
    table = pd.read_parquet(tmp_path / "out.parquet")
    assert table["id"].tolist() == table["formula"].tolist() == list(GOOD)
    whole = [
        dict(zip(labels("structure_matminer"), structure_attributes(from_pymatgen(each)), strict=True))
        for each in GOOD.values()
    ]
    expected = [[row[label] for label in WARD_LABELS] for row in whole]
    np.testing.assert_allclose(table[list(WARD_LABELS)].to_numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("fmt", "suffix"), [("cif", "cif"), ("poscar", "vasp")])
def test_a_folder_of_files(invoke, tmp_path, fmt, suffix):
    (tmp_path / "files").mkdir()
    for name, structure in GOOD.items():
        (tmp_path / "files" / f"{name}.{suffix}").write_text(structure.to(fmt=fmt))
    (tmp_path / "files" / f"broken.{suffix}").write_text("no structure")
    output = succeed(invoke("featurize", "files", "--local", "--representation", "structure"))
    assert "3 rows x 126 attributes in files-structure.parquet; 4 computed, 1 failed" in output
    table = pd.read_parquet(tmp_path / "files-structure.parquet")
    assert dict(zip(table["id"], table["formula"], strict=True)) == {f"{name}.{suffix}": name for name in GOOD}
    assert pd.read_csv(tmp_path / "files-structure.failed.csv")["id"].tolist() == [f"broken.{suffix}"]


def test_extended_xyz(invoke, tmp_path):
    import ase.io

    ase.io.write(tmp_path / "oxides.extxyz", [each.to_ase_atoms() for each in GOOD.values()], format="extxyz")
    succeed(invoke("featurize", "oxides.extxyz", "--local", "--representation", "structure"))
    assert pd.read_parquet(tmp_path / "oxides-structure.parquet")["formula"].tolist() == list(GOOD)


def test_each_bad_structure_is_a_row_of_the_side_table(invoke, tmp_path):
    structures = {name: structure for name, (structure, _) in BAD.items()}
    write_structures(tmp_path / "mixed.jsonl", {**structures, **GOOD})
    with (tmp_path / "mixed.jsonl").open("a") as file:
        broken = GOOD["MgO"].as_dict()
        broken["sites"][0]["abc"][0] = float("nan")
        file.write(json.dumps({"name": "nan", "structure": broken}) + "\n")
        file.write(json.dumps({"name": "text", "structure": "no structure"}) + "\n")
    arguments = ("featurize", "mixed.jsonl", "--local", "--id", "name", "--representation", "structure")
    output = succeed(invoke(*arguments))
    assert "3 rows x 126 attributes" in output
    assert "6 failed, see mixed-structure.failed.csv" in output
    failed = pd.read_csv(tmp_path / "mixed-structure.failed.csv", keep_default_na=False)
    reasons = {name: reason for name, (_, reason) in BAD.items()}
    reasons |= {"nan": "the coordinates of atom 1 are not finite", "text": "not a structure in poscar"}
    assert failed["id"].tolist() == list(reasons)
    assert failed["row"].tolist() == [1, 2, 3, 4, 8, 9]
    for reason, expected in zip(failed["reason"], reasons.values(), strict=True):
        assert expected in reason
    assert failed["text"].iloc[-1] == "no structure"
    again = succeed(invoke(*arguments))
    assert "0 computed, 6 failed" in again
    assert_refused(invoke(*arguments, "--fail-on-bad-rows", "--output", "strict.parquet"), "row 1", "and 5 more")
    assert not (tmp_path / "strict.parquet").exists()


def test_bad_formulas_are_rows_of_the_side_table(invoke, tmp_path):
    (tmp_path / "mine.csv").write_text("formula\nNaCl\nXx2\nHe2O\n\n")
    arguments = ("featurize", "mine.csv", "--local", "--representation", "fractions", "--output", "out.parquet")
    assert "1 rows x 86 attributes in out.parquet; 4 computed, 3 failed" in succeed(invoke(*arguments))
    assert pq.read_table(tmp_path / "out.parquet")["row"].to_pylist() == [1]
    failed = pd.read_csv(tmp_path / "out.failed.csv", keep_default_na=False)
    assert failed["row"].tolist() == [2, 3, 4]
    assert failed["reason"].tolist() == [
        "unknown element 'Xx'",
        "element 'He' is none of the 86 of 'fractions'",
        "empty",
    ]


def test_a_side_table_goes_when_its_rows_have_been_corrected(invoke, tmp_path):
    (tmp_path / "mine.csv").write_text("formula\nNaCl\nXx2\n")
    succeed(invoke("featurize", "mine.csv", "--local"))
    assert (tmp_path / "mine-composition.failed.csv").exists()
    (tmp_path / "mine.csv").write_text("formula\nNaCl\nMg2Si\n")
    assert "1 computed, none failed" in succeed(invoke("featurize", "mine.csv", "--local"))
    assert not (tmp_path / "mine-composition.failed.csv").exists()


def test_a_dataset_that_is_installed_with_matminer_needs_no_download(invoke, tmp_path):
    output = succeed(
        invoke("featurize", "ricci_transport", "--property", "seebeck_n", "--local", "--output", "r.parquet")
    )
    assert output.startswith("47,737 rows x 145 attributes")
    table = pq.read_table(tmp_path / "r.parquet", columns=["formula", "seebeck_n"])
    assert table.num_rows == 47_737
    assert not table["seebeck_n"].null_count


def test_unreadable_rows_of_a_dataset_are_left_out_and_counted(invoke, monkeypatch):
    table = small_table().rename(columns={"energy": "seebeck_n"})
    table.loc[3, "formula"] = "Xx2O"
    monkeypatch.setattr("irnet_ray.data.load.read_transport", lambda _: table)
    arguments = ("featurize", "ricci_transport", "--property", "seebeck_n", "--local")
    output = succeed(invoke(*arguments))
    assert "251 rows x 145 attributes" in output
    assert output.endswith("none failed, 1 unreadable rows left out\n")
    assert_refused(invoke(*arguments, "--fail-on-bad-rows"), "unknown element 'Xx'")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("oqdm",), ("did you mean 'oqmd'?",)),
        (("none.csv",), ("none.csv", "no such file")),
        (("good.csv", "--formula", "fromula"), ("no column 'fromula'", "did you mean 'formula'?")),
        (("good.csv", "--property", "gap"), ("--property goes with a dataset of the catalog",)),
        (("good.csv", "--representation", "structure"), ("needs structures, and these are formulas", "--structure")),
        (("good.csv", "--output", "none/x.parquet"), ("no folder 'none'",)),
        (("bad.csv",), ("none of 2 rows can be used", "row 1: unknown element 'Xx'")),
        (("ricci_transport", "--property", "seebek_n"), ("did you mean 'seebeck_n'?",)),
        (("ricci_transport", "--representation", "strcture"), ("unknown representation", "did you mean 'structure'?")),
        (("ricci_transport", "--representation", "structure"), ("has no structures", "the representation composition")),
        (("ricci_transport", "--formula", "formula"), ("name columns of a file",)),
    ],
)
def test_mistakes_end_in_one_line_and_leave_nothing(invoke, tmp_path, arguments, parts):
    (tmp_path / "good.csv").write_text("formula\nNaCl\n")
    (tmp_path / "bad.csv").write_text("formula\nXx2\nYy\n")
    assert_refused(invoke("featurize", *arguments, "--local"), *parts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.csv", "good.csv"]


def test_names_of_outputs_keep_what_is_no_suffix(invoke, tmp_path):
    for name in ("my.one.csv", "my.two.csv"):
        (tmp_path / name).write_text("formula\nNaCl\n")
        succeed(invoke("featurize", name, "--local"))
    assert {path.name for path in tmp_path.glob("*.parquet")} == {
        "my.one-composition.parquet",
        "my.two-composition.parquet",
    }


def test_the_source_is_not_overwritten(invoke, tmp_path):
    pd.DataFrame({"formula": ["NaCl"]}).to_parquet(tmp_path / "mine.parquet")
    before = (tmp_path / "mine.parquet").read_bytes()
    assert_refused(invoke("featurize", "mine.parquet", "--local", "--output", "mine.parquet"), "it is the source")
    assert (tmp_path / "mine.parquet").read_bytes() == before


def test_a_full_disk_leaves_the_old_table(invoke, tmp_path, monkeypatch):
    (tmp_path / "mine.csv").write_text("formula\nNaCl\n")
    succeed(invoke("featurize", "mine.csv", "--local", "--output", "out.parquet"))
    before = (tmp_path / "out.parquet").read_bytes()

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    assert_refused(invoke("featurize", "mine.csv", "--local", "--output", "out.parquet"), "No space left on device")
    assert (tmp_path / "out.parquet").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2
