from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

from irnet_ray.errors import DataError, FormulaError
from irnet_ray.features import (
    FractionsFeaturizer,
    MagpieFeaturizer,
    Ward2017Featurizer,
    composition,
    fractions,
    magpie,
    structure,
    ward2017,
)

FORMULAS = pd.Series(["NaCl", "Fe2O3", "SrTiO3", "LiFePO4", "Al", "CaF2", "ZnS", "GaAs"], index=list("abcdefgh"))
CRYSTALS = [bulk("Cu"), bulk("NaCl", "rocksalt", a=5.64), bulk("GaAs", "zincblende", a=5.65)]
CASES = [
    (MagpieFeaturizer(), FORMULAS, composition.LABELS),
    (FractionsFeaturizer(), FORMULAS, tuple(fractions([]).columns)),
    (Ward2017Featurizer(), CRYSTALS, structure.WARD_LABELS),
    (Ward2017Featurizer(range_columns=True), CRYSTALS, structure.LABELS),
]
IDS = ["magpie", "fractions", "ward2017", "ward2017 with ranges"]

CHECKS = [  # those that bring no numbers along
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]


def target(rows):
    return np.arange(len(rows), dtype=np.float64)


@pytest.mark.parametrize(("featurizer", "materials", "labels"), CASES, ids=IDS)
def test_columns_are_named(featurizer, materials, labels):
    assert tuple(featurizer.get_feature_names_out()) == labels
    assert tuple(featurizer.fit(materials).get_feature_names_out(["formula"])) == labels
    assert tuple(featurizer.transform(materials).columns) == labels


def test_the_numbers_are_those_of_the_functions():
    pd.testing.assert_frame_equal(MagpieFeaturizer().fit_transform(FORMULAS), magpie(FORMULAS))
    pd.testing.assert_frame_equal(FractionsFeaturizer().fit_transform(FORMULAS), fractions(FORMULAS))
    pd.testing.assert_frame_equal(Ward2017Featurizer(n_jobs=2).fit_transform(CRYSTALS), ward2017(CRYSTALS))


@pytest.mark.parametrize(
    "column", [FORMULAS, FORMULAS.to_frame("formula"), FORMULAS.tolist(), FORMULAS.to_numpy()[:, None]]
)
@pytest.mark.parametrize("output", ["default", "pandas"])
def test_set_output_keeps_numbers_labels_and_index(column, output):
    table = MagpieFeaturizer().set_output(transform=output).fit_transform(column)
    expected = magpie(FORMULAS)
    if not isinstance(column, pd.Series | pd.DataFrame):
        expected = expected.reset_index(drop=True)
    pd.testing.assert_frame_equal(table, expected)


def test_a_pipeline_learns_from_formulas():
    model = make_pipeline(MagpieFeaturizer(), StandardScaler(), Ridge(1e-6)).fit(FORMULAS, target(FORMULAS))
    assert np.allclose(model.predict(FORMULAS), target(FORMULAS), atol=1e-2)
    assert list(model[:-1].get_feature_names_out()) == list(composition.LABELS)


def test_a_pipeline_learns_from_structures():
    model = make_pipeline(Ward2017Featurizer(), StandardScaler(), Ridge(1e-6)).fit(CRYSTALS, target(CRYSTALS))
    assert np.allclose(model.predict(CRYSTALS), target(CRYSTALS), atol=1e-2)


def test_rows_that_fail_can_be_imputed():
    model = make_pipeline(MagpieFeaturizer(errors="nan"), SimpleImputer())
    assert np.isfinite(model.fit_transform(["NaCl", "Xx", "KCl"])).all()
    with pytest.raises(FormulaError, match="row 1: 'Xx'"):
        clone(model).set_params(magpiefeaturizer__errors="raise").fit(["NaCl", "Xx", "KCl"])


@pytest.mark.parametrize("column", ["formula", ["formula"]])
@pytest.mark.parametrize("output", ["default", "pandas"])
def test_a_column_transformer_sets_attributes_beside_other_columns(column, output):
    table = pd.DataFrame({"formula": FORMULAS, "temperature": np.arange(8.0)})
    columns = make_column_transformer(
        (MagpieFeaturizer(), column), ("passthrough", ["temperature"]), verbose_feature_names_out=False
    )
    made = columns.set_output(transform=output).fit_transform(table)
    assert list(columns.get_feature_names_out()) == [*composition.LABELS, "temperature"]
    np.testing.assert_array_equal(np.asarray(made), np.column_stack([magpie(FORMULAS), np.arange(8.0)]))
    if output == "pandas":
        assert list(made.index) == list(FORMULAS.index)


def test_a_union_sets_representations_side_by_side():
    union = make_union(MagpieFeaturizer(), FractionsFeaturizer()).set_output(transform="pandas")
    assert union.fit_transform(FORMULAS).shape == (8, 145 + 86)


def test_a_search_clones_and_sets_parameters():
    search = GridSearchCV(
        make_pipeline(MagpieFeaturizer(), StandardScaler(), Ridge()),
        {"magpiefeaturizer__errors": ["raise", "nan"], "ridge__alpha": [1.0, 10.0]},
        cv=2,
    )
    search.fit(FORMULAS, target(FORMULAS))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    scores = cross_val_score(search.best_estimator_, FORMULAS, target(FORMULAS), cv=2)
    assert scores.mean() == pytest.approx(search.best_score_)


def test_several_columns_are_refused():
    with pytest.raises(DataError, match="one column"):
        MagpieFeaturizer().fit(FORMULAS.to_frame("formula").assign(other=1))


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("featurizer", [MagpieFeaturizer(), FractionsFeaturizer(), Ward2017Featurizer()], ids=IDS[:3])
def test_scikit_learns_own_checks(featurizer, check):
    getattr(estimator_checks, check)(type(featurizer).__name__, featurizer)
