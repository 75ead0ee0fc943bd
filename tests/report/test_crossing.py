import math

import numpy as np
import pytest

from irnet_ray.report.crossing import crossing_of

SIZES = [1000, 10_000, 100_000]
MANY = [1000] * 3


def test_the_crossing_lies_on_the_line_between_two_sizes():
    crossing = crossing_of(SIZES, [1.2, 1.1, 1 / 1.1], [0] * 3, [0] * 3, MANY)
    assert crossing.rows == pytest.approx(math.sqrt(10) * 10_000)
    assert crossing.low == crossing.high == pytest.approx(crossing.rows)
    assert str(crossing) == "32,000 training rows (95% interval 32,000 to 32,000)"


@pytest.mark.parametrize(
    ("ratios", "rows", "text"),
    [
        ([0.9, 0.8, 0.7], 0, "fewer than 1,000 training rows (95% interval fewer than 1,000 to fewer than 1,000)"),
        (
            [1.2, 0.9, 1.1],
            math.inf,
            "more than 100,000 training rows (95% interval more than 100,000 to more than 100,000)",
        ),
    ],
)
def test_a_crossing_beyond_the_sizes_is_named_as_such(ratios, rows, text):
    crossing = crossing_of(SIZES, ratios, [0.001] * 3, [0.001] * 3, MANY)
    assert crossing.rows == rows
    assert str(crossing) == text


def test_the_last_crossing_counts():
    assert crossing_of(SIZES, [0.9, 1.1, 0.9], [0] * 3, [0] * 3, MANY).rows > 10_000


@pytest.mark.parametrize(("of_rows", "of_seeds"), [(0.03, 0.005), (0.005, 0.03), (0.02, 0.02)])
def test_the_interval_holds_the_truth_as_often_as_it_says(of_rows, of_seeds):
    generator = np.random.default_rng(1)
    sizes = [1000, 3000, 10_000, 30_000, 100_000]
    truth = -0.1 * (np.log(sizes) - np.log(15_000))
    held = 0
    for _ in range(150):
        noise = of_rows * generator.standard_normal() + of_seeds * generator.standard_normal(5)
        crossing = crossing_of(sizes, np.exp(truth + noise), [of_rows] * 5, [of_seeds] * 5, [1000] * 5)
        held += crossing.low <= 15_000 <= crossing.high
    assert held >= 135


def test_the_interval_holds_the_truth_where_three_seeds_tell_how_much_they_vary_and_sizes_differ_in_it():
    generator = np.random.default_rng(2)
    sizes, of_seeds = [1000, 3000, 10_000, 30_000, 100_000], np.array([0.1, 0.05, 0.02, 0.01, 0.005])
    truth = -0.1 * (np.log(sizes) - np.log(4000))
    held = 0
    for _ in range(150):
        seeds = truth + of_seeds * generator.standard_normal((3, 5))
        deviations = seeds.std(axis=0, ddof=1) / math.sqrt(3)
        crossing = crossing_of(sizes, np.exp(seeds.mean(axis=0)), [0.0] * 5, deviations, [2] * 5)
        held += crossing.low <= 4000 <= crossing.high
    assert held >= 138


def test_bounds_say_what_the_sizes_leave_open():
    assert crossing_of(SIZES, [0.9] * 3, [0] * 3, [0] * 3, MANY).bounds() == (0, 1000)
    assert crossing_of(SIZES, [1.1] * 3, [0] * 3, [0] * 3, MANY).bounds() == (100_000, math.inf)
