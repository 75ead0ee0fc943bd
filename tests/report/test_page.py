import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report.synthetic import MAE, complete, make_study, predictions

from irnet_ray.errors import RunError
from irnet_ray.report.claims import OF_OURS
from irnet_ray.report.page import build_report
from irnet_ray.study.spec import Trainer

FIGURES = ("mae_by_depth", "learning_curves", "agreement", "error_distribution")

NETWORK = {"depth": 17, "shortcut": "layer", "recipe": "fast"}
BIG = {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": 20_000}


def read_page(run) -> str:
    return Path(build_report(run)).read_text(encoding="utf-8")


def report_files(run) -> dict[str, bytes]:
    folder = run.storage.local_path / "report"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Requests(HTMLParser):
    """Collects what a browser would fetch by itself, and the files that it may be asked for."""

    def __init__(self):
        super().__init__()
        self.fetched = []
        self.linked = []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("src", "href", "xlink:href", "srcset", "data", "action") and not value.startswith(
                ("#", "data:")
            ):
                (self.linked if tag == "a" else self.fetched).append(value)
        if tag in ("iframe", "object", "embed"):
            self.fetched.append(tag)


def test_a_whole_run_has_a_page_verdicts_figures_and_their_data(make_run):
    run = make_run(make_study(seeds=[0, 1, 2], data=BIG))
    uri = build_report(run)
    assert uri == f"{run.uri}/report/index.html"
    tables = {f"tables/{n}.{s}" for n in ("errors", "beside_paper", *FIGURES) for s in ("csv", "md", "tex")}
    figures = {f"figures/{n}.{s}" for n in FIGURES for s in ("png", "svg", "csv")}
    assert set(report_files(run)) == {"index.html", "findings.json", *tables, *figures}
    page = Path(uri).read_text(encoding="utf-8")
    findings = json.loads(report_files(run)["findings.json"])
    tally = Counter(finding["verdict"] for finding in findings)
    assert tally["reproduced"] > 5
    for verdict in ("reproduced", "inconclusive", "contradicted"):
        assert page.count(f'<span class="verdict">{verdict}</span>') == tally[verdict]
        of_the_papers = sum(each["verdict"] == verdict and each["claim"] not in OF_OURS for each in findings)
        assert re.search(rf"Verdicts on the paper&#39;s claims: [^.]*\b{of_the_papers} {verdict}\b", page)
    unjudged = page[page.index("Claims that this run cannot speak to") : page.index("Beside the paper</h2>")]
    assert unjudged.count("<li") == sum(
        finding["effect"] is None for finding in json.loads(report_files(run)["findings.json"])
    )
    assert page.count('<svg role="img"') == len(FIGURES)
    assert page.count('<svg class="strip"') == sum(
        finding["effect"] is not None for finding in json.loads(report_files(run)["findings.json"])
    )
    assert "21 of 21 trials finished" in page
    assert "CC BY 4.0" in page
    assert "Beside the paper" in page
    assert "Saal et al." in page


def test_the_average_of_the_seeds_predictions_is_tested_like_one_model(make_run):
    run = make_run(make_study(seeds=[0, 1, 2]))
    build_report(run)
    errors = pd.read_csv(run.storage.local_path / "report/tables/errors.csv").set_index(["model", "depth"])
    results = run.results(run.study().trials()).query("model == 'irnet' and depth == 17")
    tables = [run.predictions(trial_id) for trial_id in results["trial_id"]]
    average = np.mean([table["prediction"] for table in tables], axis=0)
    expected = np.abs(average - tables[0]["target"]).mean()
    assert errors.loc[("irnet", 17), "ensemble_mae"] == pytest.approx(expected, rel=1e-12)
    assert expected < results["test_mae"].min()


def test_the_page_needs_nothing_beside_itself(make_run):
    run = make_run()
    page = read_page(run)
    requests = Requests()
    requests.feed(page)
    assert requests.fetched == []
    assert len(requests.linked) > 20
    assert set(requests.linked) <= set(report_files(run))
    assert not re.search(r"@import|url\((?!#)", page)


def test_the_same_files_give_the_same_report(make_run):
    run = make_run(make_study(seeds=[0, 1]))
    build_report(run)
    first = report_files(run)
    build_report(run)
    assert report_files(run) == first


def test_findings_for_programs(make_run):
    run = make_run(make_study(seeds=[0, 1, 2], data=BIG))
    build_report(run)
    plain, *_ = json.loads(report_files(run)["findings.json"])
    assert {"claim", "verdict", "effect", "low", "high", "seeds", "sentence"} <= set(plain)
    assert (plain["verdict"], plain["where"], plain["optimistic"]) == ("reproduced", "oqmd, formation enthalpy", False)


def test_only_the_papers_protocol_is_warned_of(make_run):
    warning = "Optimistic test errors."
    assert warning not in read_page(make_run())
    page = read_page(make_run(make_study(split={"protocol": "paper"})))
    assert warning in page
    assert "Errors (test errors optimistic)" in page
    assert "Test MAE (eV/atom), optimistic" in page


def test_a_partial_run_says_what_is_missing(make_run):
    run = make_run(make_study(data=BIG), mae={"plain-17": 0.09, "irnet-17": 0.08})
    failed = next(trial for trial in run.study().trials() if trial.label == "plain-48")
    run.begin(failed, Trainer())
    run.fail(failed.id, "the loss is not finite in epoch 3 <at> 0.002")
    page = read_page(run)
    assert "2 of 7 trials finished" in page
    assert "the loss is not finite in epoch 3 &lt;at&gt; 0.002" in page
    assert "Not in this figure, because not finished: plain-48 (seed 0), SRNet-17 (seed 0)" in page
    assert "Not judged: no trial of plain-48 is finished." in page
    assert '<span class="verdict">reproduced</span>' not in page


def test_figures_without_trials_are_left_out(make_run):
    run = make_run(mae={"random_forest": 0.1})
    page = read_page(run)
    assert page.count("Left out: no trial that it needs is finished.") == 2
    assert "figures/learning_curves.png" not in report_files(run)
    assert "figures/error_distribution.png" in report_files(run)


def test_each_comparison_has_its_own_figures_and_old_files_go(make_run):
    data = {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": [20_000, 30_000]}
    run = make_run(make_study(data=data), {"irnet-17": 0.08, "irnet-48": 0.08})
    run.storage.write("report/figures/mae_by_depth.png", b"old")
    page = read_page(run)
    files = report_files(run)
    names = {"mae_by_depth_20000_training_rows.png", "mae_by_depth_30000_training_rows.csv"}
    assert {f"figures/{name}" for name in names} <= set(files)
    assert "figures/mae_by_depth.png" not in files
    assert "20,000 training rows" in page
    first, second, *_ = json.loads(files["findings.json"])
    assert first["where"] == "oqmd, formation enthalpy, 20,000 training rows"
    assert (first["claim"], first["verdict"]) == (second["claim"], "missing")


def test_different_forests_are_not_averaged(make_run):
    forest = {"kind": "random_forest"}
    run = make_run(make_study(models={"large": forest, "small": {**forest, "trees": 10}}))
    build_report(run)
    errors = pd.read_csv(run.storage.local_path / "report/tables/errors.csv")
    assert sorted(settings.split(",")[0] for settings in errors["settings"]) == ["trees 10", "trees 100"]


def test_a_run_on_a_table_that_is_elsewhere_now_is_reported(make_run, tmp_path):
    table = tmp_path / "mine.csv"
    table.write_text("formula,gap\nNaCl,5\n")
    data = {"dataset": {"path": str(table), "properties": {"gap": "eV"}}, "property": "gap", "train_size": 1000}
    run = make_run(make_study(data=data))
    first = read_page(run)
    table.unlink()
    second = read_page(run)
    assert "7 of 7 trials finished" in first
    assert "7 of 7 trials finished" in second
    assert "A table of one&#39;s own" in second or "A table of one's own" in second
    assert str(tmp_path) not in second


def test_a_run_without_a_finished_trial_has_no_report(make_run):
    with pytest.raises(RunError, match="no trial is finished"):
        build_report(make_run(mae={}))


def test_every_model_of_the_table_is_on_the_page(make_run):
    page = read_page(make_run())
    for label, mae in MAE.items():
        assert f"{mae:#.3g}" in page, label


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {**BIG, "train_size": [1000, 20_000]}},
        {"models": {"boosting": {"kind": "gradient_boosting"}}},
        {"models": {"networks": NETWORK, "boosting": {"kind": "gradient_boosting"}}},
    ],
)
def test_data_of_which_neither_a_network_nor_one_of_the_ten_is_finished(make_run, changes):
    study = make_study(**changes)
    run = make_run(study, {"gradient_boosting": 0.1} if len(study.data[0].train_size) == 1 else {})
    for trial in study.trials():
        if trial.train_size == BIG["train_size"] and trial.label in MAE:
            complete(run, trial, predictions(MAE[trial.label], trial.seed))
    finished = len(run.finished())
    assert f"{finished} of {len(study.trials())} trial" in read_page(run)
