import gzip
import json
import pickle
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irnet_ray.crystal import guess_form, parse_crystal
from irnet_ray.data.sources.rows import RowSource, open_rows
from irnet_ray.errors import DataError

SHARED = Path(__file__).parents[3] / "shared" / "data"

POSCAR = "NaCl\n1.0\n0 2.8 2.8\n2.8 0 2.8\n2.8 2.8 0\nNa Cl\n1 1\ndirect\n0 0 0\n0.5 0.5 0.5\n"
CIF = """data_CsCl
_cell_length_a 4.1
_cell_length_b 4.1
_cell_length_c 4.1
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Cs 0 0 0
Cl 0.5 0.5 0.5
"""
JARVIS = {
    "lattice_mat": [[4.1, 0, 0], [0, 4.1, 0], [0, 0, 4.1]],
    "coords": [[0, 0, 0], [0.5, 0.5, 0.5]],
    "elements": ["Cs", "Cl"],
    "cartesian": False,
}
FRAME = '2\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3 pbc="T T T"\nCs 0 0 0\nCl 2 2 2\n'
OTHER_FRAME = '1\nLattice="3 0 0 0 3 0 0 0 3" Properties=species:S:1:pos:R:3 pbc="T T T"\nPo 0 0 0\n'
TABLES = ["t.csv", "t.csv.gz", "t.parquet", "t.jsonl", "t.jsonl.gz"]


def write(path, columns):
    """Writes a table in the format of its name; nested values only where the format has them."""
    if path.name.endswith(".parquet"):
        pq.write_table(pa.table(columns), path)
    elif ".jsonl" in path.name:
        records = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        text = "\n".join(map(json.dumps, records)).encode()
        path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    else:
        pd.DataFrame(columns).to_csv(path, index=False)
    return path


def texts(source, rows=4096):
    return [text for batch in source.batches(rows) for text in batch.texts]


@pytest.mark.parametrize("name", TABLES)
def test_formulas_are_streamed_as_written(tmp_path, name):
    path = write(tmp_path / name, {"formula": ["NaN", "NA", "", "null", "MgO"], "other": [1, 2, 3, 4, 5]})
    source = open_rows(str(path))
    assert source == RowSource(str(path), "formula", "formula", None)
    batches = list(source.batches(rows=2))
    assert [batch.start for batch in batches] == [1, 3, 5]
    assert [batch.texts for batch in batches] == [["NaN", "NA"], ["", "null"], ["MgO"]]
    assert [batch.ids for batch in batches] == [None] * 3


@pytest.mark.parametrize("name", TABLES)
def test_a_column_of_structures_goes_before_one_of_formulas(tmp_path, name):
    columns = {"key": [7, 8], "formula": ["NaCl", "NaCl"], "poscar": ["", POSCAR]}
    source = open_rows(str(write(tmp_path / name, columns)), id_column="key")
    assert (source.form, source.column) == ("any", "poscar")
    (batch,) = source.batches()
    assert (batch.ids, batch.texts) == (["7", "8"], ["", POSCAR])
    assert open_rows(source.path, formula_column="formula").form == "formula"


@pytest.mark.parametrize(("text", "form"), [(POSCAR, "poscar"), (CIF, "cif"), (json.dumps(JARVIS), "json")])
@pytest.mark.parametrize("name", TABLES)
def test_each_row_of_a_table_may_be_written_otherwise(tmp_path, name, text, form):
    source = open_rows(str(write(tmp_path / name, {"mine": ["see file 17", text]})), structure_column="mine")
    assert source.form == "any"
    assert guess_form(texts(source)[1]) == form
    assert len(parse_crystal(texts(source)[1], source.form)) == 2


def test_what_no_file_can_hold_is_replaced(tmp_path):
    (tmp_path / "t.jsonl").write_text(
        '{"formula": "Na\\ud800Cl", "name": "\\udfff"}\n{"formula": "Fe₂O₃", "name": "b"}\n'
    )
    (batch,) = open_rows(str(tmp_path / "t.jsonl"), id_column="name").batches()
    assert (batch.ids, batch.texts) == (["?", "b"], ["Na?Cl", "Fe₂O₃"])


@pytest.mark.parametrize("name", ["t.parquet", "t.jsonl"])
def test_structures_may_be_objects(tmp_path, name):
    source = open_rows(str(write(tmp_path / name, {"formula": ["a", "CsCl"], "atoms": [None, JARVIS]})))
    assert (source.form, source.column) == ("any", "atoms")
    missing, text = texts(source)
    assert missing == ""
    assert parse_crystal(text, "json").formula == "CsCl"


def test_a_column_of_compositions_is_found(tmp_path):
    assert open_rows(str(write(tmp_path / "t.csv", {"composition": ["MgO"]}))).column == "composition"


def test_a_key_that_comes_late_is_a_column_with_missing_values(tmp_path):
    lines = ['{"formula": "MgO"}'] * 150 + [json.dumps({"site": POSCAR})]
    (tmp_path / "t.jsonl").write_text("\n\n".join(lines))
    assert texts(open_rows(str(tmp_path / "t.jsonl"), structure_column="site")) == [""] * 150 + [POSCAR]


