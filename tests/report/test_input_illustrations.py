from pathlib import Path

import pandas as pd
import pytest
from report.synthetic import complete, judged_of, make_study, predictions

from irnet_ray.report.input_illustrations import illustrate_inputs, input_groups
from irnet_ray.report.page import build_report
from irnet_ray.study.run_directory import RunDirectory

MAE = {"composition": 0.08, "composition+fractions": 0.07}
MODELS = {"irnet": {"depth": 17, "shortcut": "layer", "width": 0.25, "recipe": "fast"}}


@pytest.fixture
def run(tmp_path):
    """IRNet-17 from two representations; one seed of the second is missing."""
    data = {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": 1000, "representation": list(MAE)}
    run = RunDirectory(str(tmp_path))
    run.claim(make_study(data=data, models=MODELS, seeds=[0, 1]))
    for trial in run.study().trials():
        if (trial.matrix.representation, trial.seed) != ("composition+fractions", 1):
            complete(run, trial, predictions(MAE[trial.matrix.representation], trial.seed))
    return run


def test_representations_of_the_same_data_stand_together(run):
    (members,) = input_groups(judged_of(run))
    scatter, distribution = illustrate_inputs(members, "")
    assert scatter.table["network"].tolist() == list(MAE)
    assert scatter.table["test_mae"].tolist() == pytest.approx(list(MAE.values()))
    assert distribution.data["name"].drop_duplicates().tolist() == list(MAE)
    assert distribution.data.groupby("name", sort=False)["trial_ids"].first().str.split().str.len().tolist() == [2, 1]
    assert scatter.missing == "Not in this figure, because not finished: composition+fractions: IRNet-17 (seed 1)."
    assert len(scatter.draw().axes) == 2


def test_they_are_on_the_page_beside_the_figures_of_each(run):
    page = Path(build_report(run)).read_text()
    files = run.storage.names("report/figures")
    assert {"agreement_by_representation.png", "error_distribution_by_representation.svg"} <= set(files)
    assert "All representations: oqmd, formation enthalpy<" in page


def test_groups_that_differ_in_the_networks_have_files_of_their_own(tmp_path):
    data = {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": 1000, "representation": list(MAE)}
    models = {"irnet": {**MODELS["irnet"], "width": [0.25, 0.5]}}
    run = RunDirectory(str(tmp_path))
    run.claim(make_study(data=data, models=models))
    for trial in run.study().trials():
        complete(run, trial, predictions(trial.model.width, trial.seed))
    build_report(run)
    for width in (0.25, 0.5):
        path = tmp_path / f"report/tables/error_distribution_by_representation_width_{width}.csv"
        assert 2 * width < pd.read_csv(path)["p90"].iloc[0] < 3 * width


def test_one_representation_is_no_group(make_run):
    assert input_groups(judged_of(make_run())) == []
