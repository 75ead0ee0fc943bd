"""A disk fills up, files are altered, the clock jumps: the same command goes on and ends as an undisturbed run."""

from __future__ import annotations

import errno
import os
import time

import pandas as pd
import pytest
from rich.console import Console

from irnet_ray.cache import Cache
from irnet_ray.distributed.launch import run_study
from irnet_ray.errors import StorageError
from irnet_ray.storage import Storage
from irnet_ray.study import execute as execution
from irnet_ray.study.read import read_study
from irnet_ray.study.result import TIME_COLUMNS
from irnet_ray.study.run_directory import RunDirectory

SETTINGS = ["models.networks.shortcut=layer", "trainer.checkpoint_seconds=0"]


@pytest.fixture
def study(study_file):
    """A network that writes a checkpoint after each of three epochs, and a forest."""
    return read_study(study_file, settings=SETTINGS)


def run_here(study, folder):
    """Runs what is missing; gives the results, times apart."""
    results = run_study(study, RunDirectory(str(folder)), console=Console(quiet=True), local=True)
    return results.drop(columns=list(TIME_COLUMNS))


@pytest.fixture
def undisturbed(study, tmp_path):
    return run_here(study, tmp_path / "undisturbed")


def check_whole(run, undisturbed):
    """Every trial is there once, each of its epochs once, and nothing else."""
    assert run.finished() == set(undisturbed["trial_id"])
    assert run.failures() == {}
    network = undisturbed.loc[undisturbed["model"] == "irnet", "trial_id"].item()
    assert run.history(network)["epoch"].tolist() == [1, 2, 3]
    kept = run.storage.files("")
    assert not [path for path in kept if path.endswith((".part", "checkpoint.bin", "LOCK"))]


class Disk:
    """A disk that has room for so many more files, and half of another."""

    def __init__(self, monkeypatch):
        self.room = 0
        self._write = Storage._write_stream

        def write(*arguments):
            self.write(*arguments)

        monkeypatch.setattr(Storage, "_write_stream", write)

    def write(self, storage, full, content):
        if self.room > 0:
            self.room -= 1
            self._write(storage, full, content)
        else:
            self._write(storage, full, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_that_fills_up_at_any_file_ends_the_run_in_a_line_and_loses_nothing(
    study, tmp_path, undisturbed, monkeypatch
):
    run, disk, finished = RunDirectory(str(tmp_path / "run")), Disk(monkeypatch), set()
    for room in range(50):
        disk.room, complaint = room, None
        try:
            results = run_here(study, tmp_path / "run")
        except StorageError as error:
            complaint = str(error)
        if complaint is None:
            break
        assert complaint.startswith(f"cannot write '{tmp_path}/run/")
        assert "No space left on device; free or unlock it" in complaint
        assert finished <= run.finished()
        finished = run.finished()
        assert not [path for path in run.storage.files("") if path.endswith((".part", "LOCK"))]
    assert room > 5
    pd.testing.assert_frame_equal(results, undisturbed, check_exact=True)
    check_whole(run, undisturbed)


def test_a_disk_that_is_full_for_tensorboard_ends_the_run_in_a_line(study, tmp_path, undisturbed, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr("torch.utils.tensorboard.SummaryWriter.add_scalar", fail)
        with pytest.raises(StorageError, match=r"cannot write '.*/tensorboard/.*': No space left on device"):
            run_here(study, tmp_path / "run")
    pd.testing.assert_frame_equal(run_here(study, tmp_path / "run"), undisturbed, check_exact=True)
    check_whole(RunDirectory(str(tmp_path / "run")), undisturbed)


@pytest.fixture
def interrupted(study, tmp_path, monkeypatch):
    """A run that ended after the network's second epoch, and the path of its checkpoint."""
    complete_fit = execution.fit

    def stop_after_two(*arguments, report, **options):
        def note(epoch):
            report(epoch)
            if epoch.epoch == 3:
                raise KeyboardInterrupt

        return complete_fit(*arguments, report=note, **options)

    with monkeypatch.context() as short:
        short.setattr(execution, "fit", stop_after_two)
        with pytest.raises(KeyboardInterrupt):
            run_here(study, tmp_path / "run")
    (checkpoint,) = (tmp_path / "run").glob("trials/*/checkpoint.bin")
    return checkpoint


def with_a_bit_turned(content, place):
    """The content with one bit of it turned over."""
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    "alter",
    [
        lambda content: b"",
        lambda content: content[:-100],
        lambda content: with_a_bit_turned(content, 40),
        lambda content: with_a_bit_turned(content, len(content) // 2),
    ],
)
def test_an_altered_checkpoint_is_not_trusted(study, tmp_path, undisturbed, interrupted, monkeypatch, alter):
    begun = []
    complete_fit = execution.fit

    def note_first(*arguments, report, **options):
        def note(epoch):
            begun.append(epoch.epoch)
            report(epoch)

        return complete_fit(*arguments, report=note, **options)

    monkeypatch.setattr(execution, "fit", note_first)
    content = interrupted.read_bytes()
    assert alter(content) != content
    interrupted.write_bytes(alter(content))
    pd.testing.assert_frame_equal(run_here(study, tmp_path / "run"), undisturbed, check_exact=True)
    assert begun == [1, 2, 3]
    check_whole(RunDirectory(str(tmp_path / "run")), undisturbed)


def test_altered_features_are_computed_again(study, tmp_path, undisturbed, caplog, monkeypatch):
    monkeypatch.setenv("IRNET_RAY_CACHE", str(tmp_path / "cache"))  # of this study alone
    run_here(study, tmp_path / "filled")
    folder = Cache().storage.local_path
    files = sorted(path for path in folder.rglob("*.parquet") if "features" in path.parts)
    assert files
    for path in files:
        content = path.read_bytes()
        path.write_bytes(with_a_bit_turned(content, len(content) // 2))
    pd.testing.assert_frame_equal(run_here(study, tmp_path / "run"), undisturbed, check_exact=True)
    for path in files:
        assert f"'{path}' was damaged" in caplog.text


def test_a_clock_that_jumps_changes_nothing_but_dates(study, tmp_path, undisturbed, monkeypatch):
    now, jumps = time.time, iter(range(10**6))
    monkeypatch.setattr("time.time", lambda: now() + 86_400 * (-1) ** next(jumps))
    pd.testing.assert_frame_equal(run_here(study, tmp_path / "run"), undisturbed, check_exact=True)
    run = RunDirectory(str(tmp_path / "run"))
    check_whole(run, undisturbed)
    for trial_id in undisturbed["trial_id"]:
        result = run.result(trial_id)
        assert 0 < result["train_seconds"] < 3600
        assert 0 <= result["predict_seconds"] < 3600
