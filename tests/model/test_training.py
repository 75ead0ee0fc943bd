import itertools

from worker_group import IRNET, made

from irnet_ray.model.hardware import CPU
from irnet_ray.model.recipe import Recipe
from irnet_ray.model.training import Training
from irnet_ray.model.workers import Workers

TRAIN, VALIDATION = made(100, 0), made(40, 1)


def test_another_seed_trains_otherwise():
    one, other = (Training(IRNET, Recipe(base="fast"), TRAIN, VALIDATION, seed, CPU).run_epoch() for seed in (0, 1))
    assert one.train_mae != other.train_mae


def test_every_seed_worker_and_epoch_has_its_own_order_of_the_rows():
    orders = []
    for seed, rank in itertools.product((0, 1, 256, 2**30), (0, 1)):
        training = Training(IRNET, Recipe(base="fast"), TRAIN, VALIDATION, seed, CPU)
        training.workers = Workers(rank=rank)
        orders.append(training._order().tolist())
        training.history.epochs.append(None)
        orders.append(training._order().tolist())
    assert all(sorted(order) == list(range(len(TRAIN))) for order in orders)
    assert len({tuple(order) for order in orders}) == len(orders)
