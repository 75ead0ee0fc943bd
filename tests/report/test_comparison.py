import pytest
from report.synthetic import complete, make_study, predictions

from irnet_ray.report.comparison import Point, compare, file_suffix

NETWORKS = {"depth": [17, 48], "shortcut": ["none", "layer"], "width": 0.25, "recipe": "fast"}
FOREST = {"kind": "random_forest"}


def comparisons(make_run, **changes):
    study = make_study(**changes)
    return compare(study.trials(), make_run(study).results(study.trials()))


def test_one_comparison_needs_no_name(make_run):
    (comparison,) = comparisons(make_run)
    assert comparison.name == ""
    assert file_suffix(comparison.name) == ""
    assert comparison.planned("irnet") == [Point("irnet", 17), Point("irnet", 48)]
    assert comparison.finished_points()[-1] == Point("random_forest", None)
    assert comparison.unit == "eV/atom"


def test_training_sizes_and_widths_stand_apart_and_share_the_forest(make_run):
    both = comparisons(
        make_run,
        data={"dataset": "oqmd", "property": "formation_enthalpy", "train_size": [1000, 10000]},
        models={"networks": {**NETWORKS, "width": [0.25, 0.5]}, "forest": FOREST},
    )
    assert [comparison.name for comparison in both] == [
        "1,000 training rows, width 0.25",
        "1,000 training rows, width 0.5",
        "10,000 training rows, width 0.25",
        "10,000 training rows, width 0.5",
    ]
    assert all(len(comparison.planned("random_forest")) == 1 for comparison in both)
    assert file_suffix(both[3].name) == "_10000_training_rows_width_0.5"


@pytest.mark.parametrize("better", [10, 100])
def test_of_a_baselines_settings_that_of_the_lowest_validation_error_is_compared(make_run, better):
    study = make_study(models={"networks": NETWORKS, "forests": {**FOREST, "trees": [10, 100]}})
    run = make_run(study)
    (chosen,) = (trial for trial in study.trials() if getattr(trial.model, "trees", None) == better)
    complete(run, chosen, predictions(0.05, seed=0))
    (comparison,) = compare(study.trials(), run.results(study.trials()))
    (forest,) = comparison.finished(Point("random_forest", None))
    assert forest == chosen
    assert len(comparison.results) == 4 + 1


def test_the_best_of_ten_has_the_lowest_validation_error_and_boosting_is_none_of_them(make_run):
    kinds = ("ridge", "bagging", "gradient_boosting")
    study = make_study(models={kind: {"kind": kind} for kind in kinds})
    run = make_run(study, {})
    assert compare(study.trials(), run.results(study.trials()))[0].best_of_ten is None
    for trial, mae in zip(study.trials(), (0.2, 0.1, 0.05), strict=True):
        complete(run, trial, predictions(mae, seed=0))
    (comparison,) = compare(study.trials(), run.results(study.trials()))
    assert comparison.best_of_ten == Point("bagging", None)


def test_forests_alone_are_a_comparison(make_run):
    (comparison,) = comparisons(make_run, models={"forest": FOREST})
    assert comparison.task.recipe is None
    assert len(comparison.results) == 1


def test_unfinished_trials_are_missing(make_run):
    study = make_study(seeds=[0, 1])
    (comparison,) = compare(study.trials(), make_run(study, {"plain-17": 0.09}).results(study.trials()))
    assert comparison.finished_points() == [Point("plain", 17)]
    assert len(comparison.missing) == 12
    assert comparison.planned("plain")[-1] == Point("plain", 48)


@pytest.mark.parametrize(
    ("point", "label"),
    [
        (Point("plain", 17), "plain-17"),
        (Point("irnet", 48), "IRNet-48"),
        (Point("random_forest", None), "random forest"),
    ],
)
def test_labels(point, label):
    assert point.label == label


def test_another_architecture_of_the_same_depth_is_named(make_run):
    architectures = ["64BARx2-1", "32BARx2-1"]
    networks = {"architecture": architectures, "recipe": "fast"}
    (comparison,) = comparisons(make_run, models={"networks": networks})
    assert [str(trial.architecture) for trial in comparison.trials] == architectures[:1]
    assert comparison.other_architectures == ("32BARx2-1",)


def test_a_setting_of_which_seeds_lack_is_not_preferred_by_the_luck_of_the_others(make_run):
    study = make_study(models={"forests": {**FOREST, "trees": [10, 100]}}, seeds=[0, 1, 2])
    run = make_run(study, {})
    for trial in study.trials():
        if trial.model.trees == 10 or trial.seed == 1:
            complete(run, trial, predictions(0.1 if trial.model.trees == 10 else 0.05, seed=0))
    (comparison,) = compare(study.trials(), run.results(study.trials()))
    forests = comparison.finished(Point("random_forest", None))
    assert [forest.model.trees for forest in forests] == [10] * 3
