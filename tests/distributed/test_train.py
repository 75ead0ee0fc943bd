"""What Ray Train is asked for, without starting it."""

from __future__ import annotations

import numpy as np
import pytest
import ray

from irnet_ray.distributed import train as module
from irnet_ray.distributed.shards import OneBlockEach, read_shard, training_dataset
from irnet_ray.distributed.train import Assignment, train_together
from irnet_ray.errors import StorageError
from irnet_ray.model.rows import Rows
from irnet_ray.study.execute import MatrixData
from irnet_ray.study.featurize import compute_here
from irnet_ray.study.prepare import prepare
from irnet_ray.study.read import read_study
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Trainer

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]


@pytest.fixture
def assignment(study_file, tmp_path):
    trial = read_study(study_file).trials()[0]
    (data,) = prepare([trial], compute_here).values()

    def make(**trainer):
        return Assignment(trial, ray.put(data), str(tmp_path / "run"), Trainer(**trainer), 1.0)

    return make


@pytest.fixture
def asked(monkeypatch):
    """What the trainer was made with; its training fails with the error under ``fails_with``, if there is one."""
    options = {}

    class StandIn:
        def __init__(self, function, **given):
            options.update(given)

        def fit(self):
            if "fails_with" in options:
                raise options["fails_with"]

    monkeypatch.setattr(module, "TorchTrainer", StandIn)
    monkeypatch.setattr(module, "TuneReportCallback", ray.train.UserCallback)
    return options


@pytest.mark.parametrize(("gpus", "backend"), [(0, "gloo"), (1, "nccl")])
def test_each_worker_gets_what_the_study_says(assignment, asked, gpus, backend):
    train_together(assignment(workers=3, cpus_per_worker=2, gpus_per_worker=gpus, restarts=5))
    assert asked["torch_config"].backend == backend
    scaling = asked["scaling_config"]
    assert (scaling.num_workers, scaling.use_gpu) == (3, gpus > 0)
    assert scaling.resources_per_worker == {"CPU": 2, "GPU": gpus}
    assert asked["run_config"].failure_config.max_failures == 5


def test_a_failure_of_the_storage_is_told_as_such(assignment, asked):
    asked["fails_with"] = ray.train.WorkerGroupError("failed", {1: StorageError("the disk is full")})
    assert train_together(assignment(workers=2)) == {"storage_failure": "the disk is full"}


def test_workers_that_die_too_often_are_told(assignment, asked):
    asked["fails_with"] = ray.train.WorkerGroupError("failed", {0: RuntimeError("out of memory")})
    message = "a worker ended 3 times without a result (out of memory)"
    given = assignment(workers=2)
    assert train_together(given) == {"failure": message}
    assert RunDirectory(given.run_uri).failures() == {given.trial.id: message}


def test_a_lost_connection_is_not_taken_for_the_cause(assignment, asked):
    causes = {0: RuntimeError("Connection closed by peer\nand so on"), 1: MemoryError("no memory left\nat all")}
    asked["fails_with"] = ray.train.WorkerGroupError("failed", causes)
    assert train_together(assignment(workers=2)) == {
        "failure": "a worker ended 3 times without a result (no memory left)"
    }


@pytest.mark.parametrize(("rows", "workers"), [(10, 1), (11, 2), (11, 4)])
def test_every_row_reaches_one_worker_and_always_the_same(rows, workers):
    generator = np.random.default_rng(0)
    whole = Rows(generator.standard_normal((20, 3), dtype=np.float32), np.arange(20.0))
    train = whole.select(generator.permutation(20)[:rows])
    for _ in range(2):
        dataset = training_dataset(train, workers)
        parts = [read_shard(each["train"]) for each in OneBlockEach().configure({"train": dataset}, workers)]
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        np.testing.assert_array_equal(np.concatenate([part.target for part in parts]), train.target)
        np.testing.assert_array_equal(np.concatenate([part.inputs for part in parts]), train.inputs)


def test_shared_rows_are_read_without_a_copy(assignment):
    data: MatrixData = ray.get(assignment().data)
    assert not data.rows.inputs.flags.writeable
