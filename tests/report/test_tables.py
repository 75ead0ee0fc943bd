import json

import numpy as np
import pandas as pd
import pytest

from irnet_ray.report.tables import error_pivot, error_table, format_table


def results(*rows: tuple[str, int | None, int, float]) -> pd.DataFrame:
    """Results of models at depths with seeds and test MAE (eV/atom)."""
    table = pd.DataFrame(rows, columns=["model", "depth", "seed", "test_mae"])
    is_network = table["depth"].notna()
    return table.astype({"depth": "Int64"}).assign(
        trial_id=[f"{model}-{depth}-{seed}" for model, depth, seed, _ in rows],
        dataset="oqmd",
        property="formation_enthalpy",
        unit="eV/atom",
        representation="composition",
        train_size=1000,
        shortcut=np.where(is_network, "layer", None),
        width=np.where(is_network, 0.25, np.nan),
        recipe=np.where(is_network, "fast", None),
        settings=np.where(is_network, None, "trees 100"),
        n_parameters=pd.array([1_234_567 if each else None for each in is_network], dtype="Int64"),
        val_mae=table["test_mae"] / 2,
        test_rmse=table["test_mae"] * 2,
        test_r2=0.98765,
        test_p90=table["test_mae"] * 3,
        train_seconds=60.0,
    )


RESULTS = results(
    ("random_forest", None, 0, 0.105),
    ("irnet", 17, 0, 0.080),
    ("irnet", 17, 1, 0.084),
    ("plain", 48, 0, 0.18),
    ("plain", 17, 0, 0.09),
)


def test_errors_are_averaged_over_seeds():
    row = error_table(RESULTS).set_index(["model", "depth"]).loc[("irnet", 17)]
    assert row["seeds"] == 2
    assert row["test_mae"] == pytest.approx(0.082)
    assert row["test_mae_std"] == pytest.approx(0.004 / np.sqrt(2))
    assert row["test_p90"] == pytest.approx(0.246)


def test_one_seed_has_no_deviation_and_a_forest_is_kept():
    table = error_table(RESULTS)
    assert table["model"].tolist() == ["plain", "plain", "irnet", "random_forest"]
    assert table["test_mae_std"].isna().tolist() == [True, True, False, True]


def test_seeds_are_also_averaged_as_one_ensemble():
    asked = []
    table = error_table(RESULTS, lambda trial_ids: asked.append(trial_ids) or 0.071)
    assert asked == [["irnet-17-0", "irnet-17-1"]]
    assert table["ensemble_mae"].tolist() == [
        pytest.approx(each, nan_ok=True) for each in (np.nan, np.nan, 0.071, np.nan)
    ]


def test_other_training_sizes_are_not_averaged():
    both = pd.concat([RESULTS, RESULTS.assign(train_size=2000, test_mae=0.05)])
    assert error_table(both)["train_size"].tolist() == [1000] * 4 + [2000] * 4


def test_pivot_puts_models_side_by_side():
    pivot = error_pivot(RESULTS)
    assert pivot["depth"].tolist() == [17, 48, pd.NA]
    assert pivot["plain"].tolist()[:2] == [0.09, 0.18]
    assert pivot["irnet"].tolist()[0] == pytest.approx(0.082)
    assert pivot["random_forest"].tolist()[2] == 0.105
    assert pivot[["plain", "irnet"]].iloc[2].isna().all()


def test_text_is_aligned_has_units_and_says_once_what_all_rows_share():
    lines = format_table(error_table(RESULTS), "table").splitlines()
    assert "dataset: oqmd" in lines[0]
    assert "width: 0.25" in lines[0]
    assert "test_mae (eV/atom)" in lines[2]
    end = lines[2].index("test_mae (eV/atom)") + len("test_mae (eV/atom)")
    assert [line[:end].split()[-1] for line in lines[3:]] == ["0.0900", "0.180", "0.0820", "0.105"]
    assert "1,234,567" in lines[3]
    assert "0.9877" in lines[3]


def test_pivot_has_the_best_of_several_baselines_by_the_validation_error():
    rows = results(("random_forest", None, 0, 0.10), ("ridge", None, 0, 0.2), ("gradient_boosting", None, 0, 0.05))
    better_on_test = rows.iloc[:1].assign(test_mae=0.09, val_mae=0.3, settings="trees 5")
    pivot = error_pivot(pd.concat([rows, better_on_test]))
    assert pivot.columns[-2:].tolist() == ["gradient_boosting", "best_of_ten"]
    assert pivot[["best_of_ten", "gradient_boosting"]].iloc[0].tolist() == [0.10, 0.05]


def test_text_of_the_pivot():
    lines = format_table(error_pivot(RESULTS), "table").splitlines()
    assert lines[2].split("  ")[0] == "depth"
    assert lines[3].split() == ["17", "0.0900", "0.0820", "-"]
    assert lines[5].split() == ["-", "-", "-", "0.105"]


def test_json_keeps_all_digits():
    rows = json.loads(format_table(error_table(RESULTS), "json"))
    assert rows[2]["test_mae"] == pytest.approx(0.082, abs=1e-15)
    assert rows[0]["test_mae_std"] is None


def test_a_table_of_another_kind_is_formatted_too():
    assert format_table(pd.DataFrame({"state": ["done", "waiting"], "epoch": [3, None]}), "table").splitlines() == [
        "state    epoch",
        "done         3",
        "waiting      -",
    ]
