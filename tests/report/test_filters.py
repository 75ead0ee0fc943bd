from report.synthetic import make_study

from irnet_ray.report.filters import filters_of


def named(study) -> dict[str, list[str]]:
    return {each.name: [choice.value for choice in each.choices] for each in filters_of(study.trials())}


def test_only_what_varies_can_be_filtered():
    assert named(make_study()) == {"depth": ["17", "48"], "model": ["plain", "srnet", "irnet", "classical"]}


def test_data_are_filtered_by_everything_that_tells_them_apart():
    data = [
        {"dataset": "oqmd", "property": "band_gap", "representation": ["composition", "composition+fractions"]},
        {"dataset": "aflow_energy", "property": "energy_per_atom"},
    ]
    found = named(make_study(data=data))
    assert found["dataset"] == ["oqmd", "aflow_energy"]
    assert found["property"] == ["band_gap", "energy_per_atom"]
    assert found["representation"] == ["composition", "composition+fractions"]


def test_a_single_model_leaves_nothing_to_filter():
    models = {"forest": {"kind": "random_forest"}, "ridge": {"kind": "ridge"}}
    assert named(make_study(models=models)) == {}
