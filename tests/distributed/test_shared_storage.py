"""A run directory that a node does not see is refused before anything is computed for it."""

from __future__ import annotations

import pytest
from rich.console import Console

from irnet_ray.distributed.launch import run_study
from irnet_ray.distributed.shared_storage import check_seen, check_shared, holder_on_disk
from irnet_ray.errors import StorageError
from irnet_ray.study.read import read_study
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.run_lock import only_run

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]


class ElsewhereOnNodes(RunDirectory):
    """A directory under a path that is another one on the nodes."""

    @property
    def uri(self):
        return f"{super().uri}-of-the-node"


def test_what_all_nodes_see_is_taken(tmp_path):
    run = RunDirectory(str(tmp_path / "run"))
    with only_run(run.storage, print):
        check_shared(run)


def test_what_a_node_does_not_see_is_refused(tmp_path):
    run = ElsewhereOnNodes(str(tmp_path / "run"))
    with only_run(run.storage, print), pytest.raises(StorageError, match=r"cannot see '.*'; give a folder that all"):
        check_shared(run)


def test_another_run_under_the_same_path_is_not_taken_for_it(tmp_path):
    run, other = ElsewhereOnNodes(str(tmp_path / "run")), RunDirectory(str(tmp_path / "run-of-the-node"))
    other.storage.write("LOCK", b'{"host": "elsewhere", "process": 1}')
    with only_run(run.storage, print), pytest.raises(StorageError, match="cannot see"):
        check_shared(run)


def test_an_old_copy_on_a_node_that_joins_later_is_not_taken_for_the_run(study_file, tmp_path):
    run, copy = RunDirectory(str(tmp_path / "run")), RunDirectory(str(tmp_path / "copy"))
    for each in (run, copy):
        each.claim(read_study(study_file))
    with only_run(run.storage, print):
        holder = holder_on_disk(run)
        check_seen(run, holder)
        with pytest.raises(StorageError, match="cannot see"):
            check_seen(copy, holder)
        copy.storage.write("LOCK", b'{"host": "elsewhere", "process": 1}')
        with pytest.raises(StorageError, match="cannot see"):
            check_seen(copy, holder)
    check_seen(copy, None)  # in a bucket


@pytest.mark.parametrize("workers", [1, 2])
def test_a_node_that_joins_later_and_does_not_see_it_ends_the_study(study_file, tmp_path, monkeypatch, workers):
    monkeypatch.setattr(RunDirectory, "claim", lambda *_, **__: None)
    study = read_study(study_file, settings=[f"trainer.workers={workers}", "trainer.restarts=0"])
    run = RunDirectory(str(tmp_path / "run"))
    with pytest.raises(StorageError, match=r"--storage: .* cannot see"):
        run_study(study, run, console=Console(quiet=True))
    assert run.finished() == set()
