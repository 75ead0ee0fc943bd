"""A directory is filled by one run at a time; a dead one's lock is nobody's."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

import pytest

from irnet_ray.errors import RunError, StorageError
from irnet_ray.storage import Storage
from irnet_ray.study import run_lease, run_lock
from irnet_ray.study.lock_holder import LOCK
from irnet_ray.study.run_lock import only_run

HOLD = """
import errno, fcntl, sys, time
from irnet_ray.storage import Storage
from irnet_ray.study import run_lease
from irnet_ray.study.run_lock import only_run
run_lease._BEAT_SECONDS, run_lease._SETTLING_SECONDS = 0.1, 1.0
def refuse(*_):
    raise OSError(errno.ENOLCK, "No locks available")
if "without" in sys.argv[1]:
    fcntl.flock = refuse
with only_run(Storage(sys.argv[1]), print):
    print("held", flush=True)
    time.sleep(600)
"""


def do(storage, what):
    """Does something while nobody else may."""
    with only_run(storage, print):
        what()


@pytest.fixture
def without_locks(monkeypatch):
    """A file system that knows none."""

    def refuse(*_):
        raise OSError(run_lock.errno.ENOLCK, "No locks available")

    monkeypatch.setattr(run_lock.fcntl, "flock", refuse)


@pytest.fixture(params=["disk", "disk without locks", "bucket"])
def storage(request, tmp_path, monkeypatch):
    """A folder; in buckets, time passes faster."""
    monkeypatch.setattr(run_lease, "_BEAT_SECONDS", 0.1)
    monkeypatch.setattr(run_lease, "_SILENT_SECONDS", 1.0)
    monkeypatch.setattr(run_lease, "_SETTLING_SECONDS", 1.0)
    if request.param == "disk without locks":
        request.getfixturevalue("without_locks")
    if request.param != "bucket":
        return Storage(str(tmp_path / request.param / "study"))
    return Storage(f"{request.getfixturevalue('bucket')}/{tmp_path.name}/study")


@pytest.fixture
def holder(storage):
    """Another process that holds the lock."""
    with subprocess.Popen([sys.executable, "-c", HOLD, storage.uri], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_second_run_is_refused_and_told_by_whom(storage, holder):
    with pytest.raises(RunError, match=f"is being filled by process {holder.pid} on .*stop it"):
        do(storage, bool)
    assert storage.exists(LOCK)


def test_the_lock_of_a_killed_run_is_taken_over(storage, holder):
    holder.kill()
    holder.wait()
    assert storage.exists(LOCK)
    with only_run(storage, print):
        assert json.loads(storage.read(LOCK))["process"] != holder.pid
    assert storage.names() == []


def test_nothing_is_left_behind_and_what_was_there_stays(storage):
    with only_run(storage, print):
        assert storage.exists(LOCK)
    assert storage.names() == []
    if storage.local_path is not None:
        assert not storage.local_path.exists()

    def begin_and_fail():
        storage.write("study.yaml", b"name: a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        do(storage, begin_and_fail)
    assert storage.names() == ["study.yaml"]


def test_of_many_at_once_one_at_a_time_gets_it(storage):
    inside, most, refused = [], [], []
    lock = threading.Lock()

    def enter(number):
        try:
            with only_run(storage, lambda text: None):
                inside.append(number)
                most.append(len(inside))
                time.sleep(0.3)
                inside.remove(number)
        except RunError:
            with lock:
                refused.append(number)

    threads = [threading.Thread(target=enter, args=[number]) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1}
    assert len(most) + len(refused) == 5
    assert refused


def test_a_run_whose_lease_another_one_took_ends_even_where_ctrl_c_is_kept_from_it(bucket, tmp_path):
    uri = f"{bucket}/{tmp_path.name}"
    blocked = (
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)"
    )
    command = [sys.executable, "-c", f"{blocked}\n{HOLD}", uri]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        Storage(uri).write(LOCK, b'{"host": "elsewhere", "process": 1, "name": "other", "beats": 1}')
        assert "is being filled by process 1 on elsewhere" in process.communicate(timeout=60)[1]
    assert b"elsewhere" in Storage(uri).read(LOCK)


def test_a_run_whose_lease_another_one_took_and_gave_back_ends(bucket, tmp_path, monkeypatch):
    monkeypatch.setattr(run_lease, "_BEAT_SECONDS", 0.1)
    monkeypatch.setattr(run_lease, "_SETTLING_SECONDS", 1.0)
    storage = Storage(f"{bucket}/{tmp_path.name}")

    def be_taken_over():
        storage.delete(LOCK)
        time.sleep(60)

    with pytest.raises(RunError, match="is being filled by another run"):
        do(storage, be_taken_over)
    assert storage.read(LOCK) is None


def test_a_lease_outlives_storage_that_fails_for_a_while(bucket, tmp_path, monkeypatch):
    monkeypatch.setattr(run_lease, "_BEAT_SECONDS", 0.05)
    monkeypatch.setattr(run_lease, "_SETTLING_SECONDS", 1.0)
    storage = Storage(f"{bucket}/{tmp_path.name}")

    def fail(*_):
        raise StorageError("the network is down")

    with only_run(storage, print):
        before = storage.read(LOCK)
        with monkeypatch.context() as broken:
            broken.setattr(Storage, "read", fail)
            broken.setattr(Storage, "write", fail)
            time.sleep(0.3)
        time.sleep(0.3)
        assert storage.read(LOCK) != before
    assert not storage.exists(LOCK)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(StorageError, match=r"cannot write .*runs/study/LOCK.*choose another --storage"):
        do(Storage(str(tmp_path / "runs" / "study")), bool)


@pytest.mark.usefixtures("without_locks")
def test_a_file_system_without_locks_gets_a_lease(tmp_path, monkeypatch):
    monkeypatch.setattr(run_lease, "_SETTLING_SECONDS", 1.0)
    storage, told = Storage(str(tmp_path / "run")), []
    with only_run(storage, told.append):
        assert json.loads(storage.read(LOCK))["beats"] == 1
    assert told == []
    assert not storage.local_path.exists()


def test_a_place_that_cannot_be_made_is_told(monkeypatch):
    monkeypatch.setattr(run_lock, "_WAIT_SECONDS", 0.0)
    with pytest.raises(StorageError, match=r"cannot write '/proc/irnet-ray/LOCK': No such file or directory; choose"):
        do(Storage("/proc/irnet-ray"), bool)


def test_a_full_disk_is_told_in_one_line(tmp_path, monkeypatch):
    def fill(_):
        raise OSError(run_lock.errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run_lock.os, "fsync", fill)
    with pytest.raises(StorageError, match=r"cannot write .*/LOCK': No space left on device; choose another"):
        do(Storage(str(tmp_path / "run")), bool)
