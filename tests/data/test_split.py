import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from irnet_ray.config import validate
from irnet_ray.data.split import SplitPlan, sizes, split
from irnet_ray.errors import ConfigurationError

PARTS = ("train", "validation", "test")
distinct = [f"A{number}" for number in range(1000)]
repeated = st.lists(st.sampled_from(distinct[:30]), min_size=3, max_size=200).filter(lambda names: len(set(names)) > 2)
plans = st.builds(
    SplitPlan,
    protocol=st.sampled_from(["holdout", "paper"]),
    test_fraction=st.floats(0.01, 0.9),
    validation_fraction=st.floats(0.01, 0.9),
    seed=st.integers(0, 5),
)


@given(repeated, plans)
def test_every_row_stands_in_one_part_and_no_composition_in_two(formulas, plan):
    made = split(formulas, plan)
    parts = [made.train, made.test] if plan.validation_is_test else [made.train, made.validation, made.test]
    assert sorted(np.concatenate(parts)) == list(range(len(formulas)))
    compositions = [{formulas[row] for row in part} for part in parts]
    assert all(compositions)
    assert sum(map(len, compositions)) == len(set(formulas))


@given(st.integers(3, 400), plans)
def test_sizes_are_predicted_where_compositions_are_distinct(rows, plan):
    made = split([str(row) for row in range(rows)], plan)
    assert sizes(rows, plan) == (len(made.train), len(made.validation), len(made.test))


@given(st.integers(3, 300), plans, st.data())
def test_subsets_are_nested_and_their_sizes_predicted(rows, plan, data):
    made = split([str(row) for row in range(rows)], plan)
    small, large = sorted(data.draw(st.tuples(*[st.integers(1, len(made.train))] * 2)))
    inner, outer = made.subset(small), made.subset(large)
    assert inner.train.tolist() == outer.train[:small].tolist()
    assert inner.validation.tolist() == outer.validation[: len(inner.validation)].tolist()
    assert inner.test.tolist() == made.test.tolist()
    assert sizes(rows, plan, small) == tuple(len(getattr(inner, part)) for part in PARTS)


def test_groups_that_repeat_come_near_the_asked_fractions():
    formulas = [f"A{row // 3}" for row in range(3000)]
    made = split(formulas, SplitPlan(test_fraction=0.2, validation_fraction=0.25))
    for part, expected in zip(PARTS, (1800, 600, 600), strict=True):
        assert abs(len(getattr(made, part)) - expected) <= 3


def test_the_default_is_nine_to_one_twice():
    assert sizes(1000, SplitPlan()) == (810, 90, 100)
    assert sizes(341_594, SplitPlan()) == (276_691, 30_744, 34_159)


def test_a_seed_decides_the_split():
    first, same, other = (split(distinct, SplitPlan(seed=seed)) for seed in (1, 1, 2))
    assert all((getattr(first, part) == getattr(same, part)).all() for part in PARTS)
    assert set(first.test) != set(other.test)


def test_a_prefix_of_the_training_rows_is_a_random_subset():
    train = split(distinct, SplitPlan()).train
    assert abs(np.mean(train[:200]) - np.mean(train)) < 5 * np.std(train) / np.sqrt(200)
    assert train[:200].tolist() != sorted(train[:200])


def test_validation_shrinks_with_the_training_rows():
    made = split(distinct, SplitPlan(validation_fraction=0.2))
    assert len(made.validation) == 180
    assert len(made.subset(400).validation) == 100
    assert len(made.subset(1).validation) == 1
    assert made.subset(None) is made


def test_the_paper_validates_on_the_test_set_and_says_so():
    plan = SplitPlan(protocol="paper")
    made = split(distinct, plan)
    assert plan.validation_is_test
    assert made.validation_is_test
    assert made.validation.tolist() == made.test.tolist()
    assert len(made.train) == 900
    assert made.subset(10).validation.tolist() == made.test.tolist()


def test_the_paper_and_holdout_test_on_the_same_rows():
    assert set(split(distinct, SplitPlan(protocol="paper")).test) == set(split(distinct, SplitPlan()).test)
    assert not SplitPlan().validation_is_test


def test_a_published_split_is_taken_as_it_is():
    published = np.array(["train", "test", "validation", "train", "train"])
    made = split(distinct[:5], SplitPlan(protocol="published", seed=3), published)
    assert set(made.train) == {0, 3, 4}
    assert (made.validation.tolist(), made.test.tolist()) == ([2], [1])
    assert made.subset(1).validation.tolist() == [2]


def test_published_sizes_are_predicted_nearly():
    assert sizes(341_700, SplitPlan(protocol="published")) == (239_190, 51_255, 51_255)


@pytest.mark.parametrize("protocol", ["holdout", "paper", "published"])
def test_too_many_training_rows_are_refused_with_the_number_there_is(protocol):
    plan = SplitPlan(protocol=protocol)
    published = np.array(["train"] * 700 + ["validation"] * 150 + ["test"] * 150)
    made = split(distinct, plan, published)
    there_are = f"5,000 asked, but the split has {len(made.train):,} training rows"
    with pytest.raises(ConfigurationError, match=there_are):
        made.subset(5000)
    with pytest.raises(ConfigurationError, match=there_are):
        sizes(1000, plan, 5000)
    with pytest.raises(ConfigurationError, match="0 asked"):
        made.subset(0)


def test_what_cannot_be_split_is_refused():
    with pytest.raises(ConfigurationError, match="no published split; choose holdout or paper"):
        split(distinct, SplitPlan(protocol="published"))
    with pytest.raises(ConfigurationError, match="2 different compositions cannot be split"):
        split(["NaCl", "MgO", "NaCl"], SplitPlan())


@pytest.mark.parametrize("given_field", [{"test_fraction": 0}, {"validation_fraction": 1}, {"seed": -1}])
def test_a_plan_out_of_bounds_is_refused(given_field):
    with pytest.raises(ValidationError):
        SplitPlan(**given_field)


def test_validation_rows_are_learnt_from_on_request():
    formulas = [f"NaCl{number}" for number in range(1, 101)]
    plain, merged = (split(formulas, SplitPlan(train_on_validation=value)) for value in (False, True))
    np.testing.assert_array_equal(plain.learnt, plain.train)
    np.testing.assert_array_equal(merged.train, plain.train)
    small = merged.subset(20)
    for each in (merged, small):
        assert set(each.learnt) == set(each.train) | set(each.validation)
        assert not set(each.learnt) & set(each.test)


def test_learnt_validation_rows_count_as_training_rows():
    plan = SplitPlan(protocol="published", train_on_validation=True)
    assert sizes(1000, plan) == (850, 150, 150)
    assert sizes(1000, plan, 400) == (550, 150, 150)


def test_test_rows_are_never_learnt_from():
    with pytest.raises(ConfigurationError, match="'train_on_validation' would train on the test rows"):
        validate(SplitPlan, {"protocol": "paper", "train_on_validation": True}, "split")
