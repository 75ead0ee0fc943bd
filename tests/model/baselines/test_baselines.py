import itertools
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from sklearn import ensemble, linear_model, svm, tree
from sklearn.metrics import mean_absolute_error

from irnet_ray.config import validate
from irnet_ray.errors import ConfigurationError, TrainingError
from irnet_ray.model.baselines import BASELINES, THE_TEN, linear
from irnet_ray.model.baselines.fit import fit_and_predict
from irnet_ray.model.rows import Rows


def made(count, seed=0):
    generator = np.random.default_rng(seed)
    inputs = (generator.standard_normal((count, 5)) * [1, 10, 0.1, 1, 1] + [0, 5, 0, 0, 0]).astype(np.float32)
    return Rows(inputs, 100 + np.sin(inputs[:, 0].astype(np.float64)) * inputs[:, 1] + 2 * inputs[:, 3])


TRAIN, TEST = made(300), made(60, seed=1)


def predicted(baseline, train=TRAIN, test=TEST, **options):
    (prediction,) = fit_and_predict(baseline, train, [test.inputs], **{"seed": 4, **options}).predictions
    return prediction


def standardized(rows):
    """By the training rows, in double precision."""
    inputs = TRAIN.inputs.astype(np.float64)
    return (rows.inputs - inputs.mean(0)) / inputs.std(0)


MEAN, DEVIATION = TRAIN.target.mean(), TRAIN.target.std()
LEARNT = (TRAIN.target - MEAN) / DEVIATION
OF_TREES = {
    "decision_tree": (
        {"min_samples_leaf": 3, "max_features": 0.4},
        tree.DecisionTreeRegressor(min_samples_leaf=3, max_features=0.4, random_state=4),
    ),
    "ada_boost": (
        {"trees": 6, "max_depth": 2},
        ensemble.AdaBoostRegressor(tree.DecisionTreeRegressor(max_depth=2), n_estimators=6, random_state=4),
    ),
    "bagging": (
        {"trees": 6, "max_features": 0.6},
        ensemble.BaggingRegressor(n_estimators=6, max_features=0.6, random_state=4),
    ),
    "random_forest": (
        {"trees": 5, "max_features": 0.4, "min_samples_leaf": 3},
        ensemble.RandomForestRegressor(n_estimators=5, max_features=0.4, min_samples_leaf=3, random_state=4),
    ),
    "extra_trees": (
        {"trees": 5, "max_features": 0.4, "min_samples_leaf": 3},
        ensemble.ExtraTreesRegressor(n_estimators=5, max_features=0.4, min_samples_leaf=3, random_state=4),
    ),
    "gradient_boosting": (
        {"rounds": 20, "learning_rate": 0.2, "leaves": 7},
        ensemble.HistGradientBoostingRegressor(
            max_iter=20, learning_rate=0.2, max_leaf_nodes=7, early_stopping=False, random_state=4
        ),
    ),
}
OF_STANDARDIZED = {
    "elastic_net": (
        {"penalty": 0.01, "l1_fraction": 0.3},
        linear_model.ElasticNet(alpha=0.01, l1_ratio=0.3),
    ),
    "sgd": (
        {"loss": "huber", "penalty": 0.01},
        linear_model.SGDRegressor(loss="huber", alpha=0.01, eta0=0.001, random_state=4),
    ),
    "svm": (
        {"cost": 3.0, "kernel_scale": 0.5, "margin": 0.1},
        svm.SVR(C=3.0, gamma=0.5 / 5, epsilon=0.1),
    ),
}


def test_there_are_the_papers_ten_and_one_more():
    assert len(THE_TEN) == 10
    assert len(BASELINES) == 11
    assert BASELINES.keys() - {each.name() for each in THE_TEN} == {"gradient_boosting"}
    assert len({each.title for each in BASELINES.values()}) == 11


@pytest.mark.parametrize("name", OF_TREES)
def test_trees_are_scikit_learns_of_the_attributes_as_they_are(name):
    settings, estimator = OF_TREES[name]
    expected = estimator.fit(TRAIN.inputs, TRAIN.target).predict(TEST.inputs)
    np.testing.assert_allclose(predicted(BASELINES[name](**settings)), expected, rtol=1e-13)


@pytest.mark.parametrize("name", OF_STANDARDIZED)
def test_others_are_scikit_learns_of_standardized_attributes_and_property(name):
    settings, estimator = OF_STANDARDIZED[name]
    expected = estimator.fit(standardized(TRAIN), LEARNT).predict(standardized(TEST)) * DEVIATION + MEAN
    np.testing.assert_allclose(predicted(BASELINES[name](**settings)), expected, rtol=1e-6)


def test_linear_regression_is_least_squares():
    design = np.column_stack([TRAIN.inputs, np.ones(len(TRAIN))]).astype(np.float64)
    coefficients, *_ = np.linalg.lstsq(design, TRAIN.target, rcond=None)
    expected = np.column_stack([TEST.inputs, np.ones(len(TEST))]) @ coefficients
    np.testing.assert_allclose(predicted(BASELINES["linear_regression"]()), expected, rtol=1e-10)


def test_ridge_regression_is_its_closed_form():
    x, y = standardized(TRAIN), TRAIN.target - MEAN
    coefficients = np.linalg.solve(x.T @ x + 30 * np.eye(5), x.T @ y)
    expected = standardized(TEST) @ coefficients + MEAN
    np.testing.assert_allclose(predicted(BASELINES["ridge"](penalty=30)), expected, rtol=1e-10)


