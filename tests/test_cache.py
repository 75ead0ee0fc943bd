from pathlib import Path

import pytest

from irnet_ray.cache import Cache, make_directory
from irnet_ray.errors import StorageError


def test_the_variable_moves_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("IRNET_RAY_CACHE", str(tmp_path))
    assert Cache().storage.local_path == tmp_path
    assert Cache().downloads == tmp_path / "downloads"


def test_without_the_variable_the_cache_follows_xdg_and_then_home(monkeypatch, tmp_path):
    monkeypatch.delenv("IRNET_RAY_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Cache().storage.local_path == tmp_path / "irnet-ray"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert Cache().storage.local_path == Path.home() / ".cache" / "irnet-ray"


def test_downloads_stay_on_a_disk_where_the_cache_is_a_bucket(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = Cache("s3://bucket/cache?region=eu-west-1")
    assert cache.storage.local_path is None
    assert cache.downloads == tmp_path / "irnet-ray" / "downloads"


def test_a_folder_that_cannot_be_made_names_the_repair(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="set IRNET_RAY_CACHE"):
        make_directory(tmp_path / "file" / "downloads")


def test_a_sealed_file_is_what_was_written_or_gone(tmp_path, caplog):
    cache = Cache(tmp_path)
    cache.write_sealed("folder/name", b"content")
    cache.write_sealed("folder/other", b"content")
    (path,) = cache.sealed("folder", "name")
    assert path.startswith("folder/name-")
    assert cache.read_sealed(path) == b"content"
    (tmp_path / path).write_bytes(b"contend")
    assert cache.read_sealed(path) is None
    assert cache.sealed("folder", "name") == []
    assert f"'{tmp_path / path}' was damaged" in caplog.text
    assert len(cache.sealed("folder")) == 1


def test_a_sealed_file_under_another_name_is_not_trusted(tmp_path):
    (tmp_path / "name-0123.parquet").write_bytes(b"content")
    assert Cache(tmp_path).read_sealed("name-0123.parquet") is None
