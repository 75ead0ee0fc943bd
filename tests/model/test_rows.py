import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from irnet_ray.model import rows
from irnet_ray.model.rows import Rows, Standardization


def columns(count, seed=0):
    """Columns of very different place and spread, single precision."""
    values = np.random.default_rng(seed).standard_normal((count, 5))
    return (values * [1, 1e-3, 1e4, 5, 1e-8] + [0, 2, -3e4, 900, 0]).astype(np.float32)


@pytest.mark.parametrize("count", [2, 300, 16_384, 16_385, 40_000])
def test_standardization_is_that_of_scikit_learn(count):
    values, others = columns(count), columns(100, seed=1)
    measured, scaler = Standardization.of(values), StandardScaler().fit(values.astype(np.float64))
    np.testing.assert_allclose(measured.mean, scaler.mean_, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(measured.scale, scaler.scale_, rtol=1e-9)
    for each in (values, others):
        expected = scaler.transform(each.astype(np.float64))
        np.testing.assert_allclose(measured.apply(each), expected, rtol=1e-6, atol=1e-6)


def test_what_was_measured_is_centred_with_unit_deviation():
    values = columns(20_000)
    standardized = Standardization.of(values).apply(values).astype(np.float64)
    np.testing.assert_allclose(standardized.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(standardized.std(axis=0), 1, atol=1e-6)


def test_single_precision_in_and_out_double_precision_between():
    # Summed in single precision, the mean of these would be off by more than their deviation.
    values = (np.float32(10_000) + np.random.default_rng(0).standard_normal((50_000, 1))).astype(np.float32)
    measured = Standardization.of(values)
    assert measured.mean.dtype == measured.scale.dtype == np.float64
    assert measured.mean[0] == pytest.approx(values.astype(np.float64).mean(), rel=1e-12)
    assert measured.apply(values).dtype == np.float32


def test_a_constant_column_is_only_shifted():
    values = np.array([[3.0, 0.0, -7e5], [3.0, 0.0, -7e5]], dtype=np.float32)
    measured = Standardization.of(values)
    assert measured.scale.tolist() == [1, 1, 1]
    assert measured.apply(values + np.float32([0, 2, 0])).tolist() == [[0, 2, 0], [0, 2, 0]]


def test_a_single_row_is_constant():
    assert Standardization.of(columns(1)).apply(columns(1)).tolist() == [[0] * 5]


def test_rounding_of_single_precision_is_no_variation():
    values = np.full((1000, 2), 0.1, dtype=np.float32)
    values[::2, 0] = np.nextafter(np.float32(0.1), np.float32(1))
    values[::2, 1] += np.float32(1e-5)
    measured = Standardization.of(values)
    assert measured.scale[0] == 1
    assert measured.scale[1] == pytest.approx(5e-6, rel=0.01)


def test_small_values_around_zero_do_vary():
    values = np.array([[-1e-20], [1e-20]], dtype=np.float32)
    np.testing.assert_allclose(Standardization.of(values).apply(values), [[-1], [1]], rtol=1e-6)


def test_values_beyond_the_limit_are_set_to_it():
    values = np.array([[-1.0], [1.0]], dtype=np.float32)
    far = np.array([[-1e9], [-10.5], [-9.5], [9.5], [10.5], [np.inf]], dtype=np.float32)
    assert Standardization.of(values, 10).apply(far)[:, 0].tolist() == [-10, -10, -9.5, 9.5, 10, 10]
    assert Standardization.of(values).apply(far[:-1]).tolist() == far[:-1].tolist()


def test_a_missing_value_stays_missing():
    values = np.array([[np.nan], [5.0]], dtype=np.float32)
    assert np.isnan(Standardization(np.zeros(1), np.ones(1), 10).apply(values)[:, 0]).tolist() == [True, False]


def test_the_identity_changes_nothing():
    values = columns(10)
    np.testing.assert_array_equal(Standardization.identity(5).apply(values), values)


def test_double_precision_copies_are_bounded(monkeypatch):
    sizes, square = [], np.square
    monkeypatch.setattr(rows.np, "square", lambda block: sizes.append(len(block)) or square(block))
    values = columns(40_000)
    Standardization.of(values)
    assert sizes == [4096] * 9 + [40_000 - 9 * 4096]


def test_the_size_of_the_chunks_does_not_matter(monkeypatch):
    values = columns(1000)
    whole = Standardization.of(values)
    monkeypatch.setattr(rows, "_ROWS_AT_A_TIME", 7)
    parts = Standardization.of(values)
    np.testing.assert_allclose(parts.scale, whole.scale, rtol=1e-12)
    np.testing.assert_array_equal(whole.apply(values), Standardization(whole.mean, whole.scale).apply(values))
    np.testing.assert_allclose(parts.apply(values), whole.apply(values), rtol=1e-6, atol=1e-6)


def test_what_is_standardized_is_left_as_it_was():
    values = columns(50)
    before = values.copy()
    Standardization.of(values, 1.0).apply(values)
    np.testing.assert_array_equal(values, before)


def test_taking_rows_keeps_inputs_and_target_together():
    all_rows = Rows(columns(10), np.arange(10.0))
    taken = all_rows.take(np.array([7, 2, 2]))
    assert (len(all_rows), len(taken)) == (10, 3)
    assert taken.target.tolist() == [7, 2, 2]
    np.testing.assert_array_equal(taken.inputs, all_rows.inputs[[7, 2, 2]])
