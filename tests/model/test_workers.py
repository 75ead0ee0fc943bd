import itertools

import numpy as np
import pytest
import torch
from worker_group import IRNET, made, scenarios, together, trained

from irnet_ray.errors import ConfigurationError
from irnet_ray.model.batches import Batches, shard_size, shard_start
from irnet_ray.model.fit import fit
from irnet_ray.model.metrics import evaluate
from irnet_ray.model.recipe import Recipe
from irnet_ray.model.rows import Standardization
from irnet_ray.model.training import Training
from irnet_ray.model.workers import ALONE

RECIPE = Recipe(base="fast", epochs=8, batch_size=32, learning_rate=5e-3)
TRAIN, VALIDATION = made(201, 0), made(41, 1)


@pytest.fixture(scope="module")
def ranks():
    """What each of two processes came to, by scenario."""
    return together(2, scenarios, RECIPE, TRAIN, VALIDATION)


@pytest.fixture(scope="module")
def first(ranks):
    return ranks[0]


def weights(outcome):
    return torch.cat([tensor.flatten().double() for tensor in outcome["weights"].values()])


def test_both_processes_come_to_the_same(ranks):
    one, other = ranks
    for name in ("undisturbed", "resumed", "synchronized"):
        assert one[name]["history"] == other[name]["history"]
        assert one[name]["seconds"] == other[name]["seconds"]
        assert torch.equal(weights(one[name]), weights(other[name]))
        np.testing.assert_array_equal(one[name]["prediction"], other[name]["prediction"])


def test_only_the_first_process_writes_checkpoints(ranks):
    assert [len(rank["undisturbed"]["checkpoints"]) for rank in ranks] == [8, 0]


def test_two_runs_are_identical(first):
    assert first["again"]["history"] == first["undisturbed"]["history"]
    assert torch.equal(weights(first["again"]), weights(first["undisturbed"]))


def test_what_was_resumed_rejoins_the_undisturbed_training(first):
    assert first["resumed"]["history"] == first["undisturbed"]["history"]
    assert torch.equal(weights(first["resumed"]), weights(first["undisturbed"]))


def orders_of_two(training):
    """The order in which one worker takes the rows that two take in each step."""
    seed, epoch, rows = training.seed, len(training.history.epochs), len(training.train_target)
    orders, batches = [], Batches(rows, RECIPE.batch_size, 2)
    for rank in (0, 1):
        (mixed,) = np.random.SeedSequence([seed, epoch, rank]).generate_state(1)
        order = torch.randperm(shard_size(rows, 2, rank), generator=torch.Generator().manual_seed(int(mixed)))
        orders.append(order + shard_start(rows, 2, rank))
    parts = itertools.product(range(batches.steps), (0, 1))
    return torch.cat([orders[rank][slice(*batches.part(step, rank))] for step, rank in parts])


def test_with_synchronized_batch_norm_two_workers_do_the_steps_of_one(first, monkeypatch):
    # The last step has rows that cannot be shared equally.
    monkeypatch.setattr(Training, "_order", orders_of_two)
    alone, both = trained(ALONE, RECIPE, TRAIN, VALIDATION, False), first["synchronized"]
    assert [epoch.step for epoch in both["history"]] == [epoch.step for epoch in alone["history"]]
    for name in ("train_mae", "val_mae", "learning_rate"):
        one, two = ([getattr(epoch, name) for epoch in outcome["history"]] for outcome in (alone, both))
        assert two == pytest.approx(one, rel=1e-4), name
    np.testing.assert_allclose(both["prediction"], alone["prediction"], rtol=1e-4)


def test_batch_norm_is_each_workers_own_unless_asked_for(first):
    assert first["synchronized"]["history"] != first["undisturbed"]["history"]


def test_synchronized_batch_norm_takes_its_statistics_in_single_precision(first):
    mean, variance = first["bfloat16"]
    assert mean.tolist() == pytest.approx([3, 3], rel=1e-3)
    assert variance.tolist() == pytest.approx([1 / 16] * 2, rel=2e-2)


def test_two_workers_learn_like_one(first):
    alone = trained(ALONE, RECIPE, TRAIN, VALIDATION, False)
    one, two = (evaluate(VALIDATION.target, outcome["prediction"]).mae for outcome in (alone, first["undisturbed"]))
    assert two == pytest.approx(one, rel=0.25)
    assert two < 0.75 * np.abs(VALIDATION.target - VALIDATION.target.mean()).mean()


def test_validation_is_that_of_all_rows(first):
    outcome = first["undisturbed"]
    best = min(epoch.val_mae for epoch in outcome["history"])
    assert evaluate(VALIDATION.target, outcome["prediction"]).mae == pytest.approx(best, rel=1e-6)


def test_every_worker_knows_the_prediction_of_all_validation_rows(ranks):
    for rank in ranks:
        for name in ("undisturbed", "resumed"):
            known, again = rank[name]["validation_prediction"], rank[name]["prediction"]
            np.testing.assert_allclose(known, again, rtol=1e-5)


def test_the_standardization_is_that_of_all_rows(first):
    whole = Standardization.of(TRAIN.inputs)
    np.testing.assert_allclose(first["measured"]["mean"], whole.mean, rtol=1e-12)
    np.testing.assert_allclose(first["measured"]["scale"], whole.scale, rtol=1e-12)


def test_the_first_worker_stops_all(ranks):
    for rank in ranks:
        assert len(rank["stopped by the first"]["history"]) == 1
        assert rank["stopped by the first"]["stopped"]


def test_a_bad_number_on_one_worker_ends_all(ranks):
    assert {rank["spoiled"]["error"] for rank in ranks} == {
        f"the loss is not finite in epoch 1 at learning rate {ranks[0]['undisturbed']['history'][0].learning_rate:.3g}"
    }


def test_going_on_with_another_number_of_workers_is_refused(first):
    content = first["undisturbed"]["checkpoints"][3]
    with pytest.raises(ConfigurationError, match=r"^trainer\.workers: the checkpoint was made with 2, not 1; set it"):
        fit(IRNET, RECIPE, TRAIN, VALIDATION, seed=3, resume_from=content)
