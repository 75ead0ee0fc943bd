import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from irnet_ray.config import validate
from irnet_ray.errors import ConfigurationError
from irnet_ray.model.baselines import ForestSettings, fit_forest
from irnet_ray.model.metrics import evaluate
from irnet_ray.model.rows import Rows


def made(count, seed=0):
    inputs = np.random.default_rng(seed).standard_normal((count, 5)).astype(np.float32)
    return Rows(inputs, 100 + np.sin(inputs[:, 0].astype(np.float64)) * inputs[:, 1])


@pytest.mark.parametrize(
    ("settings", "same"),
    [
        (ForestSettings(trees=7), {"n_estimators": 7}),
        (
            ForestSettings(trees=5, max_features=0.4, min_samples_leaf=3),
            {"n_estimators": 5, "max_features": 0.4, "min_samples_leaf": 3},
        ),
    ],
)
def test_the_forest_is_scikit_learns(settings, same):
    train, test = made(120), made(40, seed=1)
    expected = RandomForestRegressor(random_state=4, **same).fit(train.inputs, train.target).predict(test.inputs)
    np.testing.assert_array_equal(fit_forest(settings, train, seed=4).predict(test.inputs), expected)


def test_the_settings_of_scikit_learn_are_the_default():
    default = RandomForestRegressor().get_params()
    settings = ForestSettings()
    assert (settings.trees, settings.max_features, settings.min_samples_leaf) == (
        default["n_estimators"],
        default["max_features"],
        default["min_samples_leaf"],
    )


def test_the_number_of_cpus_does_not_change_the_forest():
    train, settings = made(120), ForestSettings(trees=6)
    one, two = (fit_forest(settings, train, seed=0, cpus=cpus).predict(train.inputs) for cpus in (1, 2))
    # Trees are summed as they finish: only the last bit may differ.
    np.testing.assert_allclose(one, two, rtol=1e-13)


def test_another_seed_grows_another_forest():
    train, settings = made(120), ForestSettings(trees=3)
    one, same, other = (fit_forest(settings, train, seed=seed).predict(train.inputs) for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_predictions_are_in_the_unit_of_the_property():
    fitted, test = fit_forest(ForestSettings(trees=30), made(600), seed=0), made(200, seed=1)
    predictions = fitted.predict(test.inputs)
    assert predictions.dtype == np.float64
    assert predictions.shape == (200,)
    assert evaluate(test.target, predictions).r2 > 0.7
    assert fitted.seconds > 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tree": 5}, "unknown key 'tree'; did you mean 'trees'?"),
        ({"trees": 0}, "trees: input should be greater than or equal to 1, not 0"),
        ({"max_features": 0}, "max_features: input should be greater than 0, not 0"),
        ({"max_features": 1.1}, "max_features: input should be less than or equal to 1, not 1.1"),
        ({"min_samples_leaf": 0}, "min_samples_leaf: input should be greater than or equal to 1, not 0"),
    ],
)
def test_a_wrong_setting_is_refused(given, message):
    with pytest.raises(ConfigurationError) as caught:
        validate(ForestSettings, given, "study.yaml")
    assert str(caught.value) == f"study.yaml: {message}"
