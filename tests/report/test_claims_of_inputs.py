import pytest
from report.made_up import NETWORKS, SEEDS, made, verdicts
from report.synthetic import complete, judged_of, make_study, predictions

from irnet_ray.report.claims.inputs import effects_of_inputs
from irnet_ray.study.run_directory import RunDirectory


def test_representations_are_compared_on_the_same_rows(tmp_path):
    mae = {
        "structure": 0.125,
        "composition": 0.11,
        "composition+structure": 0.097,
        "composition+structure+fractions": 0.0969,
    }
    data = {"dataset": "jarvis_dft_3d", "property": "formation_energy", "representation": list(mae), "train_size": 9000}
    models = {"networks": {**NETWORKS, "depth": 17, "shortcut": "layer"}}
    run = made(tmp_path, lambda trial: mae[trial.matrix.representation], data=data, models=models)
    findings = effects_of_inputs(judged_of(run))
    assert verdicts(findings) == ["reproduced"] * 4
    assert [finding.effect for finding in findings] == pytest.approx(
        [0.11 / 0.125, 0.097 / 0.11, 0.097 / 0.125, 0.0969 / 0.097]
    )
    assert findings[0].paper == pytest.approx(0.108 / 0.114)
    assert findings[3].paper == pytest.approx(0.096 / 0.097)
    assert "from composition+structure" in findings[1].sentence


def test_seeds_that_one_representation_lacks_are_told(tmp_path):
    representations = ["composition", "structure"]
    data = {"dataset": "jarvis_dft_3d", "property": "formation_energy", "representation": representations}
    models = {"networks": {**NETWORKS, "depth": 17, "shortcut": "layer"}}

    def error(trial):
        return None if trial.matrix.representation == "structure" and trial.seed == 3 else 0.1

    run = made(tmp_path, error, data=data, models=models, seeds=list(range(4)))
    (finding,) = effects_of_inputs(judged_of(run))
    assert finding.seeds == 3
    assert finding.sentence.endswith(" Without a result: 1 of 4 planned seeds of IRNet-17 from structure.")


def test_representations_on_different_rows_are_not_compared(tmp_path):
    representations = ["composition", "structure"]
    data = {"dataset": "jarvis_dft_3d", "property": "formation_energy", "representation": representations}
    models = {"networks": {**NETWORKS, "depth": 17, "shortcut": "layer"}}
    run = RunDirectory(str(tmp_path / "run"))
    run.claim(make_study(seeds=SEEDS, data=data, models=models))
    for trial in run.study().trials():
        shift = 1.0 if trial.matrix.representation == "structure" else 0.0
        table = predictions(0.1, seed=0)
        complete(run, trial, table.assign(target=table["target"] + shift, prediction=table["prediction"] + shift))
    (finding,) = effects_of_inputs(judged_of(run))
    assert finding.effect is None
    assert finding.sentence == "Not judged: the two were tested on different rows."
