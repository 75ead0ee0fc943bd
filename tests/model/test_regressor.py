from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from ase.build import bulk
from conftest import small_table
from pymatgen.core import Composition, Structure
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from irnet_ray import IRNetRegressor
from irnet_ray.errors import ConfigurationError, CrystalError, DataError, FormulaError, UserError
from irnet_ray.features import MagpieFeaturizer, fractions, magpie, ward2017
from irnet_ray.model.architecture import Architecture
from irnet_ray.model.fit import fit
from irnet_ray.model.recipe import Recipe
from irnet_ray.model.rows import Rows

TABLE = small_table()
FORMULAS, ENERGIES = TABLE["formula"].tolist(), TABLE["energy"].to_numpy()
NUMBERS = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
TARGET = NUMBERS[:, 0].astype(np.float64) ** 2
CRYSTALS = [bulk("Cu"), bulk("NaCl", "rocksalt", a=5.64), bulk("GaAs", "zincblende", a=5.65), bulk("Si")]

SINGLE_PRECISION = "a network computes in single precision: the seventh digit of a row depends on those beside it"
CANNOT_HOLD = {
    "check_methods_subset_invariance": SINGLE_PRECISION,
    "check_methods_sample_order_invariance": SINGLE_PRECISION,
}


def small(**parameters) -> IRNetRegressor:
    """A regressor that is trained in a moment."""
    return IRNetRegressor(**{"depth": 10, "width": 0.05, "epochs": 3, **parameters})


@parametrize_with_checks([IRNetRegressor(depth=10, width=0.1)], expected_failed_checks=lambda _: CANNOT_HOLD)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_it_does_what_the_training_loop_does():
    model = small(width=0.1, shortcut="stack").fit(NUMBERS[:50], TARGET[:50], X_val=NUMBERS[50:], y_val=TARGET[50:])
    direct = fit(
        Architecture.of(10, "stack", 0.1),
        Recipe.model_validate({"base": "fast", "epochs": 3}),
        Rows(NUMBERS[:50], TARGET[:50]),
        Rows(NUMBERS[50:], TARGET[50:]),
        seed=model.seeds_[0],
    )
    np.testing.assert_array_equal(model.predict(NUMBERS), direct.predict(NUMBERS))
    assert model.history_["val_mae"].tolist() == [epoch.val_mae for epoch in direct.history]
    assert (model.best_epoch_, model.n_iter_) == (direct.best_epoch, 3)
    assert model.validation_rows_ is None


def test_an_architecture_takes_the_place_of_depth_shortcut_and_width():
    model = small(architecture="8BARx2-4BARx1-1").fit(NUMBERS, TARGET)
    assert model.architecture_ == Architecture(((8, 2), (4, 1)), "layer")


def test_formulas_become_the_attributes_of_the_representation():
    attributes = pd.concat([magpie(FORMULAS), fractions(FORMULAS)], axis=1).to_numpy()
    from_formulas, from_numbers = small().fit(FORMULAS, ENERGIES), small().fit(attributes, ENERGIES)
    np.testing.assert_array_equal(from_formulas.predict(FORMULAS), from_numbers.predict(attributes))
    assert (from_formulas.representation_, from_formulas.n_features_in_) == ("composition+fractions", 1)
    assert (from_numbers.representation_, from_numbers.n_features_in_) == (None, 145 + 86)


@pytest.mark.parametrize(
    "column",
    [
        np.array(FORMULAS),
        np.array(FORMULAS, dtype=object)[:, None],
        [[formula] for formula in FORMULAS],
        TABLE["formula"],
        TABLE["formula"].astype("category"),
        TABLE[["formula"]].set_index(TABLE.index + 5),
        [Composition(formula) for formula in FORMULAS],
    ],
    ids=["array", "column", "rows of one", "series", "category", "table", "pymatgen"],
)
def test_a_column_of_formulas_in_any_container_is_the_same(column):
    expected = small().fit(FORMULAS, ENERGIES).predict(FORMULAS)
    np.testing.assert_array_equal(small().fit(column, ENERGIES).predict(column), expected)


def test_structures_become_the_attributes_of_the_representation():
    model = small(representation="structure+composition").fit(CRYSTALS, np.arange(4.0))
    formulas = [atoms.get_chemical_formula() for atoms in CRYSTALS]
    attributes = pd.concat([magpie(formulas), ward2017(CRYSTALS)], axis=1).to_numpy()
    from_numbers = small().fit(attributes, np.arange(4.0))
    np.testing.assert_array_equal(model.predict(CRYSTALS), from_numbers.predict(attributes))
    texts = [Structure.from_ase_atoms(atoms).to(fmt="poscar") for atoms in CRYSTALS]
    assert np.allclose(model.predict(texts), model.predict(CRYSTALS), rtol=1e-4)


