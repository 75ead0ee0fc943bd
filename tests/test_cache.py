from pathlib import Path

import pytest

from irnet_ray.cache import cache_directory, make_directory, read_sealed, write_sealed
from irnet_ray.errors import StorageError


def test_the_variable_moves_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("IRNET_RAY_CACHE", str(tmp_path))
    assert cache_directory() == tmp_path


def test_without_the_variable_the_cache_follows_xdg_and_then_home(monkeypatch, tmp_path):
    monkeypatch.delenv("IRNET_RAY_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory() == tmp_path / "irnet-ray"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_directory() == Path.home() / ".cache" / "irnet-ray"


def test_a_folder_that_cannot_be_made_names_the_repair(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="set IRNET_RAY_CACHE"):
        make_directory(tmp_path / "file" / "downloads")


def test_a_sealed_file_is_what_was_written_or_gone(tmp_path, caplog):
    write_sealed(tmp_path / "folder", "name", b"content")
    (path,) = (tmp_path / "folder").iterdir()
    assert path.name.startswith("name-")
    assert read_sealed(path) == b"content"
    path.write_bytes(b"contend")
    assert read_sealed(path) is None
    assert not path.exists()
    assert f"'{path}' was damaged" in caplog.text


def test_a_sealed_file_under_another_name_is_not_trusted(tmp_path):
    path = tmp_path / "name-0123.parquet"
    path.write_bytes(b"content")
    assert read_sealed(path) is None
