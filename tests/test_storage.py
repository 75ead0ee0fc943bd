from __future__ import annotations

import errno
import os
import uuid
from pathlib import Path

import pytest

from irnet_ray.errors import StorageError
from irnet_ray.storage import Storage, join


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path / "run"))


@pytest.fixture(params=["disk", "bucket", "google_bucket"])
def any_storage(request, tmp_path):
    if request.param == "disk":
        return Storage(str(tmp_path / "run"))
    return Storage(f"{request.getfixturevalue(request.param)}/{tmp_path.name}")


def test_files_come_back_as_written(any_storage):
    storage = any_storage
    storage.write("a/b.txt", b"one")
    storage.write("a/b.txt", b"two")
    assert storage.read("a/b.txt") == b"two"
    assert storage.names("a") == ["b.txt"]
    assert storage.files("") == {"a/b.txt"}
    assert storage.exists("a/b.txt")
    assert not storage.exists("a")


def test_what_is_not_there_is_none(any_storage):
    storage = any_storage
    assert storage.read("a") is None
    assert storage.names("a") == []
    assert storage.files("a") == set()
    storage.delete("a")
    storage.delete_folder("a")


def test_deleting(any_storage):
    storage = any_storage
    storage.write("a/b", b"")
    storage.write("a/c", b"")
    storage.delete("a/b")
    assert storage.names("a") == ["c"]
    storage.delete_folder("a")
    assert storage.names() == []


@pytest.mark.parametrize(
    ("place", "joined"),
    [
        ("runs", "runs/a/b"),
        ("/runs/", "/runs/a/b"),
        ("/", "/a/b"),
        ("s3://bucket", "s3://bucket/a/b"),
        ("s3://bucket/runs//", "s3://bucket/runs/a/b"),
        ("s3://bucket/runs/?region=eu-west-1&scheme=http", "s3://bucket/runs/a/b?region=eu-west-1&scheme=http"),
    ],
)
def test_a_folder_in_a_folder_however_it_is_written(place, joined):
    assert join(place, "a", "b") == joined


def test_a_slash_at_the_end_does_not_matter(any_storage):
    any_storage.write("a/b", b"one")
    same = Storage(f"{any_storage.uri}/")
    assert same.uri == any_storage.uri
    assert same.read("a/b") == b"one"
    assert Storage(join(any_storage.uri, "a")).read("b") == b"one"


def test_a_folder_on_a_disk_has_one_name(storage):
    assert Storage(f"file://{storage.uri}").uri == storage.uri


def test_what_pyarrow_alone_refuses_is_one_line(bucket, tmp_path):
    with pytest.raises(StorageError, match=r"cannot write '.*//b': .*path"):
        Storage(bucket).write("a//b", b"")


def test_what_was_not_written_to_its_end_can_be_deleted(storage):
    storage.write("a/b", b"one")
    storage.write(f"a/b.{uuid.uuid4().hex}.part", b"tw")
    storage.write("a/film.part", b"somebody's")
    storage.delete_unfinished()
    assert storage.files("") == {"a/b", "a/film.part"}


def test_a_failed_write_leaves_the_former_file_and_nothing_else(storage, monkeypatch):
    storage.write("a", b"former")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(StorageError, match="No space left on device"):
        storage.write("a", b"new")
    assert storage.names() == ["a"]
    assert storage.read("a") == b"former"


def test_a_read_only_disk_is_one_line(storage, monkeypatch):
    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("os.makedirs", refuse)
    with pytest.raises(StorageError, match=r"cannot write '.*/a': Read-only file system; .*--storage"):
        storage.write("a", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_line(storage, tmp_path, monkeypatch):
    monkeypatch.setattr("uuid.uuid4", lambda: uuid.UUID(int=0))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / f"a.{uuid.UUID(int=0).hex}.part").symlink_to("/dev/full")
    with pytest.raises(StorageError, match="No space left on device"):
        storage.write("a", b"x" * 1_000_000)
    assert storage.names() == []


def test_unknown_kinds_of_storage_are_refused():
    with pytest.raises(StorageError, match="ftpx"):
        Storage("ftpx://somewhere/folder")


def test_a_bucket_that_is_not_there_is_one_line(bucket):
    storage = Storage("s3://no-such-bucket/run")
    with pytest.raises(StorageError, match=r"cannot write 's3://no-such-bucket/run/a': .*; .*--storage") as caught:
        storage.write("a", b"")
    assert "\n" not in str(caught.value)


def fail_first(monkeypatch, number, code):
    """Lets so many renamings fail; gives a list that grows by one with each."""
    replace, tries = os.replace, []

    def attempt(*arguments):
        tries.append(arguments)
        if len(tries) <= number:
            raise OSError(code, os.strerror(code))
        replace(*arguments)

    monkeypatch.setattr("os.replace", attempt)
    return tries


def test_faults_that_may_pass_are_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("irnet_ray.storage._FIRST_WAIT", 0.01)
    tries = fail_first(monkeypatch, 2, errno.ESTALE)
    storage = Storage(str(tmp_path), patience=60)
    storage.write("a", b"new")
    assert storage.read("a") == b"new"
    assert storage.names() == ["a"]
    assert len(tries) == 3


@pytest.mark.parametrize(("code", "patience"), [(errno.ENOSPC, 60), (errno.EACCES, 60), (errno.ESTALE, 0)])
def test_other_faults_end_at_once(tmp_path, monkeypatch, code, patience):
    tries = fail_first(monkeypatch, 1, code)
    with pytest.raises(StorageError, match=os.strerror(code)):
        Storage(str(tmp_path), patience=patience).write("a", b"new")
    assert len(tries) == 1


def test_a_server_that_is_down_for_a_while_is_waited_for(bucket_server, tmp_path):
    storage = Storage(f"{bucket_server.uri}/{tmp_path.name}", patience=60)
    storage.write("a", b"before")
    with bucket_server.down_for(9.0):  # pyarrow itself tries for six
        with pytest.raises(StorageError, match=r"cannot read 's3://.*/a'"):
            Storage(storage.uri).read("a")
        storage.write("a", b"after")
    assert storage.read("a") == b"after"


@pytest.mark.parametrize(
    ("uri", "repair"),
    [
        ("s3://key:secret@bucket/runs", "AWS_SECRET_ACCESS_KEY"),
        ("s3://anonymous@bucket/runs", "AWS_SECRET_ACCESS_KEY"),
        ("gs://key@bucket/runs", "GOOGLE_APPLICATION_CREDENTIALS"),
        ("ftp://user:secret@host/runs", "leave them out"),
    ],
)
def test_keys_in_a_uri_are_refused_and_not_repeated(uri, repair):
    with pytest.raises(StorageError, match=repair) as refused:
        Storage(uri)
    assert "secret" not in str(refused.value).replace("AWS_SECRET_ACCESS_KEY", "")
    assert "key@" not in str(refused.value)


def test_public_buckets_of_google_are_read_by_nobody_in_particular():
    assert Storage("gs://anonymous@bucket/runs").uri == "gs://anonymous@bucket/runs"
