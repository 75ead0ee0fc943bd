"""Blocks of classical learning, and which data they learn from."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from irnet_ray.config import validate
from irnet_ray.errors import ConfigurationError
from irnet_ray.model.baselines import BASELINES, THE_TEN
from irnet_ray.study.spec import Study

DATA = {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": 1000}
NETWORKS = {"depth": 17, "shortcut": "layer", "width": 0.25, "recipe": "fast"}


def study(**changes):
    return validate(Study, {"name": "baselines", "data": DATA, "models": {"networks": NETWORKS}, **changes}, "study")


def models(block):
    return [trial.model for trial in study(models={"block": block}).trials()]


def message_of(**changes):
    with pytest.raises(ConfigurationError) as caught:
        study(**changes)
    return str(caught.value)


@pytest.mark.parametrize("kind", BASELINES)
def test_a_block_has_the_defaults_or_the_grid_or_what_is_named(kind):
    algorithm = BASELINES[kind]
    assert models({"kind": kind}) == [algorithm()]
    grid = [dict(zip(algorithm.grid, values, strict=True)) for values in itertools.product(*algorithm.grid.values())]
    assert models({"kind": kind, "tuned": True}) == [algorithm(**values) for values in grid]
    assert models({"kind": kind, "tuned": False}) == [algorithm()]


def test_named_settings_win_over_the_grid():
    (fewer, more) = models(
        {"kind": "random_forest", "tuned": True, "trees": [5, 7], "max_features": 1.0, "min_samples_leaf": 2}
    )
    assert (fewer.label, more.trees) == ("trees 5, max features 1, min samples leaf 2", 7)


@pytest.mark.parametrize(
    "block",
    [*({"kind": kind, "tuned": True} for kind in BASELINES), {"kind": "the_ten"}],
    ids=lambda block: block["kind"],
)
def test_a_study_that_is_read_back_has_the_same_trials(block):
    made = study(models={"block": block}, seeds=[0, 1])
    assert Study.model_validate(made.model_dump(mode="json")).trials() == made.trials()


def test_the_ten_are_all_of_them_over_their_grids():
    kinds = Counter(model.kind for model in models({"kind": "the_ten"}))
    assert kinds.keys() == {each.name() for each in THE_TEN}
    assert all(len(models({"kind": kind, "tuned": True})) == count for kind, count in kinds.items())


def test_what_is_not_random_has_one_trial_and_blocks_may_have_their_own_seeds():
    blocks = {"networks": NETWORKS, "ridge": {"kind": "ridge"}, "forest": {"kind": "random_forest", "seeds": [7, 8]}}
    seeds = [(trial.label, trial.seed) for trial in study(models=blocks, seeds=[1, 2]).trials()]
    assert seeds == [("irnet-17", 1), ("irnet-17", 2), ("ridge", 0), ("random_forest", 7), ("random_forest", 8)]


def test_data_may_name_the_models_that_learn_from_them():
    data = [{**DATA, "models": ["networks", "ridge"]}, {**DATA, "train_size": "all", "models": "networks"}]
    trials = study(data=data, models={"networks": NETWORKS, "ridge": {"kind": "ridge"}}).trials()
    assert [(trial.label, trial.train_size) for trial in trials] == [
        ("irnet-17", 1000),
        ("ridge", 1000),
        ("irnet-17", None),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"data": {**DATA, "models": "network"}},
            "study: data.models: there is no block 'network'; did you mean 'networks'?",
        ),
        (
            {"data": {**DATA, "models": "networks"}, "models": {"networks": NETWORKS, "ridge": {"kind": "ridge"}}},
            "study: models.ridge: no block of data names it; add it to data.models, or leave it out",
        ),
        (
            {"models": {"a": {"kind": "ridge", "tuned": "yes"}}},
            "study: models.a: tuned: true or false, not 'yes'",
        ),
        (
            {"models": {"a": {"kind": "ridge", "penalties": 3}}},
            "study: models.a: unknown key 'penalties'; did you mean 'penalty'?",
        ),
        (
            {"models": {"a": {"kind": "ridge", "penalty": [1, 0]}}},
            "study: models.a.penalty.1: input should be greater than 0, not 0",
        ),
        (
            {"models": {"a": {"kind": "the_ten"}}, "split": {"protocol": "published", "train_on_validation": True}},
            "study: models.a: validation rows choose among baselines and their settings, but split.train_on_validation "
            "trains on them; name one baseline with one value of each setting",
        ),
    ],
)
def test_mistakes_are_named(changes, message):
    assert message_of(**changes) == message


def test_a_search_takes_one_baseline_with_one_setting():
    search = {"algorithm": "random", "samples": 2, "space": {"data.train_size": {"choice": [1000, 2000]}}}
    text = message_of(models={"ten": {"kind": "the_ten"}}, search=search)
    assert "models.ten: has 37 values, but a sample of a search is one trial" in text
