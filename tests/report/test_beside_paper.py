import pytest
from report.synthetic import judged_of, make_study

from irnet_ray.report.beside_paper import beside_paper


def table(run):
    return beside_paper(judged_of(run))


def test_every_model_that_the_paper_has_stands_beside_its_value(make_run):
    rows = table(make_run(make_study(seeds=[0, 1]))).set_index("network")
    assert rows.index.tolist() == [
        "the one traditional model tried (random forest)",
        "plain-17",
        "IRNet-17",
        "IRNet-48",
    ]
    assert rows["paper"].tolist() == [0.077, 0.072, 0.054, 0.048]
    assert rows.loc["IRNet-17", "test_mae"] == pytest.approx(0.08 * 1.005)
    assert rows.loc["IRNet-17", "ours_to_paper"] == pytest.approx(0.08 * 1.005 / 0.054)
    assert set(rows["place"]) == {"Table 1"}
    assert (rows["seeds"] == 2).all()
    assert "note" not in rows


def test_what_is_not_finished_is_noted_and_what_the_paper_has_not_is_left_out(make_run):
    rows = table(make_run(mae={"irnet-17": 0.08})).set_index("network")
    assert rows.index.tolist() == ["best of ten traditional models", "plain-17", "IRNet-17", "IRNet-48"]
    assert rows["test_mae"].dropna().index.tolist() == ["IRNet-17"]
    assert rows["part_of_cost"].dropna().index.tolist() == ["IRNet-17"]
    assert rows["note"].tolist() == [*["1 planned trial without a result"] * 2, "", "1 planned trial without a result"]
    data = {"dataset": "oqmd", "property": "formation_enthalpy", "representation": "fractions"}
    assert table(make_run(make_study(name="other", data=data))).empty


def test_what_has_no_result_on_all_rows_has_no_number_of_them(make_run):
    data = [{"dataset": "oqmd", "property": "formation_enthalpy", "train_size": size} for size in (1000, "all")]
    study = make_study(name="sizes", data=data)
    rows = table(make_run(study, mae={}))
    assert rows["train_size"].isna().sum() == len(rows) / 2
    assert set(rows["unit"]) == {"eV/atom"}
    assert str(rows["train_size"].dtype) == "Int64"
