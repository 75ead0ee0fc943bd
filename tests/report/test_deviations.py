from irnet_ray.report.deviations import deviations
from irnet_ray.study.spec import Study

DATA = {"dataset": "oqmd", "property": "formation_enthalpy"}


def told(**changes) -> list[str]:
    networks = {"depth": 17, "shortcut": "layer", "recipe": "paper"}
    content = {"name": "s", "data": DATA, "models": {"n": networks}, "split": {"protocol": "paper"}, **changes}
    study = Study.model_validate(content)
    return deviations(study, study.trials())


def test_the_papers_protocol_departs_only_in_what_is_always_so():
    data, *always = told()
    assert data == "oqmd stands for OQMD (341,443 rows) of the paper; they are not the same rows."
    assert len(always) == 3
    assert "standardized" in always[0]


def test_everything_else_is_named_with_the_papers_value():
    networks = {"depth": 17, "shortcut": "layer", "width": 0.25, "recipe": {"base": "paper", "epochs": 20}}
    models = {"n": networks, "forest": {"kind": "random_forest"}, "boosting": {"kind": "gradient_boosting"}}
    texts = " ".join(told(models=models, data={**DATA, "train_size": [1000, 3000]}, split={"protocol": "holdout"}))
    assert "0.25 of the paper's units" in texts
    assert "with the paper's values in brackets: epochs 20 (3000)." in texts
    assert "1,000 and 3,000 rows" in texts
    assert "The test rows choose nothing" in texts
    assert "Of the paper's ten traditional models 1 was tried." in texts
    assert "gradient boosting is none of the paper's ten" in texts


def test_foreign_data_are_called_so():
    data = {"dataset": "ricci_transport", "property": "seebeck_p"}
    assert told(data=data)[0] == "ricci_transport is no dataset of the paper."
