import shutil
import subprocess
import sys

import pytest

from irnet_ray.data.sources.wheel import fetch_wheel, read_wheel, wheel_path
from irnet_ray.errors import DataError

FILES = {
    "d/gap/train.csv": "formula,target\nNaCl,1.0\nNaN,2.0\n",
    "d/gap/val.csv": "formula,target\nMgO,3.0\n",
    "d/gap/test.csv": "formula,target\nFeO,4.0\n",
    "d/volume/train.csv": "formula,target\nMgO,30.0\n",
    "d/volume/val.csv": "formula,target\nNaCl,10.0\nCaO,50.0\n",
    "d/volume/test.csv": "formula,target\nNaN,20.0\n",
    "d/mass.csv": "formula,target\nNaCl,58.4\nMgO,\n",
}
MEMBERS = {"gap": "d/gap/", "volume": "d/volume/", "mass": "d/mass.csv"}


@pytest.fixture
def index(monkeypatch, tmp_path, make_wheel):
    """A package index of one wheel; gives the wheel's source and the commands that pip was run with."""
    source = make_wheel(tmp_path / "index", FILES, MEMBERS)
    commands = []

    def run(command, **options):
        commands.append(command)
        shutil.copy(tmp_path / "index" / source.filename, command[command.index("--dest") + 1])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    return source, commands


def failing_pip(monkeypatch, message):
    def run(command, **options):
        return subprocess.CompletedProcess(command, 1, "", message)

    monkeypatch.setattr(subprocess, "run", run)


def test_a_wheel_is_downloaded_once_by_pip_and_nothing_else_is_left(index, tmp_path):
    source, commands = index
    path = fetch_wheel(source, tmp_path / "downloads")
    assert fetch_wheel(source, tmp_path / "downloads") == path
    assert [each.name for each in path.parent.iterdir()] == ["tiny-1.0-py3-none-any.whl"]
    assert len(commands) == 1
    assert commands[0][:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--ignore-requires-python", "--only-binary=:all:", "tiny==1.0"} <= set(commands[0])


def test_a_copy_put_there_by_hand_is_used(monkeypatch, tmp_path, make_wheel):
    failing_pip(monkeypatch, "no network")
    source = make_wheel(tmp_path / "downloads", FILES, MEMBERS)
    assert fetch_wheel(source, tmp_path / "downloads") == tmp_path / "downloads" / source.filename


def test_a_wrong_download_is_not_kept(index, tmp_path):
    source, _ = index
    expected = source.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(DataError) as caught:
        fetch_wheel(expected, tmp_path / "downloads")
    message = f"sha256 is {source.sha256}, expected {'0' * 64}; pip's index serves another file"
    assert message in str(caught.value)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_an_altered_file_is_found_when_it_is_read(index, tmp_path):
    source, _ = index
    path = fetch_wheel(source, tmp_path)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(DataError, match=f"expected {source.sha256}; delete {path}"):
        read_wheel(source, ["gap"], tmp_path)


def test_a_failing_pip_is_quoted_with_the_way_out(monkeypatch, tmp_path, index):
    failing_pip(monkeypatch, "WARNING: retrying\nERROR: No matching distribution found for tiny==1.0\n")
    source, _ = index
    with pytest.raises(DataError) as caught:
        fetch_wheel(source, tmp_path)
    destination = wheel_path(source, tmp_path)
    assert str(caught.value) == (
        "pip could not download tiny==1.0 (ERROR: No matching distribution found for tiny==1.0); "
        f"connect to a package index, or put tiny-1.0-py3-none-any.whl at {destination}"
    )


def test_properties_are_joined_by_formula_with_the_split_of_the_first(index, tmp_path):
    source, _ = index
    table = read_wheel(source, ["gap", "volume"], tmp_path)
    assert table.index.tolist() == [1, 2, 3, 4, 5]
    assert table["formula"].tolist() == ["NaCl", "NaN", "MgO", "FeO", "CaO"]
    assert table["gap"].tolist()[:4] == [1.0, 2.0, 3.0, 4.0]
    assert table["volume"].dropna().tolist() == [10.0, 20.0, 30.0, 50.0]
    assert table["published_split"].tolist()[:4] == ["train", "train", "validation", "test"]
    assert table["published_split"].isna().tolist() == [False] * 4 + [True]


def test_a_single_file_has_no_split_and_an_empty_target_is_missing(index, tmp_path):
    source, _ = index
    table = read_wheel(source, ["mass"], tmp_path)
    assert list(table.columns) == ["formula", "mass"]
    assert table["mass"].isna().tolist() == [False, True]
