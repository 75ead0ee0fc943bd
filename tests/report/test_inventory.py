import html
import json
import math
import shutil

import numpy as np
import pandas as pd
import pytest
from report.synthetic import TEST_ROWS, complete, make_study, predictions

from irnet_ray.errors import LimitError
from irnet_ray.report import page
from irnet_ray.report.inventory import take_inventory
from irnet_ray.report.page import build_report
from irnet_ray.report.tables import error_table
from irnet_ray.report.unfinished_rows import with_unfinished
from irnet_ray.study.spec import Trainer


def trial_named(run, label: str, seed: int = 0):
    return next(trial for trial in run.study().trials() if (trial.label, trial.seed) == (label, seed))


def folder_of(run, label: str, seed: int = 0):
    return run.storage.local_path / "trials" / trial_named(run, label, seed).id


def page_of(run) -> str:
    build_report(run)
    return (run.storage.local_path / "report" / "index.html").read_text(encoding="utf-8")


def test_a_whole_run_has_no_reasons_and_no_remarks(make_run):
    inventory = take_inventory(make_run(), make_run().study().trials())
    assert len(inventory.results) == 7
    assert inventory.reasons == {}
    assert inventory.remarks == ()


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("result.json", b'{"trial_id": ', "its result.json is damaged"),
        ("result.json", b"{}", "its result.json is damaged (trial_id: this key is required"),
        ("result.json", b"[1, 2]", "its result.json is damaged"),
        ("result.json", b"\xff\xfe", "its result.json is damaged"),
        ("result.json", None, "it is marked as done but has no result.json"),
        ("predictions.parquet", b"PAR1 half a file", "its predictions.parquet is damaged"),
        ("predictions.parquet", None, "it has no predictions.parquet"),
        ("history.csv", b"", "its history.csv is damaged"),
        ("history.csv", b"\xff\x00\x01", "its history.csv is damaged"),
        ("history.csv", b"epoch,error\n1,2\n", "its history.csv is damaged"),
    ],
)
def test_a_damaged_trial_is_left_out_and_named(make_run, file, content, told):
    run = make_run()
    path = folder_of(run, "irnet-17") / file
    path.unlink() if content is None else path.write_bytes(content)
    check_only_one_is_left_out(run, "irnet-17", told)


def test_a_trial_that_was_tested_on_other_rows_is_left_out(make_run):
    run = make_run()
    trial = trial_named(run, "irnet-17")
    table = predictions(0.08, seed=0)
    complete(run, trial, table.assign(target=table["target"] + 1, prediction=table["prediction"] + 1))
    check_only_one_is_left_out(run, "irnet-17", "it was tested on other rows than the other trials")


@pytest.mark.parametrize("change", [{"test_mae": "small"}, {"val_mae": math.nan}, {"provenance": None}])
def test_a_result_with_a_wrong_value_names_the_key(make_run, change):
    run = make_run()
    path = folder_of(run, "irnet-17") / "result.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    (key,) = change
    check_only_one_is_left_out(run, "irnet-17", f"its result.json is damaged ({key}: ")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda table: table.head(10), "its predictions.parquet has 10 of 400 test rows"),
        (lambda table: table.assign(part="validation"), "its predictions.parquet has 0 of 400 test rows"),
        (lambda table: table.drop(columns="target"), "its predictions.parquet is damaged"),
        (lambda table: table.assign(prediction=math.nan), "some of its predictions are not finite"),
        (lambda table: table.assign(target=table["target"] + 1), "its predictions.parquet is damaged (it is not what"),
    ],
)
def test_predictions_that_cannot_be_compared_are_left_out(make_run, change, told):
    run = make_run()
    path = folder_of(run, "irnet-17") / "predictions.parquet"
    change(pd.read_parquet(path)).to_parquet(path)
    check_only_one_is_left_out(run, "irnet-17", told)


def test_flipped_bytes_within_the_predictions_are_noticed(make_run):
    run = make_run()
    path = folder_of(run, "irnet-17") / "predictions.parquet"
    content = bytearray(path.read_bytes())
    content[20:400] = bytes(380)
    path.write_bytes(bytes(content))
    assert list(take_inventory(run, run.study().trials()).reasons) == [trial_named(run, "irnet-17").id]
    build_report(run)


def test_a_trial_with_the_files_of_another_is_not_counted_twice(make_run):
    run = make_run(make_study(seeds=[0, 1, 2]))
    shutil.rmtree(folder_of(run, "irnet-17", 1))
    shutil.copytree(folder_of(run, "irnet-17", 0), folder_of(run, "irnet-17", 1))
    inventory = take_inventory(run, run.study().trials())
    own, other = (trial_named(run, "irnet-17", seed).id for seed in (0, 1))
    assert inventory.reasons == {other: f"its files are those of trial {own}; run the study again"}
    assert len(inventory.results) == 20
    build_report(run)


def test_a_damaged_limit_is_none(make_run):
    run = make_run(mae={"plain-17": 0.09})
    run.storage.write(f"trials/{trial_named(run, 'random_forest').id}/CUT", b"{half")
    build_report(run)
    assert run.cuts() == {}


