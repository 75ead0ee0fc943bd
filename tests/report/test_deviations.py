from irnet_ray.report.deviations import deviations
from irnet_ray.study.spec import Study

DATA = {"dataset": "oqmd", "property": "formation_enthalpy"}


def told(**changes) -> list[str]:
    networks = {"depth": 17, "shortcut": "layer", "recipe": "paper"}
    content = {"name": "s", "data": DATA, "models": {"n": networks}, "split": {"protocol": "paper"}, **changes}
    study = Study.model_validate(content)
    return deviations(study, study.trials())


def test_the_papers_protocol_departs_only_in_what_is_always_so():
    data, split, *always = told()
    assert data == "Formation enthalpy of oqmd stands for OQMD (341,443 rows) of the paper, which are other rows."
    assert split.startswith("The rows of a composition stay together")
    assert len(always) == 3
    assert "standardized" in always[0]


def test_everything_else_is_named_with_the_papers_value():
    networks = {"depth": 17, "shortcut": "layer", "width": 0.25, "recipe": {"base": "paper", "epochs": 20}}
    models = {"n": networks, "forest": {"kind": "random_forest"}, "boosting": {"kind": "gradient_boosting"}}
    texts = " ".join(told(models=models, data={**DATA, "train_size": [1000, 3000]}, split={"protocol": "holdout"}))
    assert "0.25 of the paper's units" in texts
    assert "with the paper's values in brackets: epochs 20 (as many as its patience takes)." in texts
    assert "1,000 and 3,000 rows" in texts
    assert "The test rows choose nothing" in texts
    assert "Of the paper's ten traditional models 1 was tried." in texts
    assert "Tried in one setting, not searched: random forest." in texts
    assert "kept apart from them: gradient boosting." in texts


def test_foreign_data_are_called_so():
    data = {"dataset": "ricci_transport", "property": "seebeck_p"}
    assert told(data=data)[0] == "Seebeck p of ricci_transport is not in the paper from these attributes."


def test_the_trainer_and_the_networks_are_looked_at():
    own = {"architecture": "64BARx16-1", "recipe": "paper"}
    trainer = {"workers": 2, "bfloat16": True}
    data = {**DATA, "representation": "composition+fractions"}
    split = {"protocol": "holdout", "test_fraction": 0.2}
    stopping = {"algorithm": "asha", "grace_epochs": 5}
    texts = " ".join(told(models={"n": own}, trainer=trainer, data=data, split=split, early_stopping=stopping))
    for part in (
        "does not have composition+fractions as attributes",
        "does not have these networks: 64BARx16-1",
        "2 workers",
        "bfloat16",
        "20% of the rows are tested on",
        "ended early",
    ):
        assert part in texts


def test_the_papers_networks_of_other_widths_are_its_networks():
    networks = {"depth": [10, 17, 24, 48], "shortcut": ["none", "stack", "layer"], "width": 0.3, "recipe": "paper"}
    assert not any("does not have these networks" in text for text in told(models={"n": networks}))


def test_what_classical_learning_lacks_is_told_from_size_to_size():
    few = {**DATA, "train_size": [1000, 3000], "models": ["ten"]}
    some = {**DATA, "train_size": 30_000, "models": ["forest", "ridge"]}
    models = {"ten": {"kind": "the_ten"}, "forest": {"kind": "random_forest"}, "ridge": {"kind": "ridge", "penalty": 1}}
    networks = {"n": {"depth": 17, "shortcut": "layer", "recipe": "paper"}}
    data = [few, some, {**DATA, "train_size": "all", "models": ["n"]}]
    texts = " ".join(told(data=data, models={**models, **networks}))
    assert "ten traditional models 2 were tried on 30,000 training rows. " in texts
    assert "ten traditional models none was tried on all training rows. " in texts
    assert "not searched on 30,000 training rows: ridge regression and random forest." in texts
    assert "ours are in docs/baselines.md" in texts


def test_a_published_split_is_not_told_to_be_ours():
    texts = told(split={"protocol": "published"}, data={"dataset": "oqmd", "property": "formation_enthalpy"})
    assert "The split is the one that was published with the data; the paper splits rows at random." in texts
    assert not any("stay together" in text or "cut from" in text for text in texts)


def test_the_papers_patience_is_that_of_the_experiment():
    recipe = {"base": "paper", "patience": 400}
    texts = told(models={"n": {"depth": 17, "shortcut": "layer", "recipe": recipe}})
    assert (
        "Recipe paper(patience=400), with the paper's values in brackets: patience 400 (200, for Figure 1 400)."
        in texts
    )
