import json
import math
from dataclasses import asdict

import pytest
from report.made_up import BIG, NETWORKS, THE_REST, made, verdicts
from report.synthetic import judged_of

from irnet_ray.report.claims import OF_OURS
from irnet_ray.report.claims.crossings import crossings
from irnet_ray.report.claims.size import winners_on_big_data, winners_on_small_data


def with_sizes(tmp_path, error, sizes=(1000, 5000, 20_000, 150_000), all_ten_up_to=math.inf):
    """Judges a run on several sizes, with all of the ten up to one of them and with the forest alone on more."""
    few, many = ([size for size in sizes if (size <= all_ten_up_to) == is_few] for is_few in (True, False))
    models = {"networks": {**NETWORKS, "shortcut": "layer"}, "forest": {"kind": "random_forest"}, **THE_REST}
    data = [{**BIG, "train_size": few}, {**BIG, "train_size": many, "models": ["networks", "forest"]}]
    data = [block for block in data if block["train_size"]]
    models = models if few else {name: models[name] for name in ("networks", "forest")}

    def of_any(trial):
        return 1.0 if trial.model_name in THE_REST else error(trial)

    return judged_of(made(tmp_path, of_any, data=data, models=models))


def law(trial):
    """IRNet-17 overtakes the forest at 10,000 rows, and IRNet-48 overtakes IRNet-17 at 40,000."""
    rows = math.log10(trial.train_size)
    return {
        "random_forest": 10 ** (-0.3 * rows),
        "irnet-17": 10 ** (-0.3 * rows - 0.2 * (rows - 4)),
        "irnet-48": 10 ** (-0.3 * rows - 0.2 * (rows - 4) - 0.2 * (rows - math.log10(40_000))),
    }[trial.label]


def test_crossings_are_found_between_the_sizes(tmp_path):
    run = with_sizes(tmp_path, law)
    over_baselines, _, deeper = crossings(run)
    assert over_baselines.effect == pytest.approx(10_000, rel=0.02)
    assert over_baselines.low <= 10_000 <= over_baselines.high
    assert (over_baselines.verdict, over_baselines.paper, over_baselines.seeds) == ("reproduced", 15_000, 3)
    assert deeper.effect == pytest.approx(40_000, rel=0.02)
    assert deeper.verdict == "reproduced"
    assert "from 40,000 training rows (" in deeper.sentence
    assert verdicts(winners_on_big_data(run)) == ["reproduced", "reproduced"]
    small = winners_on_small_data(run)
    assert [(finding.place.where, finding.verdict) for finding in small] == [
        ("oqmd, formation enthalpy, 1,000 training rows", "reproduced"),
        ("oqmd, formation enthalpy, 5,000 training rows", "reproduced"),
    ]


def test_a_crossing_elsewhere_is_contradicted_and_one_beyond_the_sizes_has_no_number(tmp_path):
    def error(trial):
        return {"random_forest": 0.2, "irnet-17": 0.1, "irnet-48": 0.12}[trial.label]

    over_baselines, _, deeper = crossings(with_sizes(tmp_path, error))
    assert (over_baselines.verdict, deeper.verdict) == ("contradicted", "contradicted")
    assert (over_baselines.effect, over_baselines.high) == (None, None)
    assert over_baselines.words == ("fewer than 1,000",) * 3
    assert "from fewer than 1,000 training rows (" in over_baselines.sentence
    json.dumps([asdict(over_baselines), asdict(deeper)], allow_nan=False)


@pytest.mark.parametrize(
    ("all_ten_up_to", "verdict", "end"),
    [
        (150_000, "reproduced", "by 4 sizes from 1,000 to 150,000 rows."),
        (20_000, "reproduced", "20,000 rows; not all of the ten have a result with 150,000 training rows."),
        (5000, "inconclusive", "rows; up to 9 of the ten have no result and may put it higher."),
        (0, "inconclusive", "rows; up to 9 of the ten have no result and may put it higher."),
    ],
)
def test_a_crossing_is_judged_where_all_ten_are(tmp_path, all_ten_up_to, verdict, end):
    over_baselines, *_ = crossings(with_sizes(tmp_path, law, all_ten_up_to=all_ten_up_to))
    assert over_baselines.verdict == verdict
    assert over_baselines.effect == pytest.approx(10_000, rel=0.02)
    assert over_baselines.sentence.endswith(end)


def test_a_later_crossing_with_one_of_the_ten_is_no_matter_where_all_ten_tell(tmp_path):
    def forest_wins_again(trial):
        return 0.05 if (trial.label, trial.train_size) == ("random_forest", 150_000) else law(trial)

    over_baselines, *_ = crossings(with_sizes(tmp_path, forest_wins_again, all_ten_up_to=20_000))
    assert over_baselines.verdict == "reproduced"
    assert over_baselines.effect == pytest.approx(10_000, rel=0.02)


@pytest.mark.parametrize(
    ("all_ten_up_to", "forest", "verdict"),
    [
        (150_000, 0.2, "contradicted"),  # by a crossing at fewer rows than the paper's
        (0, 0.2, "inconclusive"),
        (0, 0.05, "contradicted"),  # by none up to many more
    ],
)
def test_what_has_no_result_can_only_put_a_crossing_higher(tmp_path, all_ten_up_to, forest, verdict):
    run = with_sizes(
        tmp_path, lambda trial: forest if trial.label == "random_forest" else 0.1, all_ten_up_to=all_ten_up_to
    )
    assert crossings(run)[0].verdict == verdict


