from __future__ import annotations

import hashlib

import pytest
import yaml

from irnet_ray.errors import ConfigurationError, DataError
from irnet_ray.study.read import merge, read_study
from irnet_ray.study.spec import Study


@pytest.fixture
def edit(study_file):
    """Writes the study again with some of it changed."""

    def write(**changes):
        content = yaml.safe_load(study_file.read_text())
        study_file.write_text(yaml.safe_dump(merge(content, changes), sort_keys=False))
        return study_file

    return write


def message_of(path, *settings, profile=None):
    with pytest.raises(ConfigurationError) as caught:
        read_study(path, profile, settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_grid_is_the_product_of_its_axes(study_file):
    study = read_study(study_file, settings=["seeds=[0,1,2]", "models.networks.depth=[10,17]"])
    trials = study.trials()
    assert len(trials) == (2 * 2 + 1) * 3
    assert len({trial.id for trial in trials}) == len(trials)


def test_profile_is_laid_over_and_names_the_run(edit):
    path = edit(profiles={"big": {"models": {"networks": {"width": 0.5}}, "seeds": [0, 1]}})
    study = read_study(path, "big")
    assert study.run_name == "small-big"
    assert study.models["networks"].width == (0.5,)
    assert study.models["networks"].shortcut == ("none", "layer")
    assert study.seeds == (0, 1)
    assert read_study(path).run_name == "small"


def test_settings_win_over_profiles(edit):
    path = edit(profiles={"big": {"seeds": [0, 1]}})
    assert read_study(path, "big", ["seeds=7"]).seeds == (7,)


def test_a_recipe_that_names_its_base_keeps_nothing_of_the_former(edit):
    other = {"recipe": {"base": "paper", "patience": 400}}
    path = edit(profiles={"paper": {"models": {"networks": other}}})
    content = yaml.safe_load(path.read_text())
    content["models"]["networks"]["recipe"] = {"base": "fast", "epochs": 20}
    path.write_text(yaml.safe_dump(content))
    (before,), (recipe,) = (read_study(path, profile).models["networks"].recipe for profile in (None, "paper"))
    assert (before.label, recipe.label) == ("fast(epochs=20)", "paper(patience=400)")


def test_the_order_of_settings_does_not_matter(study_file):
    settings = ["models.networks.recipe.epochs=5", "models.networks.recipe.base=best"]
    for given in (settings, settings[::-1]):
        (recipe,) = read_study(study_file, settings=given).models["networks"].recipe
        assert recipe.label == "best(epochs=5)"


def test_a_recipe_written_as_its_name_can_be_changed(edit):
    path = edit(profiles={"short": {"models": {"networks": {"recipe": {"epochs": 7}}}}})
    settings = ["models.networks.recipe=best", "models.networks.recipe.batch_size=32"]
    (recipe,) = read_study(path, settings=settings).models["networks"].recipe
    assert recipe.label == "best(batch_size=32)"
    content = yaml.safe_load(path.read_text())
    content["models"]["networks"]["recipe"] = "best"
    path.write_text(yaml.safe_dump(content))
    (recipe,) = read_study(path, "short").models["networks"].recipe
    assert recipe.label == "best(epochs=7)"


@pytest.mark.parametrize(
    ("before", "setting", "expected"),
    [
        ("models.networks.recipe=[fast, best]", "models.networks.recipe.epochs=3", "networks.recipe' is a list"),
        ("seeds=3", "seeds.first=1", "'seeds' is '3' in the study; set 'seeds' as a whole"),
    ],
)
def test_a_part_of_what_has_no_parts_is_refused(study_file, before, setting, expected):
    assert expected in message_of(study_file, before, setting)


def test_unknown_profile_names_the_nearest(edit):
    assert "did you mean 'laptop'" in message_of(edit(profiles={"laptop": {}}), profile="latop")


def test_unknown_key_names_the_nearest(study_file):
    found = message_of(study_file, "models.networks.dept=17")
    assert "models.networks" in found
    assert "unknown key 'dept'; did you mean 'depth'?" in found


def test_unknown_value_names_the_field_and_the_nearest(study_file):
    found = message_of(study_file, "models.networks.shortcut=layr")
    assert "models.networks.shortcut" in found
    assert "did you mean 'layer'?" in found


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("models.networks.depth=18", "no architecture of 18 layers; choose from 10, 17, 24, 48"),
        ("models.networks.recipe=fats", "did you mean 'fast'?"),
        ("models.networks.recipe={base: fast, epoch: 3}", "did you mean 'epochs'?"),
        ("models.networks.recipe={base: fast, epochs: 0}", "recipe.epochs"),
        ("models.networks.width=-1", "models.networks.width"),
        ("models.forest.kind=random_forrest", "did you mean 'random_forest'?"),
        ("models.forest.tree=3", "did you mean 'trees'?"),
        ("models.networks.architecture=1024BA", "architecture"),
        ("data.representation=compositoin", "did you mean 'composition'?"),
        ("data.property=energ", "did you mean 'energy'?"),
        ("data.dataset=oqdm", "did you mean 'oqmd'?"),
        ("data.train_size=5", "data.train_size"),
        ("data.train_size=some", "data.train_size"),
        ("split.protocol=publishd", "did you mean 'published'?"),
        ("split.test_fraction=1.5", "split.test_fraction"),
        ("seeds=[0,0]", "a value stands twice"),
        ("seeds=[]", "the list is empty"),
        ("seeds=0.5", "seeds"),
        ("trainer.cpus_per_worker=0", "trainer.cpus_per_worker"),
        ("models=[]", "models"),
        ("models.networks.depth=[[10]]", "no architecture of [10] layers"),
        ("description=2020-13-45", "not valid YAML"),
        ("models.networks.dept=10", "models.networks: unknown key"),
        ("name=a b", "name"),
        ("nonsense", "key=value"),
        ("a..b=1", "key=value"),
        ("seeds=[0", "not valid YAML"),
    ],
)
def test_mistakes_end_in_one_line_that_names_the_repair(study_file, setting, expected):
    assert expected in message_of(study_file, setting)


