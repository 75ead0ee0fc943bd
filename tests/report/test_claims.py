from dataclasses import replace

import numpy as np
import pytest
from report.made_up import BIG, NETWORKS, SEEDS, THE_REST, made, verdicts
from report.synthetic import MAE, complete, judged_of, make_study, predictions

from irnet_ray.report.claims import QUESTIONS, judge
from irnet_ray.report.claims.depth import effects_of_depth, order_of_placements
from irnet_ray.report.claims.finding import Claim, Judged
from irnet_ray.report.claims.robustness import predicting_times, training_times, worst_tenths
from irnet_ray.report.claims.size import winners_on_big_data, winners_on_small_data
from irnet_ray.report.comparison import Point
from irnet_ray.study.run_directory import RunDirectory


@pytest.mark.parametrize(
    ("claim", "interval", "verdict"),
    [
        (Claim("", 1.0, "above"), (1.1, 1.2), "reproduced"),
        (Claim("", 1.0, "above"), (0.8, 0.9), "contradicted"),
        (Claim("", 1.0, "below"), (0.8, 0.9), "reproduced"),
        (Claim("", 1.0, "below"), (1.1, 1.2), "contradicted"),
        (Claim("", 1.0, "below"), (0.9, 1.1), "inconclusive"),
        (Claim("", 1.25, "below"), (1.1, 1.2), "reproduced"),
    ],
)
def test_a_verdict_is_where_the_interval_lies(claim, interval, verdict):
    assert claim.verdict(*interval) == verdict


def test_the_papers_pattern_is_reproduced(make_run):
    run = judged_of(make_run(make_study(seeds=SEEDS, data=BIG)))
    plain, srnet, srnet_no_worse, irnet, irnet_no_worse = effects_of_depth(run)
    assert verdicts([plain, srnet, irnet]) == ["reproduced", "contradicted", "reproduced"]
    assert (irnet.claim, irnet.criterion) == ("IRNet gets better with depth", "ratio below 1")
    assert (irnet_no_worse.claim, irnet_no_worse.criterion) == (
        "IRNet gets at most 10% worse with depth",
        "ratio below 1.1, a threshold of ours",
    )
    assert irnet_no_worse.effect == irnet.effect
    assert (srnet_no_worse.verdict, irnet_no_worse.verdict) == ("contradicted", "reproduced")
    assert plain.effect == pytest.approx(0.18 / 0.09)
    assert irnet.effect == pytest.approx(0.076 / 0.08)
    assert plain.paper == pytest.approx(0.108 / 0.065)
    assert srnet.paper == pytest.approx(0.047 / 0.055)
    (baselines,) = winners_on_big_data(run)
    assert baselines.effect == pytest.approx(0.08 / 0.105)
    assert baselines.paper == pytest.approx(0.054 / 0.077)


def test_without_48_layers_the_deepest_is_compared_with_the_shallowest(tmp_path):
    models = {"networks": {**NETWORKS, "depth": [10, 17]}}
    run = made(tmp_path, lambda trial: {10: 0.1, 17: 0.08}[trial.architecture.depth], models=models, data=BIG)
    plain, _, irnet = effects_of_depth(judged_of(run))
    for finding, model in ((plain, "plain"), (irnet, "irnet")):
        assert finding.place.models == (Point(model, 17), Point(model, 10))
        assert finding.effect == pytest.approx(0.8)
        assert finding.paper is None


def test_seeds_that_early_stopping_left_give_no_verdict(tmp_path):
    def error(trial):
        stopped = trial.label == "plain-48" and trial.seed > 2
        return None if stopped else 0.2 if trial.label == "plain-48" else 0.1

    run = made(tmp_path, error, models={"networks": NETWORKS}, data=BIG, seeds=list(range(5)))
    (judged,) = judged_of(run)
    assert effects_of_depth([judged])[0].verdict == "reproduced"
    plain, *_ = effects_of_depth([replace(judged, stopped=frozenset(each.id for each in judged.comparison.missing))])
    assert (plain.verdict, plain.seeds) == ("missing", 3)
    assert plain.effect == pytest.approx(2.0, rel=0.01)
    assert "No verdict: trainings of plain-48 that looked poor were ended early" in plain.sentence