@pytest.mark.parametrize(
    ("sizes", "forest", "verdict"),
    [
        ((20_000, 50_000, 150_000), 0.2, "inconclusive"),
        ((1000, 3000, 10_000), 0.05, "inconclusive"),
        ((1000, 3000, 60_000), 0.05, "contradicted"),
    ],
)
def test_sizes_that_do_not_reach_the_papers_crossing_do_not_contradict_it(tmp_path, sizes, forest, verdict):
    run = with_sizes(tmp_path, lambda trial: forest if trial.label == "random_forest" else 0.1, sizes=sizes)
    assert crossings(run)[0].verdict == verdict


def test_depths_cross_on_both_sides_of_100_000_rows_or_not_at_all(tmp_path):
    *_, deeper = crossings(with_sizes(tmp_path, lambda trial: 0.1, sizes=(1000, 5000, 20_000)))
    assert deeper.sentence == "Not judged: it takes sizes on both sides of 100,000 rows."


def test_widths_are_not_mixed_into_one_series(tmp_path):
    data = {**BIG, "train_size": [1000, 20_000]}
    models = {"networks": {**NETWORKS, "width": [0.25, 0.5]}, "forest": {"kind": "random_forest"}}
    findings = crossings(judged_of(made(tmp_path, lambda trial: 0.1, data=data, models=models)))
    assert verdicts(findings) == ["missing"] * 3


def test_a_crossing_takes_three_sizes(tmp_path):
    findings = crossings(with_sizes(tmp_path, law, sizes=(1000, 80_000)))
    assert [finding.sentence for finding in findings] == [
        "Not judged: it takes 3 numbers of training rows of the same data, with all that is compared finished."
    ] * 3


def with_plain(tmp_path, error, sizes=(1000, 5000, 20_000, 150_000)):
    data, models = {**BIG, "train_size": list(sizes)}, {"networks": {**NETWORKS, "depth": 17}}
    return judged_of(made(tmp_path, error, data=data, models=models))


@pytest.mark.parametrize(
    ("overtakes_at", "verdict", "words"),
    [(8000, "reproduced", "from 8,0"), (500, "reproduced", "from fewer than 1,000"), (100_000, "contradicted", "")],
)
def test_the_plain_network_is_overtaken_by_some_15_000_rows(tmp_path, overtakes_at, verdict, words):
    def error(trial):
        rows = trial.train_size
        return rows**-0.3 * ((rows / overtakes_at) ** -0.2 if trial.label == "irnet-17" else 1)

    _, over_plain, _ = crossings(with_plain(tmp_path, error))
    assert over_plain.verdict == verdict
    assert f"IRNet-17 errs less than plain-17 {words}" in over_plain.sentence


def test_a_size_that_lacks_a_network_is_named(tmp_path):
    def error(trial):
        return None if (trial.label, trial.train_size) == ("plain-17", 5000) else trial.train_size**-0.3

    _, over_plain, _ = crossings(with_plain(tmp_path, error))
    assert over_plain.sentence.endswith(" rows. Without 5,000 training rows (no trial of plain-17 is finished).")
    _, over_plain, _ = crossings(with_plain(tmp_path / "few", error, sizes=(1000, 5000, 20_000)))
    assert over_plain.sentence == (
        "Not judged: it takes 3 numbers of training rows of the same data, with all that is compared finished. "
        "Without 5,000 training rows (no trial of plain-17 is finished)."
    )


def test_a_seed_that_lacks_a_result_is_named_with_its_size(tmp_path):
    def error(trial):
        return None if (trial.label, trial.train_size, trial.seed) == ("plain-17", 5000, 0) else trial.train_size**-0.3

    _, over_plain, _ = crossings(with_plain(tmp_path, error))
    words = " Without a result: 1 of 3 planned seeds of plain-17 with 5,000 training rows."
    assert over_plain.verdict == "missing"
    assert over_plain.sentence.endswith(words)


def test_sizes_below_the_papers_do_not_tell_where_the_plain_network_is_overtaken(tmp_path):
    _, over_plain, _ = crossings(with_plain(tmp_path, lambda trial: trial.train_size**-0.3, sizes=(500, 1000, 2000)))
    assert over_plain.sentence == "Not judged: it takes sizes up to 15,000 rows and more."
    assert over_plain.claim in OF_OURS


def test_an_error_that_means_nothing_chooses_no_depth(tmp_path):
    """Where validation rows are trained on, the depth of the lowest error on them would be the one that overfits."""
    network = {**NETWORKS, "depth": [10, 17], "shortcut": "layer", "recipe": "best"}
    models = {"networks": network, "forest": {"kind": "random_forest"}}
    errors = {"irnet-10": 0.1, "irnet-17": 0.2, "random_forest": 0.15}
    chosen = {}
    for trained_on in (False, True):
        split = {"train_on_validation": trained_on}
        run = made(tmp_path / str(trained_on), lambda trial: errors[trial.label], models=models, split=split)
        (finding,) = winners_on_small_data(judged_of(run))
        chosen[trained_on] = finding.place.models[0].depth
    assert chosen == {False: 10, True: 17}
