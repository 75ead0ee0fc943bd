from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from pymatgen.core import Composition, Lattice, Structure

import irnet_ray.features
from irnet_ray.crystal import to_crystal
from irnet_ray.errors import ConfigurationError, CrystalError, DataError, FormulaError
from irnet_ray.features import fractions, magpie, ward2017

FORMULAS = ["NaCl", "Fe2O3", "Ca(OH)2", "Zn0.5Cd0.5S", "CsPbBr3", "D2O", "Np2HeO"]


def rock_salt(first="Na", second="Cl", length=5.64):
    lattice = Lattice.cubic(length)
    return Structure.from_spacegroup("Fm-3m", lattice, [first, second], [[0, 0, 0], [0.5, 0.5, 0.5]])


def perovskite():
    coordinates = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]]
    return Structure.from_spacegroup("Pm-3m", Lattice.cubic(3.905), ["Sr", "Ti", "O"], coordinates)


def in_matminer(featurizers, materials):
    """What matminer's featurizers return, as one table."""
    from matminer.utils.caching import _get_all_nearest_neighbors

    rows = []
    for material in materials:
        _get_all_nearest_neighbors.cache_clear()
        rows.append([value for each in featurizers for value in each.featurize(material)])
    labels = [label for each in featurizers for label in each.feature_labels()]
    return pd.DataFrame(rows, columns=labels, dtype=np.float64)


def test_magpie_is_matminers():
    from matminer.featurizers.composition import ElementProperty, IonProperty, Stoichiometry, ValenceOrbital

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=UserWarning)
        featurizers = [
            Stoichiometry(),
            ElementProperty.from_preset("magpie", impute_nan=True),
            ValenceOrbital(props=["avg"], impute_nan=True),
            IonProperty(fast=True, impute_nan=True),
        ]
        theirs = in_matminer(featurizers, [Composition(formula).element_composition for formula in FORMULAS])
    pd.testing.assert_frame_equal(magpie(FORMULAS), theirs, rtol=1e-9, atol=1e-9)


def test_ward2017_is_matminers():
    from matminer.featurizers import structure

    featurizers = [
        structure.SiteStatsFingerprint.from_preset("CoordinationNumber_ward-prb-2017"),
        structure.StructuralHeterogeneity(),
        structure.ChemicalOrdering(),
        structure.MaximumPackingEfficiency(),
        structure.SiteStatsFingerprint.from_preset("LocalPropertyDifference_ward-prb-2017"),
    ]
    structures = [rock_salt(), perovskite()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=UserWarning)
        theirs = in_matminer(featurizers, structures)
    ours = ward2017(structures, range_columns=True)
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-6, atol=1e-6)
    ranges = ["range CN_VoronoiNN", "range neighbor distance variation"]
    pd.testing.assert_frame_equal(ward2017(structures), ours.drop(columns=ranges))


def test_fractions_sum_to_one():
    table = fractions(["NaCl", "Fe2O3", "Ca(OH)2"])
    assert table.shape == (3, 86)
    assert np.allclose(table.sum(axis=1), 1)
    assert table.loc[1, "fraction O"] == pytest.approx(0.6)


@pytest.mark.parametrize(
    "column",
    [
        FORMULAS,
        tuple(FORMULAS),
        iter(FORMULAS),
        np.array(FORMULAS),
        np.array(FORMULAS)[:, None],
        pd.Series(FORMULAS),
        pd.Series(FORMULAS, dtype="string"),
        pd.Index(FORMULAS),
        pd.DataFrame({"formula": FORMULAS}),
        [Composition(formula) for formula in FORMULAS],
    ],
    ids=lambda column: type(column).__name__,
)
def test_formulas_come_in_many_containers(column):
    table = magpie(column)
    assert table.index.equals(pd.RangeIndex(len(FORMULAS)))
    np.testing.assert_allclose(table, magpie(FORMULAS), rtol=1e-14)


def test_a_composition_keeps_all_its_digits():
    amounts = {"Fe": 1 / 3, "O": 2e-6 / 3}
    theirs = Composition(amounts).get_atomic_fraction("O")
    assert fractions([Composition(amounts)]).loc[0, "fraction O"] == pytest.approx(theirs, rel=1e-14)


def test_structures_come_in_many_forms():
    structure = rock_salt()
    forms = [
        structure,
        structure.as_dict(),
        structure.to(fmt="poscar"),
        structure.to_ase_atoms(),
        to_crystal(structure),
    ]
    tables = [ward2017(forms), ward2017(pd.Series(forms)), ward2017(pd.DataFrame({"structure": forms}))]
    for table in tables:
        np.testing.assert_allclose(table, np.tile(ward2017([structure]), (5, 1)), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("featurize", "rows"),
    [
        (magpie, ["NaCl", "Fe2O3"]),
        (fractions, ["NaCl", "Fe2O3"]),
        (ward2017, [bulk("Cu"), bulk("MgO", "rocksalt", a=4.2)]),
    ],
)
def test_the_index_is_kept(featurize, rows):
    index = pd.Index(["mp-1", "mp-2"], name="material_id")
    table = featurize(pd.Series(rows, index=index))
    pd.testing.assert_index_equal(table.index, index)
    assert table.loc["mp-2"].tolist() == featurize(rows).loc[1].tolist()