def test_no_composition_is_trained_and_validated_on():
    formulas = [*FORMULAS, *(f"({formula})2" for formula in FORMULAS)]
    model = small(validation_fraction=0.25).fit(formulas, np.tile(ENERGIES, 2))
    held_out = set(model.validation_rows_)
    assert all((row + len(FORMULAS)) % len(formulas) in held_out for row in held_out)
    assert len(held_out) == pytest.approx(0.25 * len(formulas), abs=2)


def test_rows_of_numbers_are_validated_on_at_random():
    rows = small(validation_fraction=0.25).fit(NUMBERS, TARGET).validation_rows_
    assert len(set(rows)) == 15
    assert sorted(rows) != list(range(15))
    assert sorted(rows) != sorted(small(validation_fraction=0.25, random_state=1).fit(NUMBERS, TARGET).validation_rows_)


def test_members_are_averaged_and_the_first_is_the_single_network():
    model = small(members=3).fit(NUMBERS, TARGET)
    singles = [member.predict(NUMBERS) for member in model.members_]
    np.testing.assert_array_equal(model.predict(NUMBERS), np.mean(singles, axis=0))
    np.testing.assert_array_equal(small().fit(NUMBERS, TARGET).predict(NUMBERS), singles[0])
    assert not np.array_equal(singles[0], singles[1])
    assert model.history_[["member", "epoch"]].to_numpy().tolist() == [[m, e] for m in range(3) for e in (1, 2, 3)]
    assert model.n_iter_ == [3, 3, 3]
    best = model.history_.loc[model.history_.groupby("member")["val_mae"].idxmin(), "epoch"]
    assert model.best_epoch_ == best.tolist()


def test_the_same_random_state_gives_the_same_network():
    def prediction(random_state):
        return small(random_state=random_state).fit(NUMBERS, TARGET).predict(NUMBERS)

    np.testing.assert_array_equal(prediction(7), prediction(np.int64(7)))
    np.testing.assert_array_equal(prediction(7), prediction(np.random.RandomState(7)))
    assert not np.array_equal(prediction(7), prediction(8))
    assert not np.array_equal(prediction(None), prediction(None))


def test_torch_is_left_as_it_was():
    torch.set_num_threads(2)
    before = torch.get_rng_state()
    small(epochs=1).fit(NUMBERS, TARGET).predict(NUMBERS)
    assert torch.get_num_threads() == 2
    assert torch.equal(torch.get_rng_state(), before)


def test_it_beats_a_linear_model_on_a_smooth_function():
    X, y = make_friedman1(600, noise=0.3, random_state=0)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    linear = RidgeCV().fit(X_train, y_train).score(X_test, y_test)
    assert IRNetRegressor().fit(X_train, y_train).score(X_test, y_test) > linear + 0.1


def test_cross_validation_by_composition():
    formulas = [*FORMULAS, *(f"({formula})2" for formula in FORMULAS)]
    groups = FORMULAS * 2
    scores = cross_val_score(
        small(width=0.1, epochs=20, recipe={"batch_size": 32}),
        formulas,
        np.tile(ENERGIES, 2),
        groups=groups,
        cv=GroupKFold(2),
        error_score="raise",
    )
    assert (scores > 0.5).all()


def test_a_search_clones_and_sets_parameters():
    grid = {"width": np.array([0.03, 0.06]), "recipe": [{"base": "fast", "batch_size": 64}]}
    search = GridSearchCV(small(), grid, cv=2, error_score="raise").fit(TABLE[["formula"]], ENERGIES)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    best = search.best_estimator_
    again = clone(best).fit(TABLE[["formula"]], ENERGIES)
    np.testing.assert_array_equal(again.predict(FORMULAS), best.predict(FORMULAS))
    assert best.recipe_.batch_size == 64


def test_pipelines():
    featurized = make_pipeline(MagpieFeaturizer(), small()).fit(FORMULAS, ENERGIES)
    inside = small(representation="composition").fit(FORMULAS, ENERGIES)
    np.testing.assert_array_equal(featurized.predict(FORMULAS), inside.predict(FORMULAS))
    assert list(featurized[-1].feature_names_in_) == list(MagpieFeaturizer().get_feature_names_out())
    scaled = make_pipeline(StandardScaler(), small()).fit(NUMBERS, TARGET)
    assert np.allclose(scaled.predict(NUMBERS), small().fit(NUMBERS, TARGET).predict(NUMBERS), atol=1e-3)