def test_the_opposite_pattern_is_contradicted(make_run):
    opposite = {**MAE, "plain-48": 0.06, "irnet-48": 0.16, "random_forest": 0.05}
    run = judged_of(make_run(make_study(seeds=SEEDS, data=BIG), mae=opposite))
    plain, _, _, irnet, _ = effects_of_depth(run)
    assert verdicts([plain, irnet, winners_on_big_data(run)[0]]) == ["contradicted"] * 3


def test_placements_are_compared_at_each_depth(make_run):
    findings = order_of_placements(judged_of(make_run(make_study(seeds=SEEDS, data=BIG))))
    assert [finding.claim for finding in findings] == [
        "IRNet-17 beats SRNet-17",
        "IRNet-48 beats SRNet-48",
        "SRNet-17 beats plain-17",
        "SRNet-48 beats plain-48",
        "IRNet-17 beats plain-17",
        "IRNet-48 beats plain-48",
    ]
    assert verdicts(findings) == ["inconclusive", *["reproduced"] * 5]
    assert findings[1].paper == pytest.approx(0.038 / 0.047)


def test_fewer_than_three_seeds_give_numbers_but_no_verdict(make_run):
    plain, *_ = effects_of_depth(judged_of(make_run(make_study(seeds=[0, 1], data=BIG))))
    assert (plain.verdict, plain.seeds) == ("missing", 2)
    assert plain.effect == pytest.approx(2.0)
    text = "No verdict yet, as it takes 3 seeds: plain-48 has 2 finished seeds and plain-17 has 2 finished seeds."
    assert plain.sentence.endswith(text)


def test_what_is_not_random_needs_no_seeds(tmp_path):
    models = {"networks": NETWORKS, "ridge": {"kind": "ridge"}}
    run = made(tmp_path, lambda trial: 0.1 if trial.label == "ridge" else 0.2, models=models, data=BIG)
    (baselines,) = winners_on_big_data(judged_of(run))
    assert (baselines.verdict, baselines.seeds) == ("contradicted", 1)
    assert baselines.effect == pytest.approx(0.2 * 1.005 / 0.1)


@pytest.mark.parametrize(
    ("rest", "rows", "judge_it", "verdict"),
    [
        (THE_REST, 20_000, winners_on_big_data, "reproduced"),
        ({}, 20_000, winners_on_big_data, "inconclusive"),
        (THE_REST, 9_000, winners_on_small_data, "contradicted"),
        ({}, 9_000, winners_on_small_data, "inconclusive"),
        (THE_REST, 20_000, worst_tenths, "reproduced"),
        ({}, 20_000, worst_tenths, "inconclusive"),
        ({"svm": {"kind": "svm"}}, 20_000, winners_on_big_data, "inconclusive"),  # and is cut
    ],
)
def test_a_network_is_ahead_of_the_ten_only_where_all_were_tried(tmp_path, rest, rows, judge_it, verdict):
    models = {"networks": {**NETWORKS, "depth": 17}, "forest": {"kind": "random_forest"}, **rest}
    mae = {"plain-17": 0.12, "irnet-17": 0.1, "random_forest": 0.11}
    is_cut = len(rest) == 1
    run = made(
        tmp_path,
        lambda trial: None if is_cut and trial.label in rest else mae.get(trial.label, 0.2),
        models=models,
        data={**BIG, "train_size": rows},
    )
    (judged,) = judged_of(run)
    cut = frozenset(trial.id for trial in judged.comparison.missing)
    finding, *_ = judge_it([replace(judged, given_up=cut)])
    assert (finding.verdict, finding.place.models[1].label) == (verdict, "random forest")
    assert finding.effect == pytest.approx(0.1 / 0.11)
    assert 0.85 < finding.low < finding.effect < finding.high < 1
    tried = "it is the best of 10 of the paper's ten tried in 10 settings"
    if len(rest) < len(THE_REST):
        tried = "it is the best of 1 of the paper's ten tried in 1 setting, and the other 9 may err less"
    if is_cut:
        tried += "; cut by a limit or failed in some setting: support vector machine"
    assert finding.sentence.endswith(f"; {tried}.")