def test_the_first_bad_formula_is_named():
    repair = "correct it, or pass errors='nan'"
    with pytest.raises(FormulaError) as caught:
        magpie(["NaCl", "Xx", "Fe2O3", None])
    assert str(caught.value) == f"row 1: 'Xx': unknown element 'Xx' (and 1 more); {repair}"
    with pytest.raises(FormulaError, match="row 1: 'He': element 'He' is none of the 86; correct it"):
        fractions(["NaCl", "He"])


def test_bad_formulas_become_nan_and_are_listed():
    table = magpie(["NaCl", "Xx", "Fe2O3", None], errors="nan")
    assert table.attrs["failed"] == [(1, "unknown element 'Xx'"), (3, "not a text")]
    assert table.isna().all(axis=1).tolist() == [False, True, False, True]
    pd.testing.assert_frame_equal(table.iloc[[0, 2]], magpie(["NaCl", "Fe2O3"]).set_axis([0, 2]))


def test_elements_without_a_column_are_listed_beside_bad_formulas():
    table = fractions(["Xx", "NaCl", "HeO", "MgO"], errors="nan")
    assert table.attrs["failed"] == [(0, "unknown element 'Xx'"), (2, "element 'He' is none of the 86")]
    assert table.isna().all(axis=1).tolist() == [True, False, True, False]


@pytest.mark.filterwarnings("ignore:.*still being processed:UserWarning")  # joblib tells that the rest is given up
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_bad_structures_are_refused_or_listed(n_jobs):
    rows = [bulk("Cu"), 7, bulk("Fe")]
    with pytest.raises(CrystalError, match=r"row 1: a int is no structure.*; correct it, or pass errors='nan'"):
        ward2017(rows, n_jobs=n_jobs)
    table = ward2017(rows, errors="nan", n_jobs=n_jobs)
    assert [row for row, _ in table.attrs["failed"]] == [1]
    assert table.isna().all(axis=1).tolist() == [False, True, False]
    pd.testing.assert_frame_equal(table.iloc[[0, 2]], ward2017([bulk("Cu"), bulk("Fe")]).set_axis([0, 2]))


def test_a_good_table_lists_no_failures():
    assert magpie(["NaCl"], errors="nan").attrs["failed"] == []


def test_no_rows_make_an_empty_table():
    assert magpie([]).shape == (0, 145)
    assert fractions([]).shape == (0, 86)
    assert ward2017([]).shape == (0, 126)


@pytest.mark.parametrize("featurize", [magpie, fractions, ward2017])
@pytest.mark.parametrize("single", ["NaCl", Composition("NaCl"), rock_salt(), bulk("Cu"), to_crystal(bulk("Cu")), 5])
def test_a_single_material_is_no_list(featurize, single):
    with pytest.raises(DataError, match=r"a single .* where a list of materials is wanted"):
        featurize(single)


def test_several_columns_are_refused():
    with pytest.raises(DataError, match=r"an array of shape \(1, 2\) where one column"):
        magpie(pd.DataFrame({"formula": ["NaCl"], "other": ["KCl"]}))


def test_what_becomes_of_errors_must_be_known():
    with pytest.raises(ConfigurationError, match="errors='ignore'"):
        magpie(["NaCl"], errors="ignore")
    with pytest.raises(ConfigurationError, match="errors='nann'; did you mean 'nan'"):
        ward2017([], errors="nann")


def test_all_public_names_are_there():
    for name in irnet_ray.features.__all__:
        assert callable(getattr(irnet_ray.features, name))
    assert set(irnet_ray.features.__all__) <= set(dir(irnet_ray.features))
    with pytest.raises(AttributeError, match="has no attribute 'magpies'"):
        irnet_ray.features.magpies  # noqa: B018


def modules_after(code):
    code = f"import sys\n{code}\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_importing_the_library_costs_next_to_nothing():
    assert not {"pandas", "sklearn", "pymatgen", "matminer", "ray", "torch"} & modules_after(
        "import irnet_ray.features"
    )


def test_the_library_needs_neither_ray_nor_torch():
    code = """
from ase.build import bulk
from irnet_ray.features import MagpieFeaturizer, Ward2017Featurizer
assert MagpieFeaturizer().fit_transform(["NaCl"]).shape == (1, 145)
assert Ward2017Featurizer().fit_transform([bulk("Cu")]).shape == (1, 126)
"""
    modules = modules_after(code)
    assert {"pandas", "sklearn"} <= modules
    assert not {"ray", "torch"} & modules
