import math

import pytest
from report.synthetic import complete, judged_of, make_study, predictions

from irnet_ray.report.figures import error_by_size
from irnet_ray.report.figures.style import PAGE
from irnet_ray.report.page import build_report
from irnet_ray.report.series import left_out, series_of
from irnet_ray.report.series_illustrations import illustrate_series
from irnet_ray.study.run_directory import RunDirectory

SIZES = [1000, 10_000, 100_000]
MAE = {"irnet-17": 1.0, "irnet-48": 1.1, "random_forest": 1.2, "ridge": 2.0}


@pytest.fixture
def run(tmp_path):
    """The random forest is better with 1,000 rows."""
    data = {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": SIZES}
    networks = {"depth": [17, 48], "shortcut": "layer", "width": 0.25, "recipe": "fast"}
    models = {"networks": networks, "forest": {"kind": "random_forest"}, "ridge": {"kind": "ridge"}}
    run = RunDirectory(str(tmp_path))
    run.claim(make_study(data=data, models=models, seeds=[0, 1, 2]))
    for trial in run.study().trials():
        factor = 0.5 if (trial.label, trial.train_size) == ("random_forest", 1000) else 1
        complete(run, trial, predictions(factor * MAE[trial.label] / math.log10(trial.train_size), seed=trial.seed))
    return run


def series(items):
    return series_of(items, lambda each: each.comparison)


def test_comparisons_that_differ_in_rows_are_a_series(run):
    (members,) = series(judged_of(run)[::-1])
    assert [each.comparison.train_rows for each in members] == SIZES
    assert series(judged_of(run)[:2]) == []


def test_errors_and_gains_by_size(run):
    (members,) = series(judged_of(run))
    table = error_by_size.data(members)
    assert table["name"].drop_duplicates().tolist() == [error_by_size.BEST, "IRNet-17", "IRNet-48"]
    irnet = table[table["name"] == "IRNet-17"]
    assert irnet["test_mae"].tolist() == pytest.approx(3 * [1 / 3] + 3 * [1 / 4] + 3 * [1 / 5])
    assert irnet["seed"].tolist() == 3 * [0, 1, 2]
    change = error_by_size.gains(table).set_index(["depth", "train_rows"])["change"]
    assert change[17, 1000] == pytest.approx(1 / 0.6 - 1)
    assert change[48, 100_000] == pytest.approx(1.1 / 1.2 - 1)
    assert set(table["of_the_ten"]) == set(error_by_size.gains(table)["of_the_ten"]) == {2}


def test_gradient_boosting_stands_beside_the_best_of_the_ten(tmp_path):
    data = {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": [1000, 3000, 10_000]}
    models = {"forest": {"kind": "random_forest"}, "boosting": {"kind": "gradient_boosting"}}
    run = RunDirectory(str(tmp_path))
    run.claim(make_study(data=data, models=models, seeds=[0]))
    for trial in run.study().trials():
        complete(run, trial, predictions({"random_forest": 0.2, "gradient_boosting": 0.1}[trial.label], seed=0))
    wide = error_by_size.summary(error_by_size.data(judged_of(run)))
    assert wide["best baseline"].tolist() == pytest.approx([0.2] * 3)
    assert wide["gradient boosting"].tolist() == pytest.approx([0.1] * 3)
    assert set(wide["which_baseline"]) == {"random forest, of 1 that have a result"}


def test_the_figures_are_those_of_the_report(run):
    build_report(run)
    files = set(run.storage.names("report/figures"))
    for name in ("error_by_size", "gain_by_size"):
        assert {f"{name}.png", f"{name}.csv"} <= files
    page = (run.storage.local_path / "report" / "index.html").read_text()
    assert "Test error against training rows" in page
    illustrations = illustrate_series(series(judged_of(run))[0], [], "")
    axes = illustrations[0].draw().axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_ylabel() == "Test MAE (eV/atom), log scale"
    assert illustrations[0].table["train_rows"].tolist() == SIZES
    assert illustrations[0].table["IRNet-17"].tolist() == pytest.approx([1 / 3, 1 / 4, 1 / 5], rel=0.01)
    assert illustrations[0].table["which_baseline"].tolist() == ["random forest, of 2 that have a result"] * 3
    assert illustrations[1].table.loc[0, "IRNet-17"] == "+67%"


@pytest.mark.parametrize(
    ("changes", "labels"),
    [([-0.12, 0.06], ["\N{MINUS SIGN}10%", "0%", "5%"]), ([-0.011, 0.004], ["\N{MINUS SIGN}0.5%"])],
)
def test_gains_are_labelled_in_round_percent(run, changes, labels):
    (members,) = series(judged_of(run))
    gains = error_by_size.gains(error_by_size.data(members)).iloc[:2].assign(change=changes)
    figure = error_by_size.draw_gains(gains, optimistic=False)
    figure.canvas.draw()
    drawn = {label.get_text() for label in figure.axes[0].get_yticklabels()}
    assert drawn >= set(labels)
    assert not any(".0%" in label for label in drawn)


def test_the_best_of_all_ten_is_filled_and_of_fewer_hollow(tmp_path):
    task = {"dataset": "oqmd", "property": "formation_enthalpy"}
    data = [
        {**task, "train_size": [1000, 10_000], "models": ["irnet", "ten"]},
        {**task, "train_size": 100_000, "models": ["irnet", "one"]},
    ]
    irnet = {"depth": 17, "shortcut": "layer", "width": 0.25, "recipe": "fast"}
    models = {"irnet": irnet, "ten": {"kind": "the_ten"}, "one": {"kind": "ridge"}}
    run = RunDirectory(str(tmp_path))
    run.claim(make_study(data=data, models=models))
    for trial in run.study().trials():
        complete(run, trial, predictions(0.1, seed=0))
    errors, gains = illustrate_series(series(judged_of(run))[0], [], "")
    for illustration, marker in ((errors, "D"), (gains, "o")):
        points = [each for each in illustration.draw().axes[0].lines if len(each.get_xdata()) == 1]
        faces = {each.get_xdata()[0]: each.get_markerfacecolor() for each in points if each.get_marker() == marker}
        assert [size for size in (1000, 10_000, 100_000) if faces[size] == PAGE] == [100_000]


def test_a_series_without_baselines_has_no_gains(tmp_path):
    data = {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": SIZES}
    networks = {"depth": 17, "shortcut": "layer", "width": 0.25, "recipe": "fast"}
    run = RunDirectory(str(tmp_path))
    run.claim(make_study(data=data, models={"networks": networks}))
    for trial in run.study().trials():
        complete(run, trial, predictions(0.1, seed=0))
    errors, gains = illustrate_series(series(judged_of(run))[0], [], "")
    assert errors.draw is not None
    assert gains.draw is None


def test_a_size_without_a_result_and_a_further_recipe_are_named(tmp_path):
    data = {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": [*SIZES, 200_000]}
    networks = {"depth": 17, "shortcut": "layer", "width": 0.25, "recipe": ["fast", "best"]}
    run = RunDirectory(str(tmp_path))
    run.claim(make_study(data=data, models={"networks": networks}))
    for trial in run.study().trials():
        if trial.train_size != 200_000 and (trial.train_size == 1000 or trial.model.recipe.label == "fast"):
            complete(run, trial, predictions(0.1, seed=0))
    judged = judged_of(run)
    (members,) = series(judged)
    others = left_out([each.comparison for each in members], [each.comparison for each in judged])
    errors, gains = illustrate_series(members, others, "")
    expected = (
        "No trial is finished of 10,000 training rows by recipe best, 100,000 training rows by recipe best and "
        "200,000 training rows. "
        "The first recipe for as many rows stands for all; left out: 1,000 training rows by recipe best."
    )
    assert errors.missing == gains.missing == expected