@pytest.mark.parametrize("difference", [{"path": "other/table.csv"}, {"sha256": 64 * "0"}, {"formula": "compound"}])
def test_two_tables_of_the_same_name_are_refused(difference):
    table = {"path": "table.csv", "properties": {"energy": "eV"}}
    blocks = [{"dataset": each, "property": "energy"} for each in (table, {**table, **difference})]
    content = {"name": "s", "data": blocks, "models": {"ridge": {"kind": "ridge"}}}
    with pytest.raises(ValueError, match="'table' is the name of two different ones"):
        Study.model_validate(content)
    blocks[1]["dataset"]["name"] = "another"
    assert len(Study.model_validate(content).trials()) > 1


def test_rows_that_are_trained_on_choose_no_epoch(study_file):
    settings = ["split.train_on_validation=true", "models.networks.recipe={base: fast}"]
    expected = "models.networks.recipe.keep: would choose the epoch by the validation rows"
    assert expected in message_of(study_file, *settings)
    assert read_study(study_file, settings=[*settings, "models.networks.recipe.keep=last"]).trials()
    assert read_study(study_file, settings=[settings[0], "models.networks.recipe=best"]).trials()


@pytest.mark.parametrize("content", ["a: [", "- 1", "", "a: b: c", "\x00"])
def test_what_is_no_study_is_refused(tmp_path, content):
    path = tmp_path / "study.yaml"
    path.write_text(content)
    assert "study.yaml" in message_of(path)


def test_missing_study_is_refused(tmp_path):
    assert "No such file" in message_of(tmp_path / "none.yaml")


def test_missing_table_is_refused(study_file):
    study_file.with_name("table.csv").unlink()
    with pytest.raises(Exception, match=r"table\.csv"):
        read_study(study_file).trials()


def test_tables_are_found_from_the_studys_folder(study_file, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert len(read_study(study_file).trials()) == 3


def test_a_resolved_study_reads_back(study_file):
    study = read_study(study_file)
    resolved = study_file.with_name("resolved.yaml")
    resolved.write_text(yaml.safe_dump(study.model_dump(mode="json")))
    assert read_study(resolved) == study


def test_the_checksum_of_ones_own_table_is_noted_and_compared(study_file):
    table = study_file.with_name("table.csv")
    (block,) = read_study(study_file).data
    assert block.dataset.sha256 == hashlib.sha256(table.read_bytes()).hexdigest()
    content = yaml.safe_load(study_file.read_text())
    content["data"]["dataset"]["sha256"] = "0" * 64
    study_file.write_text(yaml.safe_dump(content))
    with pytest.raises(DataError, match=r"its sha256 is .*, not what the study says"):
        read_study(study_file)


def test_structure_attributes_need_structures(study_file):
    with pytest.raises(ConfigurationError, match="'table' has no structures, which 'structure' needs"):
        read_study(study_file, settings=["data.representation=structure"])


def test_a_profile_of_a_study_without_profiles_is_refused(study_file):
    assert message_of(study_file, profile="paper") == f"{study_file}: has no profiles; leave out --profile paper"
