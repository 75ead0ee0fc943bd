"""Searches through Ray train each sample once, whether or not they are interrupted."""

from __future__ import annotations

import pytest
import yaml
from rich.console import Console

from irnet_ray.distributed.launch import run_study
from irnet_ray.distributed.search import SampleSearcher
from irnet_ray.errors import StorageError
from irnet_ray.study.read import read_study
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.run_trials import samples_of
from irnet_ray.study.search import Samples, draw_at_random

RATE = "models.networks.recipe.learning_rate"


@pytest.fixture
def search_file(study_file):
    content = yaml.safe_load(study_file.read_text())
    content["models"] = {"networks": {"depth": 10, "width": 0.03, "recipe": {"epochs": 3, "batch_size": 32}}}
    content["search"] = {
        "algorithm": "random",
        "samples": 3,
        "space": {
            RATE: {"log_uniform": [1e-3, 1e-1]},
            "models.networks.shortcut": {"choice": ["none", "layer"]},
            "data.representation": {"choice": ["composition", "fractions"]},
        },
    }
    study_file.write_text(yaml.safe_dump(content, sort_keys=False))
    return study_file


def run(study, uri, **options):
    directory = RunDirectory(str(uri))
    return directory, run_study(study, directory, console=Console(quiet=True), **options)


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_a_random_search_ends_as_it_does_in_one_process(search_file, tmp_path):
    study = read_study(search_file)
    directory, on_ray = run(study, tmp_path / "ray")
    _, here = run(study, tmp_path / "here", local=True)
    columns = ["trial_id", "representation", "model", "val_mae", "test_mae"]
    assert on_ray[columns].equals(here[columns])
    assert [sample.trial.id for sample in samples_of(directory, study)] == [t.id for t in draw_at_random(study, 3)]


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_an_optuna_search_goes_on_and_ends_poor_samples_early(search_file, tmp_path):
    early = "early_stopping={algorithm: asha, grace_epochs: 1, reduction_factor: 2}"
    settings = ["search.algorithm=optuna", early]
    first, _ = run(read_study(search_file, settings=settings), tmp_path / "run")
    ended = first.finished() | first.stopped().keys()
    assert len(ended) == 3
    begun = {each: (tmp_path / "run" / "trials" / each / "config.json").stat().st_mtime_ns for each in ended}
    study = read_study(search_file, settings=[*settings, "search.samples=5"])
    directory, results = run(study, tmp_path / "run")
    assert len(samples_of(directory, study)) == 5
    assert len(directory.finished()) + len(directory.stopped()) == 5
    assert set(results["trial_id"]) == directory.finished()
    after = {each: (tmp_path / "run" / "trials" / each / "config.json").stat().st_mtime_ns for each in ended}
    assert after == begun


def test_a_directory_that_cannot_be_written_ends_the_search(search_file, tmp_path, monkeypatch):
    study, reasons = read_study(search_file), []
    directory = RunDirectory(str(tmp_path / "run"))
    directory.claim(study)
    searcher = SampleSearcher(Samples(study, directory), reasons.append)

    def refuse(*_):
        raise StorageError("the disk is full")

    monkeypatch.setattr(directory.storage, "write", refuse)
    assert searcher.suggest("a") == SampleSearcher.FINISHED
    assert reasons == ["the disk is full"]
