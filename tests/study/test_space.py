from __future__ import annotations

import copy

import numpy as np
import pytest
import yaml

from irnet_ray.config import validate
from irnet_ray.errors import ConfigurationError
from irnet_ray.study.read import read_study
from irnet_ray.study.space import Distribution
from irnet_ray.study.spec import Study

RATE = "models.networks.recipe.learning_rate"
NETWORKS = "models.networks."


def content(space, samples=2, **changes):
    return {
        "name": "search",
        "data": {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": 1000},
        "models": {"networks": {"depth": 17, "shortcut": "layer", "recipe": {"base": "paper", "epochs": 20}}},
        "search": {"algorithm": "random", "samples": samples, "space": space},
        **changes,
    }


def study_of(space, **changes):
    return validate(Study, content(space, **changes), "study.yaml")


def refusal(given):
    with pytest.raises(ConfigurationError) as caught:
        validate(Study, given, "study.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_sample_is_the_study_with_its_values():
    study = study_of({RATE: {"uniform": [1e-4, 1e-2]}, "data.representation": {"choice": ["composition", "fractions"]}})
    trial = study.sample({RATE: 0.005, "data.representation": "fractions"})
    changed = {"base": "paper", "epochs": 20, "learning_rate": 0.005}
    plain = content({})
    plain |= {"search": None, "data": {**plain["data"], "representation": "fractions"}}
    plain["models"]["networks"]["recipe"] = changed
    (expected,) = validate(Study, plain, "study.yaml").trials()
    assert trial == expected


def test_keys_that_are_searched_may_be_left_out():
    given = content({NETWORKS + "depth": {"choice": [10, 48]}, NETWORKS + "recipe": {"choice": ["fast", "paper"]}})
    del given["models"]["networks"]["depth"], given["models"]["networks"]["recipe"]
    study = validate(Study, given, "study.yaml")
    trial = study.sample({NETWORKS + "depth": 48, NETWORKS + "recipe": "paper"})
    assert trial.architecture.depth == 48
    assert trial.model.recipe.base == "paper"


def test_a_study_with_a_search_reads_back(tmp_path):
    study = study_of({RATE: {"log_uniform": ["1e-4", 1e-2]}, NETWORKS + "width": {"choice": [0.25, 0.5]}})
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(study.model_dump(mode="json")))
    assert read_study(path) == study
    assert yaml.safe_load(path.read_text())["search"]["space"][RATE] == {"log_uniform": [1e-4, 1e-2]}


def test_all_data_that_samples_may_need_is_known():
    space = {
        "data.representation": {"choice": ["composition", "fractions"]},
        "data.train_size": {"choice": [100, 1000, "all"]},
        RATE: {"uniform": [1e-4, 1e-2]},
    }
    trials = study_of(space).trials_of_all_data()
    assert {(trial.matrix.representation, trial.train_size) for trial in trials} == {
        (representation, size) for representation in ("composition", "fractions") for size in (100, 1000, None)
    }


@pytest.mark.parametrize(
    ("key", "distribution", "expected"),
    [
        (NETWORKS + "widht", {"uniform": [0.1, 1]}, "unknown key 'widht'; did you mean 'width'?"),
        ("models.network.width", {"uniform": [0.1, 1]}, "there is no 'network'; did you mean 'networks'?"),
        (RATE + ".x", {"uniform": [0.1, 1]}, "there is no such key"),
        (NETWORKS + "width", {"uniform": [0, 1]}, "models.networks.width: input should be greater than 0"),
        (NETWORKS + "width", {"uniform": [1, 100]}, "models.networks.width: input should be less than or equal to 16"),
        (NETWORKS + "width", {"unifrm": [0, 1]}, f"search.space.{NETWORKS}width: unknown distribution 'unifrm'"),
        (NETWORKS + "width", {"uniform": [1, 0.5]}, "the lowest value first"),
        (NETWORKS + "width", {"log_uniform": [0, 0.5]}, "positive values only"),
        (NETWORKS + "width", {"uniform": [True, 2]}, "two numbers"),
        (NETWORKS + "width", [0.25, 0.5], "write one distribution"),
        (NETWORKS + "recipe.epochs", {"int": [1.5, 3]}, "two whole numbers"),
        (NETWORKS + "recipe.batch_size", {"uniform": [16, 64]}, "valid integer"),
        (NETWORKS + "depth", {"int": [10, 17]}, "no architecture of 13 layers; choose from 10, 17, 24, 48"),
        (NETWORKS + "shortcut", {"choice": ["layer", "layr"]}, "did you mean 'layer'?"),
        (NETWORKS + "shortcut", {"choice": ["none", "none"]}, "a choice stands twice"),
        (NETWORKS + "shortcut", {"choice": ["none", ["stack", "layer"]]}, "models.networks.shortcut: has 2 values"),
        (NETWORKS + "recipe.base", {"choice": ["fast", "paper"]}, "search 'models.networks.recipe' instead"),
        (NETWORKS + "architecture", {"choice": ["64BARx3-1", "32BARx3-1"]}, "either 'depth' and 'shortcut'"),
        ("data.representation", {"choice": ["composition", "structure"]}, "has no structures"),
        ("data.train_size", {"int": [100, 300]}, "must be a choice"),
        ("data.property", {"choice": ["band_gap", "formation_enthalpy"]}, "errors would not compare"),
        ("split.seed", {"int": [0, 3]}, "cannot be searched"),
        ("seeds", {"int": [0, 3]}, "cannot be searched"),
    ],
)
def test_what_cannot_be_searched_is_refused(key, distribution, expected):
    found = refusal(content({key: distribution}))
    assert expected in found
    assert "search" in found or "models.networks" in found


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"seeds": [0, 1]}, "seeds: has 2 values, but a sample of a search is one trial; name one value"),
        ({"algorithm": "optna"}, "search.algorithm: unknown value 'optna'; did you mean 'optuna'?"),
        ({"samples": 0}, "search.samples"),
        ({"split": {"protocol": "paper"}}, "search: chooses by the validation rows, which protocol 'paper' tests on"),
        ({"split": {"train_on_validation": True}}, "which split.train_on_validation trains on"),
        ({"space": {}}, "search.space"),
        ({"space": {NETWORKS + "shortcut": {"choice": ["none", "layer"]}}, "samples": 3}, "only 2 points"),
        (
            {"space": {NETWORKS + "recipe": {"choice": ["fast"]}, RATE: {"uniform": [0.1, 0.2]}}},
            f"'models.networks.recipe' holds '{RATE}'",
        ),
    ],
)
def test_mistakes_of_a_search_are_told(changes, expected):
    given = content({RATE: {"uniform": [1e-4, 1e-2]}})
    for key, value in changes.items():
        (given if key in ("seeds", "split") else given["search"])[key] = value
    assert expected in refusal(given)


