import numpy as np
import pytest

from irnet_ray.report import learning_curve
from irnet_ray.report.learning_curve import fit_learning_curve

SIZES = [1000, 3000, 10_000, 30_000, 100_000, 300_000]


def law(rows, floor, scale, exponent):
    return floor + scale * np.power(np.asarray(rows, dtype=float), -exponent)


@pytest.mark.parametrize(("floor", "exponent"), [(0.03, 0.4), (0.0, 0.25), (0.01, 0.6)])
def test_a_law_without_noise_is_found(floor, exponent):
    errors = law(SIZES, floor, 3.0, exponent)
    curve = fit_learning_curve(SIZES, errors, [1e-6] * 6)
    assert curve.exponent == pytest.approx(exponent, rel=0.02)
    assert curve.floor == pytest.approx(floor, abs=2e-3)
    for rows in (2000, 20_000, 600_000):
        assert curve.at(rows)[0] == pytest.approx(float(law(rows, floor, 3.0, exponent)), rel=0.01)


def test_two_sizes_give_a_straight_line():
    curve = fit_learning_curve([100, 10_000], [1.0, 0.1], [0.01, 0.01])
    assert (curve.floor, curve.exponent) == (0, pytest.approx(0.5))
    assert curve.at(1_000_000)[0] == pytest.approx(0.01)


def test_an_error_that_is_left_out_is_held_where_the_law_does_not_hold():
    """Recipes change with the rows: the law has a kink, and deviations over seeds explain nothing of it."""
    errors = law(SIZES, 0.0, 3.0, 0.25) * np.array([1.0, 1.0, 1.06, 1.06, 0.97, 0.94])
    for left_out in range(1, 5):
        kept = [each for each in range(6) if each != left_out]
        curve = fit_learning_curve([SIZES[each] for each in kept], errors[kept], [0.003] * 5)
        _, low, high = curve.at(SIZES[left_out])
        assert low <= errors[left_out] <= high


def test_errors_that_do_not_fall_are_taken_as_flat():
    curve = fit_learning_curve([100, 1000], [0.1, 0.2], [0.01, 0.01])
    assert 0.1 < curve.at(10_000)[0] < 0.2
    assert curve.exponent == 0


def test_intervals_hold_the_truth_as_often_as_they_say_and_widen_beyond_the_sizes(monkeypatch):
    monkeypatch.setattr(learning_curve, "_DRAWS", 60)  # fewer, for speed
    generator = np.random.default_rng(2)
    held = {20_000: 0, 600_000: 0}
    widths = dict.fromkeys(held, 0.0)
    trials = 40
    for _ in range(trials):
        noisy = law(SIZES, 0.02, 2.0, 0.35) * np.exp(0.02 * generator.standard_normal(6))
        curve = fit_learning_curve(SIZES, noisy, [0.02] * 6)
        for rows in held:
            _, low, high = curve.at(rows)
            held[rows] += low <= law(rows, 0.02, 2.0, 0.35) <= high
            widths[rows] += np.log(high / low) / trials
    assert all(count >= 0.85 * trials for count in held.values())
    assert widths[600_000] > 1.5 * widths[20_000]
