from __future__ import annotations

import pytest
import yaml

from irnet_ray.model.architecture import Architecture
from irnet_ray.study.read import read_study


@pytest.fixture
def trials(study_file):
    return read_study(study_file).trials()


def test_ids_do_not_depend_on_where_the_table_lies(study_file, trials, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for path in (study_file, study_file.with_name("table.csv")):
        (elsewhere / path.name).write_bytes(path.read_bytes())
    assert [trial.id for trial in read_study(elsewhere / "study.yaml").trials()] == [trial.id for trial in trials]


def test_ids_depend_on_what_the_table_holds(study_file, trials):
    with study_file.with_name("table.csv").open("a") as file:
        file.write("Fe3O4,-1.0\n")
    assert not {trial.id for trial in read_study(study_file).trials()} & {trial.id for trial in trials}


@pytest.mark.parametrize(
    "setting",
    [
        "seeds=5",
        "data.train_size=100",
        "split.seed=1",
        "models.networks.width=0.05",
        "models.networks.recipe.learning_rate=0.1",
        "models.networks.depth=17",
    ],
)
def test_ids_depend_on_the_configuration(study_file, trials, setting):
    changed = read_study(study_file, settings=[setting]).trials()
    networks = {trial.id for trial in trials if trial.architecture}
    assert not {trial.id for trial in changed if trial.architecture} & networks


def test_ids_do_not_depend_on_the_order_of_axes(study_file, trials):
    turned = read_study(study_file, settings=["models.networks.shortcut=[layer, none]"]).trials()
    assert {trial.id for trial in turned} == {trial.id for trial in trials}


def test_an_architecture_string_is_the_same_trial_as_its_depth(study_file, trials):
    content = yaml.safe_load(study_file.read_text())
    networks = content["models"]["networks"]
    content["models"]["networks"] = {
        "architecture": [str(Architecture.of(10, shortcut, 0.03)) for shortcut in ("none", "layer")],
        "recipe": networks["recipe"],
    }
    study_file.write_text(yaml.safe_dump(content))
    assert {trial.id for trial in read_study(study_file).trials()} == {trial.id for trial in trials}


def test_description_names_the_model(trials):
    described = [trial.describe() for trial in trials]
    assert [row["model"] for row in described] == ["plain", "irnet", "random_forest"]
    assert [row["depth"] for row in described] == [10, 10, None]
    assert described[1]["n_parameters"] == Architecture.of(10, "layer", 0.03).count_parameters(145)
    assert described[1]["recipe"] == "fast(batch_size=32, epochs=3)"