def test_linear_models_do_not_follow_an_attribute_far_out():
    far = Rows(TEST.inputs.copy(), TEST.target)
    at_the_limit = Rows(TEST.inputs.copy(), TEST.target)
    far.inputs[:, 2] = 1000
    column = TRAIN.inputs[:, 2].astype(np.float64)
    at_the_limit.inputs[:, 2] = column.mean() + 10 * column.std()
    ridge = BASELINES["ridge"]()
    np.testing.assert_allclose(predicted(ridge, test=far), predicted(ridge, test=at_the_limit), rtol=1e-6)


@pytest.mark.parametrize("name", BASELINES)
def test_every_setting_of_a_grid_learns(name):
    baseline = BASELINES[name]
    for values in itertools.product(*baseline.grid.values()):
        settings = dict(zip(baseline.grid, values, strict=True))
        settings = {**settings, **{key: 10 for key in ("trees", "rounds") if key in settings}}
        error = mean_absolute_error(TEST.target, predicted(baseline(**settings)))
        assert error < np.abs(TEST.target - TRAIN.target.mean()).mean(), settings


@pytest.mark.parametrize("name", BASELINES)
def test_a_seed_changes_what_is_random_and_nothing_else(name):
    settings = {"trees": 3, "max_features": 0.5, "rounds": 3}
    baseline = BASELINES[name](**{key: value for key, value in settings.items() if key in BASELINES[name].model_fields})
    one, again, other = (predicted(baseline, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(one, again)
    if name != "gradient_boosting":  # which draws only where it must subsample to find its bins
        assert np.array_equal(one, other) != baseline.is_random


@pytest.mark.parametrize("name", ["bagging", "random_forest", "extra_trees", "gradient_boosting"])
def test_the_number_of_cpus_does_not_change_the_outcome(name):
    settings = {"rounds": 5} if name == "gradient_boosting" else {"trees": 6}
    one, two = (predicted(BASELINES[name](**settings), cpus=cpus) for cpus in (1, 2))
    np.testing.assert_allclose(one, two, rtol=1e-13)  # trees are summed as they finish


@pytest.mark.parametrize(
    ("gigabytes", "container", "cores", "cpus", "expected"),
    [
        (2, None, 8, 1, 500),
        (16, None, 8, 1, 1000),
        (16, "max", 8, 2, 2000),
        (16, None, None, 1, 4000),
        (256, None, 2, 1, 4000),
        (256, "8000000000", 4, 1, 1000),
        (8, "256000000000", 4, 1, 1000),
    ],
)
def test_a_kernel_takes_half_of_the_memory_of_its_cores_within_bounds(
    monkeypatch, tmp_path, gigabytes, container, cores, cpus, expected
):
    limit = tmp_path / "memory.max"
    if container is not None:
        limit.write_text(f"{container}\n")
    monkeypatch.setattr(linear, "_CONTAINER_MEMORY", limit)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=gigabytes * 1e9))
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    estimator = BASELINES["svm"]().estimator(0, cpus)
    assert estimator.regressor.named_steps["svr"].cache_size == expected


def test_what_cannot_be_fitted_fails_with_its_name():
    endless = Rows(TRAIN.inputs, np.where(np.arange(300) == 7, np.inf, TRAIN.target))
    with pytest.raises(TrainingError, match=r"^ridge regression cannot be fitted: Input y contains infinity"):
        predicted(BASELINES["ridge"](), train=endless)


def test_several_parts_are_predicted_and_timed():
    tested = fit_and_predict(BASELINES["ridge"](), TRAIN, [TEST.inputs, TRAIN.inputs], seed=0)
    assert [len(each) for each in tested.predictions] == [60, 300]
    assert all(each.dtype == np.float64 for each in tested.predictions)
    assert tested.seconds > 0
    assert len(tested.predict_seconds) == 2


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("random_forest", {"tree": 5}, "unknown key 'tree'; did you mean 'trees'?"),
        ("random_forest", {"trees": 0}, "trees: input should be greater than or equal to 1, not 0"),
        ("random_forest", {"max_features": 1.1}, "max_features: input should be less than or equal to 1, not 1.1"),
        ("ridge", {"penalty": 0}, "penalty: input should be greater than 0, not 0"),
        ("sgd", {"loss": "hubert"}, "loss: unknown value 'hubert'; did you mean 'huber'?"),
    ],
)
def test_a_wrong_setting_is_refused(name, given, message):
    with pytest.raises(ConfigurationError) as caught:
        validate(BASELINES[name], given, "study.yaml")
    assert str(caught.value) == f"study.yaml: {message}"


def test_the_page_on_them_has_every_algorithm_with_its_settings_and_grid():
    page = (Path(__file__).parents[3] / "docs" / "baselines.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| `")
    ]
    assert {row[0].strip("`") for row in rows} == BASELINES.keys()
    for kind, _, settings, grid, inputs in rows:
        baseline = BASELINES[kind.strip("`")]
        names = [name.strip("` ") for name in settings.split(",") if name.strip()]
        assert names == [name for name in baseline.model_fields if name != "kind"]
        values = dict(zip(names, grid.split(";"), strict=True)) if names else {}
        for name, text in values.items():
            expected = baseline.grid.get(name, (baseline.model_fields[name].default,))
            written = [each.strip() for each in text.split(",")]
            if name == "loss":
                assert written == ["squared error", "Huber"]
            else:
                assert tuple(float(each) for each in written) == expected
        assert inputs.startswith("standardized") == baseline.in_double