def test_baselines_that_are_ahead_need_not_be_all(tmp_path):
    models = {"networks": {**NETWORKS, "depth": 17}, "forest": {"kind": "random_forest"}}
    mae = {"plain-17": 0.12, "irnet-17": 0.1, "random_forest": 0.09}
    run = judged_of(
        made(tmp_path, lambda trial: mae[trial.label], models=models, data={**BIG, "train_size": [9000, 20_000]})
    )
    assert verdicts([*winners_on_small_data(run), *winners_on_big_data(run)]) == ["reproduced", "contradicted"]


def test_missing_trials_are_named(make_run):
    finished = {"plain-17": 0.09, "irnet-17": 0.08, "irnet-48": 0.06}
    run = judged_of(make_run(make_study(seeds=SEEDS, data=BIG), mae=finished))
    plain, srnet, _, irnet, _ = effects_of_depth(run)
    assert (plain.verdict, plain.effect, plain.seeds) == ("missing", None, 0)
    assert plain.sentence == "Not judged: no trial of plain-48 is finished."
    assert srnet.sentence == "Not judged: no trial of SRNet-48 and SRNet-17 is finished."
    assert irnet.verdict == "reproduced"
    (baselines,) = winners_on_big_data(run)
    assert baselines.sentence == "Not judged: no trial of random forest is finished."


def test_depth_must_pay_on_more_than_100_000_rows(make_run):
    run = make_run(make_study(seeds=SEEDS, data={**BIG, "train_size": 150_000}), mae={**MAE, "irnet-48": 0.082})
    _, _, irnet = effects_of_depth(judged_of(run))
    assert (irnet.claim, irnet.criterion) == ("IRNet gets better with depth", "ratio below 1")
    assert irnet.verdict == "contradicted"


def test_with_fewer_rows_depth_must_do_no_harm_but_for_figure_1(tmp_path):
    run = judged_of(made(tmp_path, lambda trial: 0.1, models={"networks": NETWORKS}, data=BIG))
    _, _, irnet = effects_of_depth(run)
    assert (irnet.claim, irnet.verdict) == ("IRNet gets at most 10% worse with depth", "reproduced")


def test_depths_of_the_paper_are_compared_where_there_are_others_besides(tmp_path):
    models = {"networks": {**NETWORKS, "depth": [10, 17, 24, 48], "shortcut": "layer"}}
    mae = {"irnet-10": 0.12, "irnet-17": 0.1, "irnet-24": 0.095, "irnet-48": 0.09}
    data = {**BIG, "train_size": 150_000}
    *_, irnet = effects_of_depth(judged_of(made(tmp_path, lambda trial: mae[trial.label], models=models, data=data)))
    assert irnet.effect == pytest.approx(0.9)
    assert irnet.paper == pytest.approx(0.048 / 0.054)


def test_the_papers_ratio_is_of_the_same_kind_of_property(tmp_path):
    data = {**BIG, "property": "band_gap"}
    run = judged_of(made(tmp_path, lambda trial: 0.1, models={"networks": NETWORKS}, data=data))
    papers = {finding.claim: finding.paper for finding in order_of_placements(run)}
    assert papers == {
        "IRNet-17 beats plain-17": pytest.approx(0.051 / 0.052),
        "IRNet-48 beats plain-48": None,  # Figure 1 has them on formation enthalpies
    }


def test_small_data_say_nothing_of_claims_on_big_data(make_run):
    run = judged_of(make_run(make_study(seeds=SEEDS)))
    for claim in (effects_of_depth, order_of_placements, winners_on_big_data, worst_tenths):
        assert all("15,000 rows or more" in finding.sentence for finding in claim(run)), claim


