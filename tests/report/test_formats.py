import io

import pandas as pd

from irnet_ray.report.formats import table_files

TABLE = pd.DataFrame(
    {
        "dataset": ["oqmd", "oqmd"],
        "unit": ["eV/atom", "eV/atom"],
        "model": ["irnet", "random_forest"],
        "depth": pd.array([17, None], dtype="Int64"),
        "test_mae": [0.123456, 0.14],
        "note": ["50% | more_or_less", None],
    }
)


def test_csv_keeps_every_digit():
    read = pd.read_csv(io.BytesIO(table_files("t", TABLE)["t.csv"]))
    assert read["test_mae"].tolist() == [0.123456, 0.14]


def test_markdown_is_a_table_for_people():
    lines = table_files("t", TABLE)["t.md"].decode().splitlines()
    assert lines == [
        "All rows have dataset oqmd, unit eV/atom.",
        "",
        "| model | depth | test MAE (eV/atom) | note |",
        "| --- | ---: | ---: | --- |",
        "| IRNet | 17 | 0.123 | 50% \\| more_or_less |",
        "| Random forest | - | 0.140 | - |",
    ]


def test_a_reason_of_several_lines_stays_in_its_row():
    text = table_files("t", TABLE.assign(note="two\nlines"))["t.md"].decode()
    assert text.count("two lines") == 2


def test_nothing_makes_no_file():
    assert table_files("t", TABLE.iloc[:0]) == {}


def test_latex_escapes_what_it_must():
    text = table_files("t", TABLE)["t.tex"].decode()
    assert text.startswith("% All rows have dataset oqmd, unit eV/atom.\n")
    assert r"\begin{tabular}{lrrl}" in text
    assert r"IRNet & 17 & 0.123 & 50\% | more\_or\_less \\" in text
