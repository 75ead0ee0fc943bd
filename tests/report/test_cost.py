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
    assert fraction_of_cost(trial, (45_000, 5_000, 0), 100, 100_000) == pytest.approx(whole / 2)


def test_a_narrow_network_costs_as_much_less_as_it_has_fewer_parameters():
    rows, narrow = (90_000, 10_000, 10_000), network(0.25, "fast")
    wide = fraction_of_cost(network(1.0, "paper"), rows, 20, 100_000)
    parts = [network(width, "fast").count_parameters() for width in (0.25, 1.0)]
    assert fraction_of_cost(narrow, rows, 20, 100_000) / wide == pytest.approx(parts[0] / parts[1])
    assert parts[1] == 5_554_529  # as published in the authors' stored graph
