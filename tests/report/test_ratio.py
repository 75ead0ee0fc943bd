import numpy as np
import pytest

from irnet_ray.report.ratio import quantile_ratio_of, ratio_of, ratio_of_means


def drawn(generator, *, rows, seeds, effect, row_noise, seed_noise):
    """Errors of two models: rows hard for both, rows harder for one, and better and worse trainings."""
    hard = generator.exponential(size=rows)
    below, above = (hard * generator.lognormal(0, row_noise, rows) for _ in range(2))
    trainings = generator.lognormal(0, seed_noise, (2, seeds))
    above = above * effect
    return (
        {seed: above * trainings[0, seed] for seed in range(seeds)},
        {seed: below * trainings[1, seed] for seed in range(seeds)},
    )


@pytest.mark.parametrize(
    ("seeds", "row_noise", "seed_noise"),
    [(3, 0.5, 0.01), (3, 0.05, 0.05), (3, 0.5, 0.05), (5, 0.3, 0.03), (10, 0.5, 0.02)],
)
def test_the_interval_holds_the_truth_as_often_as_it_says(seeds, row_noise, seed_noise):
    generator = np.random.default_rng(0)
    trials = 1500
    held = 0
    for _ in range(trials):
        above, below = drawn(generator, rows=400, seeds=seeds, effect=1.3, row_noise=row_noise, seed_noise=seed_noise)
        ratio = ratio_of(above, below)
        held += ratio.low <= 1.3 <= ratio.high
    assert 0.935 < held / trials < 0.985


def test_the_interval_is_paired_and_as_wide_as_theory_has_it():
    generator = np.random.default_rng(3)
    below = generator.exponential(size=2000)
    above = 1.5 * below + 0.2 * generator.standard_normal(2000)
    ratio = ratio_of({0: above}, {0: below})
    deviation = np.std(above - ratio.effect * below) / below.mean() / np.sqrt(2000)
    assert ratio.high - ratio.low == pytest.approx(2 * 1.96 * deviation, rel=0.01)


def test_the_interval_is_that_of_a_bootstrap_over_rows():
    generator = np.random.default_rng(5)
    above, below = generator.exponential(1.2, 3000), generator.exponential(1.0, 3000)
    draws = generator.integers(3000, size=(2000, 3000))
    low, high = np.percentile(above[draws].mean(1) / below[draws].mean(1), [2.5, 97.5])
    ratio = ratio_of({0: above}, {0: below})
    assert (ratio.low, ratio.high) == pytest.approx((low, high), rel=0.01)


def test_seeds_that_differ_widen_the_interval_as_students_does():
    rows = np.full(100, 1.0)
    below = dict.fromkeys(range(3), rows)
    ratio = ratio_of({0: rows * np.exp(0.1), 1: rows * np.exp(0.2), 2: rows * np.exp(0.3)}, below)
    assert np.log([ratio.low, ratio.high]) - np.log(ratio.effect) == pytest.approx(
        np.array([-1, 1]) * 4.302653 * 0.1 / np.sqrt(3)
    )
    assert ratio.by_seed == pytest.approx({0: np.exp(0.1), 1: np.exp(0.2), 2: np.exp(0.3)})
    assert ratio.row_deviation == 0


def test_a_model_that_was_trained_once_is_compared_with_every_seed_of_the_other():
    rows = np.linspace(1, 2, 50)
    once = {7: rows}
    thrice = {0: rows, 1: 2 * rows, 2: 4 * rows}
    assert ratio_of(thrice, once).by_seed == pytest.approx({0: 1, 1: 2, 2: 4})
    assert ratio_of(once, thrice).by_seed == pytest.approx({0: 1, 1: 0.5, 2: 0.25})


def test_only_seeds_that_both_have_are_paired():
    rows = np.linspace(1, 2, 50)
    ratio = ratio_of({0: rows, 1: rows, 2: rows}, {1: rows, 2: rows, 3: rows})
    assert list(ratio.by_seed) == [1, 2]
    assert (ratio.effect, ratio.low, ratio.high) == (1, 1, 1)


def test_the_interval_of_a_quantiles_ratio_is_that_of_a_bootstrap_over_rows():
    generator = np.random.default_rng(7)
    hard = generator.exponential(size=4000)
    above, below = (hard * generator.lognormal(0.0, 0.4, 4000) * factor for factor in (1.1, 1.0))
    draws = generator.integers(4000, size=(1500, 4000))
    ratios = np.quantile(above[draws], 0.9, axis=1) / np.quantile(below[draws], 0.9, axis=1)
    ratio = quantile_ratio_of({0: above}, {0: below}, 0.9)
    assert ratio.effect == pytest.approx(np.quantile(above, 0.9) / np.quantile(below, 0.9))
    assert ratio.row_deviation == pytest.approx(np.log(ratios).std(), rel=0.15)


def test_a_quantiles_ratio_varies_with_seeds_as_a_means_does():
    rows = np.linspace(0, 1, 1001)
    above = {seed: rows * np.exp(0.1 * seed) for seed in range(3)}
    ratio = quantile_ratio_of(above, dict.fromkeys(range(3), rows), 0.9)
    assert ratio.by_seed == pytest.approx({0: 1, 1: np.exp(0.1), 2: np.exp(0.2)})
    assert ratio.seed_deviation == pytest.approx(0.1 / np.sqrt(3))


def test_times_vary_with_seeds_alone():
    ratio = ratio_of_means({0: 1.0, 1: 2.0, 2: 4.0}, {5: 1.0})
    assert ratio.effect == pytest.approx(7 / 3)
    assert ratio.row_deviation == 0
    assert ratio.seed_deviation == pytest.approx(np.log(2) / np.sqrt(3))


def test_rows_of_one_composition_count_once():
    generator = np.random.default_rng(7)
    above, below = ({seed: generator.exponential(size=300) for seed in range(3)} for _ in range(2))
    once = ratio_of(above, below)
    compositions = generator.permutation(np.repeat(np.arange(300), 4))
    copied = [{seed: errors[compositions] for seed, errors in model.items()} for model in (above, below)]
    together = ratio_of(*copied, compositions)
    assert (together.effect, together.low, together.high) == pytest.approx((once.effect, once.low, once.high))
    assert ratio_of(*copied).row_deviation == pytest.approx(once.row_deviation / 2, rel=0.01)
    assert ratio_of(above, below, np.arange(300)) == once
    assert ratio_of(above, below, np.zeros(300, dtype=int)) == once  # nothing else tells how much rows differ


def test_quantiles_know_compositions_as_means_do():
    generator = np.random.default_rng(8)
    above, below = ({0: generator.exponential(size=2000)} for _ in range(2))
    compositions = np.repeat(np.arange(2000), 4)
    copied = [{0: model[0][compositions]} for model in (above, below)]
    once, together = quantile_ratio_of(above, below, 0.9), quantile_ratio_of(*copied, 0.9, compositions)
    assert together.row_deviation == pytest.approx(once.row_deviation, rel=0.2)
    assert quantile_ratio_of(*copied, 0.9).row_deviation == pytest.approx(together.row_deviation / 2, rel=0.01)