@pytest.mark.parametrize(
    ("key", "value", "axis"),
    [("depth", [10, 17], "models.networks.depth"), ("recipe", ["fast", "paper"], "'recipe' has several values")],
)
def test_axes_with_several_values_are_named(key, value, axis):
    given = content({RATE: {"uniform": [1e-4, 1e-2]}})
    given["models"]["networks"][key] = value
    assert axis in refusal(given)


def test_several_models_are_refused():
    given = content({RATE: {"uniform": [1e-4, 1e-2]}})
    given["models"]["forest"] = {"kind": "random_forest"}
    assert "models: has 2 values" in refusal(given)


def test_early_stopping_that_stops_nothing_is_refused():
    given = content({}, search=None, early_stopping={"algorithm": "asha", "grace_epochs": 20})
    assert "early_stopping.grace_epochs: no network trains for more than 20 epochs" in refusal(given)
    validate(Study, {**given, "early_stopping": {"algorithm": "asha", "grace_epochs": 19}}, "study.yaml")
    assert "early_stopping: chooses by the validation rows" in refusal({**given, "split": {"protocol": "paper"}})
    unknown = copy.deepcopy(given) | {"early_stopping": {"algorithm": "ash"}}
    assert "did you mean 'asha'?" in refusal(unknown)


def test_some_sample_of_a_search_can_end_early():
    early = {"algorithm": "asha", "grace_epochs": 30}
    assert "no network trains for more than 30 epochs" in refusal(
        content({RATE: {"uniform": [1e-4, 1e-2]}}, early_stopping=early)
    )
    study_of({NETWORKS + "recipe.epochs": {"int": [10, 31]}}, early_stopping=early)


@pytest.mark.parametrize(
    ("written", "median"),
    [
        ({"uniform": [2, 4]}, 3),
        ({"log_uniform": [1e-4, 1e-2]}, 1e-3),
        ({"int": [1, 9]}, 5),
        ({"log_int": [1, 40]}, 5),
    ],
)
def test_draws_follow_the_distribution_and_keep_its_bounds(written, median):
    distribution = Distribution.model_validate(written)
    generator = np.random.default_rng(0)
    drawn = [distribution.draw(generator) for _ in range(4000)]
    ((_, (low, high)),) = written.items()
    assert all(distribution.contains(value) and low <= value <= high for value in drawn)
    assert np.median(drawn) == pytest.approx(median, rel=0.2)
    if distribution.is_finite:
        assert set(drawn) == set(range(low, high + 1))
        assert distribution.size == high - low + 1


def test_choices_are_drawn_equally_often():
    distribution = Distribution.model_validate({"choice": ["a", {"base": "fast"}, 3]})
    generator = np.random.default_rng(0)
    drawn = [str(distribution.draw(generator)) for _ in range(3000)]
    assert all(900 < drawn.count(str(choice)) < 1100 for choice in distribution.values)