def with_baselines(tmp_path, error, cut=()):
    models = {
        "networks": {**NETWORKS, "depth": 17},
        "ridge": {"kind": "ridge"},
        "svm": {"kind": "svm", "cost": [1, 10]},
    }
    run = made(tmp_path, error, models=models, data=BIG)
    (each,) = judged_of(run)
    ids = {trial.id for trial in run.study().trials() if trial.label in cut}
    return Judged(each.comparison, each.evidence, each.optimistic, frozenset(ids))


def half_finished(trial):
    unfinished = trial.label == "svm" and trial.model.cost == 10
    return None if unfinished else {"ridge": 0.2, "svm": 0.15}.get(trial.label, 0.1)


def test_no_verdict_while_a_baseline_may_still_be_better(tmp_path):
    run = with_baselines(tmp_path, half_finished)
    finding = winners_on_big_data([run])[0]
    assert (finding.verdict, finding.effect) == ("missing", None)
    assert finding.sentence == "Not judged: of the baselines support vector machine are not finished."


def test_a_baseline_that_was_cut_is_named(tmp_path):
    run = with_baselines(tmp_path, half_finished, cut=("svm",))
    finding = winners_on_big_data([run])[0]
    assert "the support vector machine of 0.150 eV/atom" in finding.sentence
    assert "; it is the best of 2 of the paper's ten tried in 2 settings, and the other 8 may" in finding.sentence
    assert finding.sentence.endswith("cut by a limit or failed in some setting: support vector machine.")


def test_what_is_not_one_of_the_ten_is_told_beside_them(tmp_path):
    models = {
        "networks": {**NETWORKS, "depth": 17},
        "ridge": {"kind": "ridge"},
        "boosting": {"kind": "gradient_boosting", "seeds": 0},
    }
    mae = {"ridge": 0.2, "gradient_boosting": 0.05}
    run = made(tmp_path, lambda trial: mae.get(trial.label, 0.1), models=models, data=BIG)
    (finding,) = winners_on_big_data(judged_of(run))
    assert finding.place.models[1].label == "ridge regression"
    assert finding.sentence.endswith("; gradient boosting, which is not one of the ten, has 0.0500.")


def test_seeds_that_differ_between_models_are_not_enough(tmp_path):
    models = {"networks": {**NETWORKS, "depth": 17}, "forest": {"kind": "random_forest", "seeds": [3, 4, 5]}}
    finding = winners_on_big_data(judged_of(made(tmp_path, lambda trial: 0.1, models=models, data=BIG)))[0]
    assert finding.verdict == "missing"
    assert finding.sentence.endswith("No verdict yet, as both have only 0 seeds in common.")


def test_a_study_that_cannot_judge_says_what_it_lacks(make_run):
    models = {"networks": {"depth": 17, "shortcut": "none", "width": 0.25, "recipe": "fast"}}
    by_question = judge(judged_of(make_run(make_study(models=models))))
    assert list(by_question) == [question.title for question in QUESTIONS]
    findings = [finding for group in by_question.values() for finding in group]
    assert set(verdicts(findings)) == {"missing"}
    assert (
        findings[0].sentence
        == "Not judged: the study has no plain network of two depths on the same 15,000 rows or more."
    )
    assert all(finding.sentence.startswith("Not judged: ") and not finding.speaks for finding in findings)


def test_sentences_have_numbers_units_and_seeds(make_run):
    sentence = effects_of_depth(judged_of(make_run(make_study(seeds=SEEDS, data=BIG))))[0].sentence
    start = "Plain-48 has a test MAE of 0.182 eV/atom and plain-17 of 0.0909 eV/atom, a ratio of 2.00"
    assert sentence.startswith(start)
    assert "(95% interval over 400 test rows and 3 seeds" in sentence
    assert sentence.endswith("; the seeds one by one give 2.00 to 2.00.")