def folder_of(path, names, content=POSCAR):
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content)
    return path


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path):
    folder_of(tmp_path, ["b/POSCAR", "a.vasp", "b/deep/CONTCAR_2", "c.poscar"])
    folder_of(tmp_path, [".hidden/POSCAR", "notes.txt", "._a.vasp"])
    source = open_rows(str(tmp_path))
    assert source == RowSource(str(tmp_path), "poscar", None, None)
    batches = list(source.batches(rows=3))
    assert [batch.ids for batch in batches] == [["a.vasp", "b/POSCAR", "b/deep/CONTCAR_2"], ["c.poscar"]]
    assert [batch.start for batch in batches] == [1, 4]
    assert texts(source) == [POSCAR] * 4


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("x.cif", CIF, "cif"),
        ("X.CIF", CIF, "cif"),
        ("POSCAR", POSCAR, "poscar"),
        ("x.json", json.dumps(JARVIS), "json"),
    ],
)
def test_one_file_is_one_row(tmp_path, name, content, form):
    (tmp_path / name).write_text(content)
    source = open_rows(str(tmp_path / name))
    (batch,) = source.batches()
    assert (source.form, batch.start, batch.ids, batch.texts) == (form, 1, [name], [content])
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content.encode()))
    assert texts(open_rows(str(tmp_path / f"{name}.gz"))) == [content]


def test_a_name_in_another_encoding_does_not_spoil_a_structure(tmp_path):
    (tmp_path / "x.cif").write_bytes("# Müller\n".encode("latin-1") + CIF.encode())
    assert parse_crystal(texts(open_rows(str(tmp_path)))[0], "cif").formula == "CsCl"


@pytest.mark.parametrize("name", ["t.xyz", "t.extxyz", "t.xyz.gz"])
def test_extended_xyz_is_split_into_frames(tmp_path, name):
    content = f"{FRAME}\n\n{OTHER_FRAME}{FRAME.rstrip()}".encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    source = open_rows(str(tmp_path / name))
    assert source.form == "extxyz"
    assert [(batch.start, batch.ids, len(batch.texts)) for batch in source.batches(2)] == [(1, None, 2), (3, None, 1)]
    assert [parse_crystal(text, "extxyz").formula for text in texts(source)] == ["CsCl", "Po", "CsCl"]


def test_frames_that_ase_writes_are_those_that_are_read(tmp_path):
    from ase.build import bulk
    from ase.io import write as write_with_ase

    frames = [bulk("NaCl", "rocksalt", a=5.6), bulk("Cu", cubic=True), bulk("Ti")]
    write_with_ase(tmp_path / "t.extxyz", frames)
    read = [parse_crystal(text, "extxyz") for text in texts(open_rows(str(tmp_path / "t.extxyz")))]
    assert [len(each) for each in read] == [len(frame) for frame in frames]
    assert [each.volume for each in read] == pytest.approx([frame.get_volume() for frame in frames])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no frame"),
        ("2\ncomment\nCs 0 0 0\n", "frame 1 ends after 1 of 2 atoms"),
        (f"{FRAME}2\n", "frame 2 ends after 0 of 2 atoms"),
        (f"{FRAME}Cl 2 2 2\n{FRAME}", "frame 2 begins with 'Cl 2 2 2', not with its number of atoms"),
        (f"{FRAME}-1\n", "frame 2 begins with '-1'"),
        (f"{'9' * 5000}\n", "frame 1 begins with '999999.*\\.\\.\\.'"),
    ],
)
def test_a_damaged_frame_is_named(tmp_path, content, message):
    (tmp_path / "t.xyz").write_text(content)
    with pytest.raises(DataError, match=f"t.xyz: {message}"):
        texts(open_rows(str(tmp_path / "t.xyz")))


def test_a_source_travels_and_is_read_again(tmp_path, monkeypatch):
    write(tmp_path / "t.csv", {"formula": ["MgO", "NaCl"]})
    monkeypatch.chdir(tmp_path)
    source = pickle.loads(pickle.dumps(open_rows("t.csv")))
    monkeypatch.chdir("/")
    assert texts(source) == texts(source) == ["MgO", "NaCl"]


