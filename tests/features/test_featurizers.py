import numpy as np
import pytest

from irnet_ray.crystal import parse_crystal
from irnet_ray.features.composition import composition_attributes
from irnet_ray.features.featurizers import FEATURIZERS
from irnet_ray.features.structure import structure_attributes
from irnet_ray.formula import parse_all

ROCKSALT = "NaCl\n1.0\n0 2.82 2.82\n2.82 0 2.82\n2.82 2.82 0\nNa Cl\n1 1\ndirect\n0 0 0\n0.5 0.5 0.5\n"
OVERLAPPING = ROCKSALT.replace("0.5 0.5 0.5", "0.01 0 0")


def test_a_bad_formula_fails_alone():
    result = FEATURIZERS["composition"].compute(["NaCl", "", "Xx2", "Fe2O3"], "formula")
    assert result.failures.tolist() == [None, "empty", "unknown element 'Xx'", None]
    assert result.formulas.tolist() == ["NaCl", "", "", "Fe2O3"]
    np.testing.assert_array_equal(result.values[[0, 3]], composition_attributes(parse_all(["NaCl", "Fe2O3"])))
    assert np.isnan(result.values[[1, 2]]).all()
    assert result.failed.tolist() == [False, True, True, False]


def test_a_bad_structure_fails_alone():
    result = FEATURIZERS["structure"].compute([OVERLAPPING, ROCKSALT, ""], "poscar")
    assert "overlap" in result.failures[0]
    assert result.failures.tolist()[1:] == [None, "empty"]
    assert result.formulas.tolist() == ["", "NaCl", ""]
    np.testing.assert_array_equal(result.values[1], structure_attributes(parse_crystal(ROCKSALT, "poscar")))
    assert np.isnan(result.values[[0, 2]]).all()


@pytest.mark.parametrize("name", ["formula", "composition"])
def test_formulas_can_come_from_structures(name):
    result = FEATURIZERS[name].compute([ROCKSALT, "garbage"], "poscar")
    assert result.formulas.tolist() == ["NaCl", ""]
    assert result.failed.tolist() == [False, True]


@pytest.mark.parametrize("name", list(FEATURIZERS))
def test_nothing_makes_nothing(name):
    result = FEATURIZERS[name].compute([], "poscar")
    assert len(result) == 0
    assert result.values.shape == (0, len(FEATURIZERS[name].labels))
