"""What is sent to a cluster makes the same trials there."""

from __future__ import annotations

import shutil

import pytest
import yaml
from conftest import study_content

from irnet_ray.distributed.cluster import package
from irnet_ray.distributed.cluster.package import STUDY, pack
from irnet_ray.errors import ConfigurationError
from irnet_ray.study.read import read_study


@pytest.fixture
def study(study_file):
    """With a profile and a setting, on two tables whose files have the same name."""
    other = study_file.parent / "other" / "table.csv"
    other.parent.mkdir()
    shutil.copyfile(study_file.parent / "table.csv", other)
    content = study_content()
    second = {
        **content["data"],
        "dataset": {**content["data"]["dataset"], "path": "other/table.csv", "name": "other"},
        "train_size": 100,
    }
    content |= {"data": [content["data"], second], "profiles": {"quick": {"seeds": [0, 1]}}}
    study_file.write_text(yaml.safe_dump(content))
    return read_study(study_file, "quick", ["models.networks.recipe.epochs=2"])


def test_a_packed_study_has_the_same_name_and_trials(study, tmp_path):
    folder = tmp_path / "sent"
    folder.mkdir()
    pack(study, folder)
    for path in tmp_path.rglob("table.csv"):
        if folder not in path.parents:
            path.unlink()
    there = read_study(folder / STUDY)
    assert there.run_name == study.run_name == "small-quick"
    assert [trial.id for trial in there.trials()] == [trial.id for trial in study.trials()]


def test_tables_that_are_too_large_are_refused(study, tmp_path, monkeypatch):
    monkeypatch.setattr(package, "_MOST_MEBIBYTES", 0)
    with pytest.raises(ConfigurationError, match=r"data.dataset.path: .* are too many to be sent along"):
        pack(study, tmp_path / "sent")
    assert not (tmp_path / "sent").exists()
