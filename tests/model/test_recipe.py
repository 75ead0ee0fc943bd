import math

import pytest
from pydantic import ValidationError

from irnet_ray.config import validate
from irnet_ray.errors import ConfigurationError
from irnet_ray.model.recipe import RECIPES, Recipe


def complaint(given):
    with pytest.raises(ConfigurationError) as caught:
        validate(Recipe, given, "study.yaml")
    return str(caught.value)


def test_the_paper_recipe_has_the_values_of_the_paper():
    recipe = Recipe(base="paper")
    assert (recipe.optimizer, recipe.learning_rate, recipe.schedule) == ("adam", 1e-4, "constant")
    assert (recipe.batch_size, recipe.loss, recipe.patience) == (32, "mae", 200)
    assert recipe.weight_decay == 0
    assert recipe.batch_norm_momentum == pytest.approx(1 - 0.999)
    assert recipe.batch_norm_epsilon == 1e-3
    assert not recipe.standardize_target


def test_the_fast_recipe_keeps_the_papers_loss():
    recipe = Recipe(base="fast")
    assert recipe.loss == "mae"
    assert recipe.batch_norm_epsilon == 1e-3
    assert (recipe.schedule, recipe.patience) == ("one_cycle", None)
    assert recipe.standardize_target


def test_the_best_recipe_leaves_nothing_for_validation_rows_to_choose():
    recipe = Recipe(base="best")
    assert (recipe.keep, recipe.patience) == ("last", None)
    assert recipe.optimizer == "adamw"
    assert recipe.weight_decay > 0


@pytest.mark.parametrize("base", RECIPES)
def test_a_recipe_is_written_as_its_name(base):
    assert validate(Recipe, base, "") == Recipe(base=base)
    assert {"base": base, **RECIPES[base]} == Recipe(base=base).model_dump()
    assert Recipe(base=base).label == base


def test_what_is_given_replaces_the_base_and_nothing_else():
    recipe = validate(Recipe, {"base": "paper", "epochs": 20, "patience": None}, "")
    assert recipe.model_dump() == {"base": "paper", **RECIPES["paper"], "epochs": 20, "patience": None}


def test_without_a_base_the_recipe_is_fast():
    assert validate(Recipe, {"epochs": 7}, "") == Recipe(base="fast", epochs=7)


def test_the_label_names_what_differs_from_the_base():
    assert Recipe(base="fast", epochs=20).label == "fast(epochs=20)"
    assert Recipe(base="fast", epochs=20, loss="mse").label == "fast(loss=mse, epochs=20)"
    assert Recipe(base="paper", learning_rate=1e-4).label == "paper"


def test_a_recipe_survives_being_written_and_read():
    recipe = Recipe(base="fast", epochs=20, patience=3)
    assert validate(Recipe, recipe.model_dump(mode="json"), "") == recipe


def test_a_recipe_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Recipe(base="fast").epochs = 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("fsat", "study.yaml: unknown recipe 'fsat'; did you mean 'fast'?"),
        ("xyz", "study.yaml: unknown recipe 'xyz'; choose from best, fast, paper"),
        ({"base": "papper"}, "unknown recipe 'papper'; did you mean 'paper'?"),
        ({"base": ["fast", "paper"]}, "unknown recipe '['fast', 'paper']'; choose from best, fast, paper"),
        ({"base": None}, "unknown recipe 'None'"),
        ({"epoch": 3}, "unknown key 'epoch'; did you mean 'epochs'?"),
        ({"learning-rate": 3}, "unknown key 'learning-rate'; did you mean 'learning_rate'?"),
        ({"optimizer": "adamm"}, "optimizer: unknown value 'adamm'; did you mean 'adam'?"),
        ({"schedule": "one-cycle"}, "schedule: unknown value 'one-cycle'; did you mean 'one_cycle'?"),
        ({"loss": "l1"}, "loss: unknown value 'l1'; choose from mae, mse"),
        ({"learning_rate": 0}, "learning_rate: input should be greater than 0, not 0"),
        ({"learning_rate": math.nan}, "learning_rate: input should be"),
        ({"learning_rate": math.inf}, "learning_rate: input should be"),
        ({"batch_size": 1}, "batch_size: input should be greater than or equal to 2, not 1"),
        ({"epochs": 0}, "epochs: input should be greater than or equal to 1, not 0"),
        ({"epochs": 2.5}, "epochs: input should be a valid integer"),
        (
            {"keep": "last", "patience": 5},
            "'patience' waits for a better epoch, but 'keep' is last; set one of them otherwise",
        ),
        ({"patience": 0}, "patience: input should be greater than or equal to 1, not 0"),
        ({"weight_decay": -1}, "weight_decay: input should be greater than or equal to 0, not -1"),
        ({"batch_norm_momentum": 0}, "batch_norm_momentum: input should be greater than 0, not 0"),
        ({"batch_norm_momentum": 1.5}, "batch_norm_momentum: input should be less than or equal to 1, not 1.5"),
        ({"batch_norm_epsilon": 0}, "batch_norm_epsilon: input should be greater than 0, not 0"),
        ({"epochs": 0, "batch_size": 0}, "(and 1 more)"),
    ],
)
def test_a_mistake_names_the_field_and_the_repair(given, message):
    said = complaint(given)
    assert said.startswith("study.yaml: ")
    assert message in said
    assert "\n" not in said
