import gzip
import json

import pandas as pd
import pytest

from irnet_ray.data.cards import OwnTable
from irnet_ray.data.sources.table import read_table
from irnet_ray.errors import DataError

ROWS = {"formula": ["NaN", "NA", "NaCl", "null"], "E_g": ["1.5", "", " NaN ", "2e0"]}


def write(path, columns):
    frame = pd.DataFrame(columns)
    if path.name.endswith(".parquet"):
        frame.to_parquet(path)
    elif ".jsonl" in path.name:
        lines = "\n".join(json.dumps(record) for record in frame.to_dict("records"))
        path.write_bytes(gzip.compress(lines.encode()) if path.suffix == ".gz" else lines.encode())
    else:
        frame.to_csv(path, index=False)
    return path


def own(path, **options):
    return OwnTable(path=str(path), properties={"gap": "eV"}, columns={"gap": "E_g"}, **options)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet", "t.jsonl", "t.jsonl.gz"])
def test_formulas_are_read_as_written_and_values_as_numbers(tmp_path, name):
    table = read_table(own(write(tmp_path / name, ROWS)))
    assert table["formula"].tolist() == ["NaN", "NA", "NaCl", "null"]
    assert table["gap"].isna().tolist() == [False, True, True, False]
    assert table["gap"].dropna().tolist() == [1.5, 2.0]
    assert table.index.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["t.parquet", "t.jsonl"])
def test_typed_values_and_missing_formulas(tmp_path, name):
    table = read_table(own(write(tmp_path / name, {"formula": ["NaCl", None], "E_g": [3, 4]})))
    assert table["formula"].tolist() == ["NaCl", ""]
    assert table["gap"].tolist() == [3.0, 4.0]


def test_a_key_that_a_json_line_lacks_is_a_missing_value(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"formula": "NaCl", "E_g": 1}\n\n{"formula": "MgO"}\n')
    assert read_table(own(tmp_path / "t.jsonl"))["gap"].isna().tolist() == [False, True]


@pytest.mark.parametrize("value", ["high", "inf", "1,5"])
def test_a_value_that_is_no_number_is_named_by_its_row(tmp_path, value):
    path = write(tmp_path / "t.csv", {"formula": ["NaCl", "MgO", "FeO"], "E_g": ["1", value, value]})
    with pytest.raises(DataError) as caught:
        read_table(own(path))
    expected = f"{path}: column 'E_g', row 2: '{value}' is not a finite number (and 1 more); "
    assert str(caught.value) == expected + "correct it or leave it empty"


def test_a_list_is_no_number(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"formula": "NaCl", "E_g": [1, 2]}\n')
    with pytest.raises(DataError, match=r"row 1: .* is not a finite number"):
        read_table(own(tmp_path / "t.jsonl"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"formulas": ["NaCl"], "E_g": ["1"]}, "no column 'formula'; did you mean 'formulas'?"),
        ({"formula": ["NaCl"], "Eg": ["1"]}, "no column 'E_g'; did you mean 'Eg'?"),
    ],
)
def test_a_missing_column_is_answered_with_the_nearest(tmp_path, columns, message):
    path = write(tmp_path / "t.csv", columns)
    with pytest.raises(DataError) as caught:
        read_table(own(path))
    assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.xlsx", b"", "convert it to one of .csv, .csv.gz, .parquet"),
        ("t.csv", b"", "cannot be read"),
        ("t.csv", b'formula,E_g\n"NaCl,1\n', "cannot be read"),
        ("t.csv.gz", b"formula,E_g\nNaCl,1\n", "cannot be read"),
        ("t.parquet", b"formula", "cannot be read"),
        ("t.jsonl", b"{formula", "cannot be read"),
        ("t.jsonl", b"", "it is empty"),
        ("t.jsonl", b"[1]\n", "row 1 is not a JSON object"),
        ("t.jsonl.gz", gzip.compress(b'{"formula": "NaCl"}')[:-12], "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_table(own(tmp_path / name))
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["absent.csv", "absent.parquet", "absent.jsonl"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(DataError, match="no such file"):
        read_table(own(tmp_path / name))
