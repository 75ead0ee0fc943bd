import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from irnet_ray.model.metrics import evaluate

numbers = st.floats(-1e3, 1e3).map(lambda value: round(value, 3))
pairs = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=50).filter(
    lambda rows: len({t for t, _ in rows}) > 1
)


@given(pairs.filter(lambda rows: len({true for true, _ in rows}) > 1))
def test_the_metrics_are_those_of_scikit_learn_and_numpy(rows):
    target, prediction = np.array(rows).T
    found = evaluate(target, prediction)
    assert found.mae == pytest.approx(mean_absolute_error(target, prediction))
    assert found.rmse == pytest.approx(root_mean_squared_error(target, prediction))
    assert found.r2 == pytest.approx(r2_score(target, prediction), rel=1e-6, abs=1e-9)
    assert found.p90 == pytest.approx(np.quantile(abs(target - prediction), 0.9))


def test_the_metrics_of_a_case_worked_by_hand():
    found = evaluate([0, 1, 2, 3], [1, 1, 2, 1])
    assert (found.mae, found.r2) == (0.75, 1 - 5 / 5)
    assert found.rmse == pytest.approx(math.sqrt(5 / 4))
    assert found.p90 == pytest.approx(1 + 0.7)


def test_a_perfect_prediction_has_no_error():
    found = evaluate([1.5, -2], [1.5, -2])
    assert (found.mae, found.rmse, found.r2, found.p90) == (0, 0, 1, 0)


@pytest.mark.parametrize("target", [[0.0, 0.0, 0.0], [0.1] * 3, [0.1] * 10, [-7.3]])
def test_a_constant_target_has_no_r2(target):
    found = evaluate(target, [value + 1 for value in target])
    assert math.isnan(found.r2)
    assert found.mae == pytest.approx(1)


def test_single_precision_is_compared_in_double_precision():
    target = np.full(100_000, 0.1, dtype=np.float32)
    prediction = target + np.float32(0.2)
    exact = abs(prediction.astype(np.float64) - target.astype(np.float64)).mean()
    assert evaluate(target, prediction).mae == pytest.approx(exact, rel=1e-12)


def test_a_prediction_that_is_not_a_number_is_not_hidden():
    assert math.isnan(evaluate([0.0, 1.0], [0.0, math.nan]).mae)