def test_the_papers_protocol_is_called_optimistic(make_run):
    plain, *_ = effects_of_depth(judged_of(make_run(make_study(split={"protocol": "paper"}, data=BIG))))
    assert "has an optimistic test MAE" in plain.sentence


def test_errors_that_are_mostly_zero_have_no_worst_tenth(tmp_path):
    models = {"networks": {**NETWORKS, "depth": 17}, "forest": {"kind": "random_forest"}}
    run = RunDirectory(str(tmp_path / "run"))
    run.claim(make_study(seeds=SEEDS, data=BIG, models=models))
    for trial in run.study().trials():
        table = predictions(0.1, seed=0)
        if trial.label != "irnet-17":
            table["prediction"] = table["prediction"].where(np.arange(len(table)) % 20 == 0, table["target"])
        complete(run, trial, table)
    sentences = [finding.sentence for finding in worst_tenths(judged_of(run))]
    assert sentences == [
        f"Not judged: nine tenths of the errors of {name} are next to zero." for name in ("random forest", "plain-17")
    ]


def test_a_single_test_row_gives_no_verdict(tmp_path):
    run = RunDirectory(str(tmp_path / "run"))
    run.claim(make_study(seeds=SEEDS, data=BIG, models={"networks": NETWORKS}))
    for trial in run.study().trials():
        complete(run, trial, predictions(0.1, seed=0)[:1])
    findings = [finding for group in judge(judged_of(run)).values() for finding in group]
    assert {finding.effect for finding in findings} <= {None, 1.0}  # times have no rows
    assert "a single test row does not tell how much rows differ" in order_of_placements(judged_of(run))[0].sentence


def test_the_worst_tenth_and_times(tmp_path):
    models = {"networks": {**NETWORKS, "depth": 17}, "forest": {"kind": "random_forest"}}
    mae = {"plain-17": 0.12, "irnet-17": 0.1, "random_forest": 0.11}
    run = judged_of(made(tmp_path, lambda trial: mae[trial.label], models=models, data=BIG))
    forest, plain = worst_tenths(run)
    assert plain.verdict == "reproduced"
    assert forest.effect == pytest.approx(0.1 / 0.11)
    absolute = np.abs(predictions(0.1, 0)["prediction"] - predictions(0.1, 0)["target"])
    assert f"are below {np.quantile(absolute, 0.9) * 1.005:.3f}" in forest.sentence
    (training,) = training_times(run)
    (predicting,) = predicting_times(run)
    assert (training.effect, training.verdict) == (1, "reproduced")
    assert (predicting.effect, predicting.verdict) == (1, "contradicted")


def test_seeds_without_a_result_are_told(tmp_path):
    def error(trial):
        if trial.label == "irnet-17":
            return 0.1
        return None if trial.seed == 3 else 0.2

    data = {**BIG, "train_size": 20_000}
    run = judged_of(
        made(tmp_path, error, models={"networks": {**NETWORKS, "depth": 17}}, data=data, seeds=[0, 1, 2, 3])
    )
    (order,) = order_of_placements(run)
    assert order.verdict == "reproduced"
    assert order.sentence.endswith(". Without a result: 1 of 4 planned seeds of plain-17.")
    (training,) = training_times(run)
    assert training.sentence.endswith(". Without a result: 1 of 4 planned seeds of plain-17.")


def test_beside_percentiles_stand_percentiles(tmp_path):
    models = {"networks": {**NETWORKS, "depth": 17}, "ridge": {"kind": "ridge"}}
    models["boosting"] = {"kind": "gradient_boosting", "seeds": 0}
    run = judged_of(made(tmp_path, lambda trial: 0.1, models=models, data=BIG))
    ridge, _ = worst_tenths(run)
    table = predictions(0.1, 0)
    percentile = np.quantile(np.abs(table["prediction"] - table["target"]), 0.9)
    assert ridge.sentence.endswith(f"; gradient boosting, which is not one of the ten, has {percentile:.3f}.")
