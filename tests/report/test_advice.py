import math

import numpy as np
import pytest
from report.synthetic import complete, make_study, predictions

from irnet_ray.errors import RunError
from irnet_ray.report.advice import Series, advice_table, advise, fit_series, law_table
from irnet_ray.report.comparison import compare
from irnet_ray.study.run_directory import RunDirectory

SIZES = [1000, 5000, 20_000, 100_000, 300_000]


def made(tmp_path, error, sizes=SIZES, depths=(10, 17, 48)):
    data = {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": list(sizes)}
    networks = {"depth": list(depths), "shortcut": "layer", "width": 0.25, "recipe": "fast"}
    study = make_study(data=data, models={"networks": networks}, seeds=[0, 1, 2])
    run = RunDirectory(str(tmp_path))
    run.claim(study)
    for trial in study.trials():
        mae = error(trial.architecture.depth, trial.train_size)
        if mae is not None:
            complete(run, trial, predictions(mae * (1 + 0.005 * (trial.seed - 1)), seed=0, rows=50))
    return run


def deeper_is_better_above_20_000_rows(depth, rows):
    return {10: 3.0, 17: 3.0, 48: 3.0 * (20_000 / rows) ** 0.1}[depth] * rows**-0.3


def series(run):
    (found,) = fit_series(compare(run.study().trials(), run.results(run.study().trials())))
    return found


def test_the_shallowest_depth_that_none_beats_is_taken(tmp_path):
    found = series(made(tmp_path, deeper_is_better_above_20_000_rows))
    assert sorted(found.curves) == [10, 17, 48]
    assert [found.best_depth(rows) for rows in (500, 2000, 20_000, 100_000, 1_000_000)] == [10, 10, 10, 48, 48]


def test_depths_are_compared_by_what_was_measured_where_no_law_holds(tmp_path):
    """What lies beside the law is alike in both depths, and larger than what is between them."""

    def error(depth, rows):
        kink = {1000: 1.0, 5000: 0.9, 20_000: 1.1, 100_000: 1.0, 300_000: 0.9}[rows]
        return kink * rows**-0.3 * (0.97 if depth == 48 and rows > 20_000 else 1.0)

    found = series(made(tmp_path, error, depths=(17, 48)))
    assert [found.best_depth(rows) for rows in (1000, 20_000, 100_000, 300_000)] == [17, 17, 48, 48]
    for depth, errors in found.errors.items():
        for rows, seeds in errors.items():
            _, low, high = found.curves[depth].at(rows)
            assert low <= np.mean(list(seeds.values())) <= high


def test_the_advice_says_what_twice_the_data_would_buy(tmp_path):
    run = made(tmp_path, deeper_is_better_above_20_000_rows)
    text = advise(run, 5000)
    assert text.startswith("oqmd, formation enthalpy, composition, width 0.25, 5,000 training rows\n")
    assert "Take 10 layers: no deeper network is lower by more than the measurements leave open." in text
    assert "Twice the data would lower the error by 19% (95% interval 1" in text  # 1 - 2**-0.3
    assert "beyond" not in text
    assert "c N^-0.30" in text
    assert "Twice as many reaches beyond the sizes that were tried, 1,000 to 300,000." in advise(run, 200_000)
    assert "0.233" in text
    far = advise(run, 2_000_000)
    assert "Take 48 layers: the deepest that was tried has the lowest error." in far
    assert far.endswith("This reaches beyond the sizes that were tried, 1,000 to 300,000.")


def test_the_table_goes_from_the_fewest_rows_to_beyond_the_most(tmp_path):
    table = advice_table(series(made(tmp_path, deeper_is_better_above_20_000_rows)))
    assert table["train_rows"].tolist() == [1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
    assert table["layers"].iloc[0] < table["layers"].iloc[-1] == 48
    assert table["layers"].is_monotonic_increasing
    assert table["reach"].tolist() == [""] * 6 + ["beyond what was tried"]


@pytest.mark.parametrize("seeds", [1, 2, 3, 10])
def test_equal_depths_with_noise_give_the_shallowest(seeds):
    generator = np.random.default_rng(0)
    shallow, tries = 0, 200
    for _ in range(tries):
        errors = [
            {rows: {seed: math.exp(0.02 * generator.standard_normal()) for seed in range(seeds)} for rows in SIZES}
            for _ in range(2)
        ]
        shallow += Series("", "", "", {}, dict(zip((17, 48), errors, strict=True))).best_depth(30_000) == 17
    assert shallow >= 0.95 * tries


def test_what_is_not_finished_is_named(tmp_path):
    def error(depth, rows):
        return (
            None if (depth, rows) == (48, 300_000) or rows == 5000 else deeper_is_better_above_20_000_rows(depth, rows)
        )

    text = advise(made(tmp_path, error), 200_000)
    every = "IRNet-10 (seeds 0, 1, 2), IRNet-17 (seeds 0, 1, 2) and IRNet-48 (seeds 0, 1, 2) with 5,000 training rows"
    assert text.endswith(f"Without what has no result: IRNet-48 (seeds 0, 1, 2) with 300,000 training rows; {every}.")


def test_the_laws_stand_beside_the_advice(tmp_path):
    table = law_table(series(made(tmp_path, deeper_is_better_above_20_000_rows))).set_index("layers")
    assert table["exponent"].tolist() == pytest.approx([0.3, 0.3, 0.4], abs=0.02)
    low, high = map(float, table.loc[48, "exponent_interval"].split(" to "))
    assert low <= 0.4 <= high
    assert table["floor"].tolist() == [0.0, 0.0, 0.0]
    assert all(interval.startswith("0.00 to ") for interval in table["floor_interval"])
    assert (set(table["from_rows"]), set(table["to_rows"])) == ({1000}, {300_000})


def test_three_sizes_tell_of_no_floor(tmp_path):
    table = law_table(series(made(tmp_path, deeper_is_better_above_20_000_rows, sizes=SIZES[:3])))
    assert table["floor"].isna().all()
    assert set(table["floor_interval"]) == {"too few sizes"}
    assert table["scale"].tolist() == pytest.approx([3.0, 3.0, 3.0 * 20_000**0.1], rel=0.05)


def test_too_few_sizes_give_no_advice(tmp_path):
    run = made(tmp_path, deeper_is_better_above_20_000_rows, sizes=SIZES[:2], depths=[17])
    with pytest.raises(RunError, match=r"advice takes finished IRNets on 3 numbers of training rows.*data.train_size"):
        advise(run, 5000)
