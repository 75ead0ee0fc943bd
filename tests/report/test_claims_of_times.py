import pytest
from report.made_up import BIG, NETWORKS, made
from report.synthetic import complete, judged_of, predictions

from irnet_ray.report.claims.robustness import predicting_times, training_times


@pytest.mark.parametrize(
    ("key", "trains", "predicts"),
    [
        ("processor", "not all ran on the same machine", "not all ran on the same machine"),
        ("torch", "not all ran on the same machine", "not all ran on the same machine"),
        ("gpu", "not all ran on the same machine", "a ratio of 1.00"),
        ("commit", "a ratio of 1.00", "a ratio of 1.00"),
    ],
)
def test_times_of_different_machines_are_not_compared(tmp_path, key, trains, predicts):
    models = {"networks": {**NETWORKS, "depth": 17}, "forest": {"kind": "random_forest"}}
    run = made(tmp_path, lambda trial: 0.1, models=models, data=BIG)
    for trial in run.study().trials():
        if trial.model_name == "irnet":
            complete(run, trial, predictions(0.1, 0), **{key: "another"})
    ((training,), (predicting,)) = (judge(judged_of(run)) for judge in (training_times, predicting_times))
    assert trains in training.sentence
    assert predicts in predicting.sentence


def test_times_of_what_is_not_finished_are_missed(tmp_path):
    models = {"networks": {**NETWORKS, "depth": 17}, "forest": {"kind": "random_forest"}}
    run = judged_of(made(tmp_path, lambda trial: 0.1 if trial.label == "irnet-17" else None, models=models, data=BIG))
    assert [finding.sentence for finding in (*training_times(run), *predicting_times(run))] == [
        "Not judged: no trial of plain-17 is finished.",
        "Not judged: no trial of random forest is finished.",
    ]