@pytest.mark.parametrize(
    ("name", "columns", "named", "message"),
    [
        ("t.csv", {"formula": ["MgO"]}, {"structure_column": "cif"}, "no column 'cif'; choose from formula"),
        ("t.jsonl", {"formula": ["MgO"]}, {"formula_column": "fromula"}, "no column 'fromula'; did you mean 'formula'"),
        ("t.parquet", {"formula": ["MgO"]}, {"id_column": "id"}, "no column 'id'; choose from formula"),
        ("t.jsonl", {"formula": ["MgO"]}, {"id_column": "id"}, "no column 'id'; choose from formula"),
        ("t.csv", {"a": ["MgO"], "b": ["x"]}, {}, "no column of structures or formulas .* choose from a, b"),
        ("t.csv", {"cif": ["", " "]}, {}, "column 'cif' is empty in every row; name another"),
        ("t.csv", {"cif": []}, {}, "holds no rows; add some"),
        ("t.csv", {"a": ["MgO"]}, {"formula_column": "a", "structure_column": "a"}, ".* name one of them"),
    ],
)
def test_a_column_that_cannot_be_used_is_answered_with_the_repair(tmp_path, name, columns, named, message):
    with pytest.raises(DataError, match=f"{name}: {message}") as caught:
        open_rows(str(write(tmp_path / name, columns)), **named)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.xlsx", b"", r"convert it to one of \*.cif, .*\*.jsonl.gz"),
        ("t.csv", b"", "cannot be read"),
        ("t.csv", b'formula,b\n"MgO,1\n', "cannot be read"),
        ("t.csv", b"formula,b\nMgO,1\nMgO,1,2\n", "cannot be read .*line 3"),
        ("t.csv", b"formula,b\nMgO,1,2\nMgO,1,2\n", "rows have more fields than the header"),
        ("t.csv.gz", b"formula\nMgO\n", "cannot be read"),
        ("t.csv.gz", gzip.compress(b"formula\n" + b"MgO\n" * 9)[:-12], "cannot be read"),
        ("t.parquet", b"formula", "cannot be read"),
        ("t.jsonl", b"", "it is empty"),
        ("t.jsonl", b'{"formula": "MgO"}\n\n{"formula"\n', "row 2 cannot be read"),
        ("t.jsonl", b'{"formula": "MgO"}\n[1]\n', "row 2 is not a JSON object"),
        ("t.jsonl", b"[" * 100_000, "row 1 cannot be read"),
        ("t.jsonl", b'{"formula": "\xff"}', "cannot be read"),
        ("t.jsonl.gz", gzip.compress(b'{"formula": "MgO"}')[:-12], "cannot be read"),
        ("t.xyz.gz", gzip.compress(FRAME.encode())[:-12], "cannot be read"),
        ("x.cif.gz", b"data_", "cannot be read"),
    ],
)
def test_a_broken_file_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        texts(open_rows(str(tmp_path / name)))
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        open_rows(str(tmp_path / "absent"))
    with pytest.raises(DataError, match=r"holds no files of structures; it needs \*.cif"):
        open_rows(str(tmp_path))
    gone = open_rows(str(folder_of(tmp_path, ["x.vasp"]) / "x.vasp"))
    (tmp_path / "x.vasp").unlink()
    with pytest.raises(DataError, match="no such file"):
        texts(gone)


def test_a_folder_of_several_forms_is_refused(tmp_path):
    folder_of(tmp_path, ["a.cif", "b/POSCAR"])
    with pytest.raises(DataError, match=r"several forms \('a.cif' in cif, 'b/POSCAR' in poscar\)"):
        open_rows(str(tmp_path))


@pytest.mark.parametrize("named", ["formula_column", "structure_column", "id_column"])
def test_only_tables_have_columns(tmp_path, named):
    folder_of(tmp_path, ["a.cif"])
    with pytest.raises(DataError, match="is no table and has no column 'x'"):
        open_rows(str(tmp_path), **{named: "x"})


values = st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8))


@settings(deadline=None)
@given(st.lists(values, min_size=1, max_size=20), st.integers(1, 7))
@pytest.mark.parametrize("name", ["t.parquet", "t.jsonl"])
def test_any_text_is_streamed_whatever_the_batches(tmp_path_factory, name, column, rows):
    path = write(tmp_path_factory.mktemp("any") / name, {"formula": [*column, "MgO"]})
    source = open_rows(str(path))
    assert texts(source, rows) == [*(value or "" for value in column), "MgO"]
    assert all(len(batch.texts) <= rows for batch in source.batches(rows))


@given(st.data())
@settings(deadline=None)
@pytest.mark.parametrize("name", [*TABLES, "t.xyz", "t.xyz.gz", "x.cif.gz"])
def test_damage_is_read_or_explained_in_one_line(tmp_path_factory, name, data):
    """Whatever happens to a file's bytes, it gives rows or a line that names it."""
    path = tmp_path_factory.mktemp("damaged") / name
    if name in TABLES:
        write(path, {"formula": ["MgO", "NaCl", "Fe2O3"] * 5, "x": [1.0, 2.0, 3.0] * 5})
    else:
        content = (FRAME * 3 if "xyz" in name else CIF).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    damaged = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged[: data.draw(st.integers(0, len(damaged)))] if data.draw(st.booleans()) else damaged)
    said = ""
    try:
        assert all(isinstance(text, str) for text in texts(open_rows(str(path))))
    except DataError as error:
        said = str(error)
    assert not said or (name in said and "\n" not in said)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="data from outside the repository are not there")
@pytest.mark.parametrize(("name", "rows"), [("jarvis", 14_000), ("wbm", 29_819)])
def test_the_shared_structures_are_streamed(name, rows):
    source = open_rows(str(SHARED / f"{name}_structures.jsonl.gz"), id_column="id")
    assert (source.form, source.column) == ("any", "poscar")
    assert sum(len(batch.texts) for batch in source.batches()) == rows
