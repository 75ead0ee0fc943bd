import numpy as np
import pytest
from report.synthetic import MAE, complete, make_study, predictions

from irnet_ray.errors import RunError
from irnet_ray.report.comparison import Point, compare
from irnet_ray.report.evidence import Evidence, read_evidence
from irnet_ray.report.findings import judge
from irnet_ray.study.run_directory import RunDirectory


def findings(run: RunDirectory):
    """The verdicts on plain depth, IRNet's depth and the forest."""
    study = run.study()
    (comparison,) = compare(study.trials(), run.results(study.trials()))
    evidence = read_evidence(run, comparison)
    return judge(comparison, evidence, optimistic=study.split.validation_is_test)


def test_the_papers_pattern_is_reproduced(make_run):
    plain, irnet, forest = findings(make_run())
    assert [plain.verdict, irnet.verdict, forest.verdict] == ["reproduced"] * 3
    assert plain.effect == pytest.approx(0.18 / 0.09)
    assert irnet.effect == pytest.approx(0.076 / 0.08)
    assert forest.effect == pytest.approx(0.08 / 0.105)
    assert plain.paper == pytest.approx(0.108 / 0.065)


def test_the_opposite_pattern_is_contradicted(make_run):
    opposite = {**MAE, "plain-48": 0.06, "irnet-48": 0.16, "random_forest": 0.05}
    assert [finding.verdict for finding in findings(make_run(mae=opposite))] == ["contradicted"] * 3


def test_a_ratio_near_the_threshold_is_inconclusive(tmp_path):
    run = RunDirectory(str(tmp_path))
    run.claim(make_study())
    for row, trial in enumerate(run.study().trials()):
        near = {"plain-48": 0.0901, "irnet-48": 0.0881, "random_forest": 0.0801}.get(trial.label, MAE[trial.label])
        complete(run, trial, predictions(near, seed=row))
    for finding in findings(run):
        assert finding.verdict == "inconclusive"
        assert finding.low < finding.effect < finding.high


def test_an_identical_pattern_of_errors_leaves_no_doubt(make_run):
    plain, *_ = findings(make_run())
    assert plain.low == pytest.approx(plain.high) == pytest.approx(2.0)


def test_missing_trials_are_named(make_run):
    plain, irnet, forest = findings(make_run(mae={"plain-17": 0.09, "irnet-17": 0.08, "irnet-48": 0.08}))
    assert (plain.verdict, plain.effect, plain.seeds) == ("missing", None, 0)
    assert "plain-48" in plain.sentence
    assert irnet.verdict == "reproduced"
    assert "random forest" in forest.sentence


def test_a_study_that_cannot_judge_says_what_it_lacks(make_run):
    models = {"networks": {"depth": 17, "shortcut": "none", "width": 0.25, "recipe": "fast"}}
    plain, irnet, forest = findings(make_run(make_study(models=models)))
    assert plain.sentence == "Not judged: the study has plain-17 only, and no second depth."
    assert irnet.sentence == "Not judged: the study has no IRNet."
    assert forest.sentence == "Not judged: the study has no IRNet and random forest."


def test_sentences_have_numbers_units_and_seeds(make_run):
    sentence = findings(make_run())[0].sentence
    assert "Plain-48 has a test MAE of 0.180 eV/atom and plain-17 of 0.0900 eV/atom, a ratio of 2.00" in sentence
    assert "over 400 test rows" in sentence
    assert "one seed each, so that the variation between seeds is not covered" in sentence


def test_several_seeds_are_averaged_and_their_spread_is_said(make_run):
    finding = findings(make_run(make_study(seeds=[0, 1, 2])))[0]
    assert finding.seeds == 3
    assert finding.effect == pytest.approx(2.0)
    assert "3 seeds each" in finding.sentence
    assert "one by one give 2.00 to 2.00" in finding.sentence


def test_the_papers_protocol_is_called_optimistic(make_run):
    finding = findings(make_run(make_study(split={"protocol": "paper"})))[0]
    assert "has an optimistic test MAE" in finding.sentence


def test_the_interval_is_paired_and_as_wide_as_theory_has_it():
    generator = np.random.default_rng(3)
    below = generator.exponential(size=2000)
    above = 1.5 * below + 0.2 * generator.standard_normal(2000)
    first, second = Point("plain", 48), Point("plain", 17)
    ratio = Evidence({first: {0: above}, second: {0: below}}).ratio(first, second)
    deviation = np.std(above - ratio.effect * below) / below.mean() / np.sqrt(2000)
    assert ratio.high - ratio.low == pytest.approx(2 * 1.96 * deviation, rel=0.1)


def test_trials_on_different_rows_are_refused(make_run):
    run = make_run()
    trial = run.study().trials()[0]
    complete(run, trial, predictions(0.1, 0, rows=399))
    with pytest.raises(RunError, match="other rows"):
        findings(run)
