import pytest

from irnet_ray.report.cost import LEAST_EPOCHS, fraction_of_cost
from irnet_ray.study.spec import Study


def network(width, recipe):
    models = {"n": {"depth": 17, "shortcut": "layer", "width": width, "recipe": recipe}}
    data = {"dataset": "oqmd", "property": "formation_enthalpy"}
    (trial,) = Study.model_validate({"name": "s", "data": data, "models": models}).trials()
    return trial


def test_the_papers_own_training_costs_all_of_it():
    trial = network(1.0, "paper")
    assert fraction_of_cost(trial, (90_000, 10_000, 10_000), LEAST_EPOCHS, 100_000) == pytest.approx(1)


def test_cost_grows_with_epochs_and_rows():
    trial = network(1.0, "paper")
    whole = fraction_of_cost(trial, (90_000, 10_000, 0), 100, 100_000)
    assert fraction_of_cost(trial, (90_000, 10_000, 0), 50, 100_000) == pytest.approx(whole / 2)
    assert fraction_of_cost(trial, (45_000, 5_000, 0), 100, 100_000) == pytest.approx(whole / 2, rel=0.01)


def test_narrow_networks_with_large_batches_cost_little():
    assert fraction_of_cost(network(0.25, "fast"), (90_000, 10_000, 10_000), 20, 100_000) < 0.01
