import json
import shutil

import pandas as pd
import pytest
from report.synthetic import make_study

from irnet_ray.errors import LimitError
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
        ("result.json", b'{"trial_id": ', "its result.json cannot be read"),
        ("result.json", b"{}", "its result.json has no"),
        ("result.json", b"[1, 2]", "its result.json"),
        ("predictions.parquet", b"PAR1 half a file", "its predictions.parquet is missing or damaged"),
        ("predictions.parquet", None, "its predictions.parquet is missing or damaged"),
        ("result.json", None, "has no result"),
    ],
)
def test_a_damaged_trial_is_left_out_and_named(make_run, file, content, told):
    run = make_run()
    path = folder_of(run, "irnet-17") / file
    path.unlink() if content is None else path.write_bytes(content)
    inventory = take_inventory(run, run.study().trials())
    assert list(inventory.reasons) == [trial_named(run, "irnet-17").id]
    assert told in inventory.reasons[trial_named(run, "irnet-17").id]
    page = page_of(run)
    assert "1 trial is without a result." in page
    assert "6 of 7 trials finished" in page
    assert told in page


def test_too_few_predictions_are_noticed(make_run):
    run = make_run()
    path = folder_of(run, "irnet-17") / "predictions.parquet"
    pd.read_parquet(path).head(10).to_parquet(path)
    (reason,) = take_inventory(run, run.study().trials()).reasons.values()
    assert "has 10 of 400 rows" in reason


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