def test_the_former_report_stays_where_a_new_one_cannot_be_made(make_run, monkeypatch):
    run = make_run()
    build_report(run)
    before = run.storage.files("report")
    monkeypatch.setattr(page, "render", lambda content: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build_report(run)
    assert run.storage.files("report") == before


def check_only_one_is_left_out(run, label: str, told: str) -> None:
    (trial_id,) = [trial.id for trial in run.study().trials() if trial.label == label]
    inventory = take_inventory(run, run.study().trials())
    assert list(inventory.reasons) == [trial_id]
    assert inventory.reasons[trial_id].startswith(told)
    assert len(inventory.results) == 6
    shown = page_of(run)
    assert "1 trial is without a result." in shown
    assert "6 of 7 trials finished" in shown
    assert html.escape(told) in shown
    assert str(run.storage.local_path) not in shown


def test_copies_and_strangers_are_not_counted_but_named(make_run):
    run = make_run()
    trials = run.storage.local_path / "trials"
    shutil.copytree(folder_of(run, "irnet-17"), trials / "copy")
    shutil.copytree(folder_of(run, "irnet-17"), trials / "stranger")
    stranger = trials / "stranger" / "result.json"
    stranger.write_text(json.dumps({**json.loads(stranger.read_text()), "trial_id": "000000000000"}))
    inventory = take_inventory(run, run.study().trials())
    assert len(inventory.results) == 7
    assert inventory.remarks == (
        "1 folder of trials is a second copy, and not counted: trials/copy.",
        "1 finished trial is not of this study, and not counted: trials/stranger.",
    )
    assert "trials/copy" in page_of(run)


def test_a_cut_baseline_is_marked_in_the_table_of_errors(make_run):
    mae = {"plain-17": 0.09, "irnet-17": 0.08}
    run = make_run(make_study(seeds=[0, 1, 2]), mae)
    forest = trial_named(run, "random_forest")
    run.begin(forest, Trainer())
    run.cut(forest.id, LimitError("took more than its limit of 900 s", "seconds", 900.0))
    inventory = take_inventory(run, run.study().trials())
    table = with_unfinished(error_table(inventory.results), inventory).set_index(["model", "depth"])
    cut = table.loc[("random_forest", pd.NA)]
    assert cut["seeds"] == 0
    assert pd.isna(cut["test_mae"])
    assert cut["note"] == "3 trials without a result: took more than its limit of 900 s (and 1 other reason)"
    assert table.loc[("irnet", 17), "seeds"] == 3
    assert pd.isna(table.loc[("irnet", 17), "note"])
    assert list(table.index) == [("plain", 17), ("plain", 48), ("srnet", 17), ("srnet", 48), ("irnet", 17),
                                 ("irnet", 48), ("random_forest", pd.NA)]  # fmt: skip
    assert "took more than its limit of 900 s" in page_of(run)


def test_gaps_stand_where_the_study_has_them(make_run):
    data = [
        {"dataset": "oqmd", "property": "volume_per_atom", "train_size": "all"},
        {
            "dataset": "oqmd",
            "property": "band_gap",
            "representation": ["composition", "fractions"],
            "train_size": "all",
        },
    ]
    run = make_run(make_study(seeds=[0, 1], data=data), {"irnet-17": 0.08})
    missing = [trial for trial in run.study().trials() if trial.label == "irnet-17" and trial.seed == 1]
    for trial in missing:
        run.storage.delete(f"trials/{trial.id}/DONE")
    inventory = take_inventory(run, run.study().trials())
    table = with_unfinished(error_table(inventory.results), inventory)
    tasks = table[["property", "representation"]].drop_duplicates().agg(" ".join, axis=1).tolist()
    assert tasks == ["volume_per_atom composition", "band_gap composition", "band_gap fractions"]
    networks = table[(table["model"] == "irnet") & (table["depth"] == 17)]
    assert networks["seeds"].tolist() == [1, 1, 1]
    assert networks["note"].str.startswith("1 trial without a result").all()
    assert len(table) == 3 * 7


def test_a_seed_that_is_missing_is_noted_beside_the_others(make_run):
    run = make_run(make_study(seeds=[0, 1, 2]))
    failed = trial_named(run, "irnet-48", seed=2)
    run.storage.delete(f"trials/{failed.id}/DONE")
    run.fail(failed.id, "the loss is not finite")
    inventory = take_inventory(run, run.study().trials())
    table = with_unfinished(error_table(inventory.results), inventory).set_index(["model", "depth"])
    assert table.loc[("irnet", 48), "seeds"] == 2
    assert table.loc[("irnet", 48), "note"] == "1 trial without a result: the loss is not finite"
    assert len(table) == 7


def test_test_rows_know_which_share_a_composition(make_run):
    run = make_run(mae={})
    for trial in run.study().trials()[:2]:
        formulas = np.resize(["NaCl", "KCl", "NaCl"], TEST_ROWS)
        complete(run, trial, predictions(0.1, trial.seed).assign(formula=formulas))
    for record in take_inventory(run, run.study().trials()).records.values():
        assert record.compositions.tolist() == np.resize([0, 1, 0], TEST_ROWS).tolist()