def test_validation_rows_pass_through_a_pipeline():
    given = {"X_val": FORMULAS[:20], "y_val": ENERGIES[:20]}
    with sklearn.config_context(enable_metadata_routing=True):
        steps = [("attributes", MagpieFeaturizer()), ("model", small().set_fit_request(X_val=True, y_val=True))]
        featurized = Pipeline(steps, transform_input=["X_val"]).fit(FORMULAS[20:], ENERGIES[20:], **given)
    inside = small(representation="composition").fit(FORMULAS[20:], ENERGIES[20:], **given)
    np.testing.assert_array_equal(featurized.predict(FORMULAS), inside.predict(FORMULAS))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"depth": 12}, "depth: no architecture of 12 layers"),
        ({"shortcut": "layr"}, "shortcut: unknown value 'layr'; did you mean 'layer'"),
        ({"width": 0}, "width: input should be greater than 0"),
        ({"architecture": "512BARx3"}, "architecture '512BARx3' must be stacks"),
        ({"recipe": "fats"}, "recipe: unknown recipe 'fats'; did you mean 'fast'"),
        ({"recipe": {"batchsize": 8}}, "recipe: unknown key 'batchsize'; did you mean 'batch_size'"),
        ({"epochs": 0}, "epochs: input should be greater than or equal to 1"),
        ({"members": 0}, "members: input should be greater than or equal to 1"),
        ({"representation": "compositon"}, "did you mean 'composition'"),
        ({"validation_fraction": 1.0}, "validation_fraction: input should be less than 1"),
        ({"random_state": "zero"}, "random_state: 'zero' cannot be used"),
        ({"device": "gpu"}, "device: torch cannot use 'gpu' here"),
        ({"device": "meta"}, "device: torch cannot use 'meta' here"),
    ],
)
def test_a_wrong_parameter_is_named_in_one_line(parameters, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        small(**parameters).fit(NUMBERS, TARGET)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("X", "kind", "message"),
    [
        ("NaCl", DataError, "a single str"),
        (Composition("NaCl"), DataError, "a single Composition"),
        (["NaCl", "Xx", "KCl", "Yy"], FormulaError, r"row 1: 'Xx': unknown element 'Xx' \(and 1 more\); correct it"),
        (["NaCl", None, "KCl"], FormulaError, "row 1: a NoneType is no formula"),
        (["NaCl", "OgH", "KCl"], FormulaError, "row 1: 'OgH': element 'Og' is none of the 86"),
        (["NaCl", "KCl"], DataError, "a minimum of 3 is required"),
        (["NaCl", "KCl", "K2Cl2"], DataError, "2 different compositions cannot be split"),
        (CRYSTALS, FormulaError, "row 0: a Atoms is no formula"),
        (pd.DataFrame({"formula": ["NaCl"] * 3, "T": [1, 2, 3]}), DataError, "column 'formula' holds formulas"),
        (np.array([[1.0], [np.nan], [2.0]]), DataError, "contains NaN"),
    ],
)
def test_wrong_rows_are_named(X, kind, message):
    with pytest.raises(kind, match=message):
        small().fit(X, np.arange(float(len(X))))


def test_structures_are_wanted_where_the_representation_needs_them():
    with pytest.raises(CrystalError, match=r"row 0: .* choose a representation without structures"):
        small(representation="structure").fit(FORMULAS, ENERGIES)


def test_a_split_must_leave_rows_to_train_on():
    with pytest.raises(DataError, match=r"validation_fraction: 0\.6 of 3 rows leaves 1 to train on"):
        small(validation_fraction=0.6).fit(["NaCl", "KCl", "CO"], [1, 2, 3])
    assert small().fit(["NaCl", "KCl", "CO"], [1, 2, 3]).predict(["CO"]).shape == (1,)


def test_what_is_predicted_must_be_what_was_fitted():
    with pytest.raises(DataError, match="fit was given numbers"):
        small().fit(NUMBERS, TARGET).predict(FORMULAS)
    with pytest.raises(DataError, match="fit was given a column of formulas"):
        small().fit(FORMULAS, ENERGIES).predict(NUMBERS)
    with pytest.raises(DataError, match="X_val and y_val belong together"):
        small().fit(NUMBERS, TARGET, X_val=NUMBERS)
    with pytest.raises(UserError, match="not fitted"):
        small().predict(NUMBERS)


def test_a_failed_fit_is_no_fit():
    model = small()
    with pytest.raises(DataError, match="minimum of 3"):
        model.fit(NUMBERS[:2], TARGET[:2])
    with pytest.raises(UserError, match="not fitted"):
        model.predict(NUMBERS)


def test_the_package_is_imported_without_torch():
    code = "import sys, irnet_ray; assert not {'torch', 'sklearn', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_iterator_is_read_once():
    rows = [str(formula) for formula in small_table()["formula"][:30]]
    fitted = small().fit(iter(rows), range(30))
    np.testing.assert_array_equal(fitted.predict(iter(rows)), fitted.predict(rows))
