import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Composition

from irnet_ray.features import composition as module
from irnet_ray.features.composition import LABELS, composition_attributes
from irnet_ray.formula import SYMBOLS, parse_all

# fmt: off
REAL = [
    "NaCl", "Fe2O3", "Fe3O4", "FeO", "Al2O3", "SiO2", "TiO2", "BaTiO3", "SrTiO3", "LiCoO2", "LiFePO4", "MgB2",
    "YBa2Cu3O7", "GaAs", "GaN", "CdTe", "ZnS", "ZnO", "PbTe", "Bi2Te3", "Sb2Te3", "SnSe", "Cu2O", "CuInSe2", "WC",
    "TiC", "Ni3Al", "NiAl", "Nd2Fe14B", "SmCo5", "MoS2", "WSe2", "CsPbBr3", "K2PtCl6", "CaF2", "LaB6", "UO2", "PuO2",
    "ThO2", "HfC", "ZrSiO4", "NiFe2O4", "CoCO3", "MgSiO3", "CaTiO3", "Na3AlF6", "AgCl", "HgS", "TlBr", "InSb", "KH2PO4",
]
BRACKETS = [
    "Ca(OH)2", "Mg3(Si4O10)(OH)2", "K4Fe(CN)6", "(NH4)2SO4", "Al2(SO4)3", "Ag(AuS)2", "Ag(W3Br7)2", "Ca3(PO4)2",
    "Fe2(SO4)3", "[NaCl]2", "{K2[SO4]}2", "CH3NH3PbI3", "Ca5(PO4)3F", "Al(NiB)2", "Cu(NO3)2", "Li6FeCoP2(CO7)2",
]
FRACTIONAL = [
    "Zn0.5Cd0.5S", "Ba0.6K0.4Fe2As2", "Ag0.5Ge1Pb1.75S4", "Al0.3Ga0.7As", "Hf0.333Zr0.667", "La0.7Sr0.3MnO3",
    "Fe0.947O", "Cu2ZnSnS3.5Se.5", "YBa2Cu3O6.93", "Bi2Te2.7Se0.3", "Co0.2Cr0.2Fe0.2Mn0.2Ni0.2", "Al0.1CoCrFeNi",
    "Na0.001Cl0.999", "Ti0.3333Ta0.3333V0.3334", "Fe0.620C0.000953Mn0.000521Si0.00102Ni0.192Mo0.0176Co0.146",
]
ODD = [
    "NpO2", "NpN", "HeNe", "He", "He2O", "Og", "OgF2", "Og2He", "Ra", "RaCl2", "FrI", "AtNa", "PoO2", "RnF2", "AcOF",
    "PaCl5", "AmO2", "CmO2", "BkO2", "CfCl3", "EsF3", "FmO", "MdNo", "LrCl3", "RfCl4", "DbBr5", "SgO3", "Bh2O7", "HsO4",
    "MtF6", "DsRg", "Cn", "NhCl", "FlO2", "McF3", "LvO2", "TsH", "XeF4", "KrF2", "Ar", "PmCl3", "TcO2", "Tc2O7", "D2O",
    "LiD", "T2O", "H", "O2", "Fe8", "S8", "C60", "P4", "NaN", "No", "Co", "CO", "CN", "Cs", "CsAu", "Na2", "HgAu",
    "Li50Na25K25", "H2", "LiNaKRbCsFrBe", "HLiBeBCNOF", "EuGdTbDyHoErTmYbLu", "MnReTcRuOsIrO20", "FeFe2O4", "OFO",
]
# fmt: on
FORMULAS = REAL + BRACKETS + FRACTIONAL + ODD


@pytest.fixture(scope="module")
def featurizers():
    from matminer.featurizers.composition import ElementProperty, IonProperty, Stoichiometry, ValenceOrbital

    return (
        Stoichiometry(),
        ElementProperty.from_preset("magpie", impute_nan=True),
        ValenceOrbital(props=["avg"], impute_nan=True),
        IonProperty(fast=True, impute_nan=True),
    )


def column(name, *formulas):
    return composition_attributes(parse_all(formulas))[:, LABELS.index(name)].tolist()


def test_labels_are_matminers_in_its_order(featurizers):
    assert tuple(label for featurizer in featurizers for label in featurizer.feature_labels()) == LABELS
    assert len(LABELS) == 145


def test_every_attribute_is_matminers(featurizers):
    ours = composition_attributes(parse_all(FORMULAS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=UserWarning)
        whole = [Composition(formula).element_composition for formula in FORMULAS]
        theirs = [[value for each in featurizers for value in each.featurize(composition)] for composition in whole]
    wrong = np.argwhere(~np.isclose(ours, np.array(theirs, dtype=np.float64), rtol=1e-9, atol=1e-9))
    assert [(FORMULAS[row], LABELS[label]) for row, label in wrong] == []


def test_the_list_is_as_varied_as_it_should_be():
    assert len(set(FORMULAS)) == len(FORMULAS) >= 140
    sizes = parse_all(FORMULAS).sizes
    assert set(range(1, 10)) <= set(sizes.tolist())


def test_stoichiometry_in_closed_form():
    assert column("0-norm", "NaCl", "LiFePO4") == [2, 4]
    assert column("2-norm", "NaCl") == pytest.approx([math.sqrt(0.5)])
    assert column("3-norm", "Fe2O3") == pytest.approx([(0.4**3 + 0.6**3) ** (1 / 3)])


def test_magpie_statistics_in_closed_form():
    atomic_number = {"minimum": 8, "maximum": 26, "range": 18, "mean": 15.2, "avg_dev": 8.64, "mode": 8}
    for statistic, expected in atomic_number.items():
        assert column(f"MagpieData {statistic} Number", "Fe2O3") == pytest.approx([expected])


def test_the_mode_of_equal_amounts_is_the_smaller_value():
    assert column("MagpieData mode Number", "ClNa", "Cl2Na") == [11, 17]


def test_ionic_character_in_closed_form():
    character = 1 - math.exp(-0.25 * (3.16 - 0.93) ** 2)
    assert column("max ionic char", "NaCl") == pytest.approx([character])
    assert column("avg ionic char", "NaCl") == pytest.approx([character / 4])
    assert column("max ionic char", "Fe") == [0]


def test_neutral_compounds_are_possible():
    assert column("compound possible", "NaCl", "NaCl2", "Fe", "Na2O") == [1, 0, 1, 1]
    mixed_valence = column("compound possible", "Fe3O4")  # one state for each element, as in matminer
    assert mixed_valence == [0]


def test_valence_electrons_in_closed_form():
    assert column("avg s valence electrons", "NaCl") == [1.5]
    assert column("avg p valence electrons", "NaCl") == [2.5]


amounts = st.dictionaries(st.sampled_from(SYMBOLS), st.integers(1, 9), min_size=1, max_size=5)


@settings(max_examples=50)
@given(amounts, st.integers(2, 7))
def test_attributes_do_not_depend_on_the_size_of_the_formula_unit(composition, times):
    once = "".join(f"{symbol}{amount}" for symbol, amount in composition.items())
    many = "".join(f"{symbol}{amount * times}" for symbol, amount in composition.items())
    first, second = composition_attributes(parse_all([once, many]))
    assert np.allclose(first, second, rtol=1e-9, atol=1e-9)


def test_a_material_has_the_same_attributes_in_any_company():
    together = composition_attributes(parse_all(FORMULAS))
    alone = np.concatenate([composition_attributes(parse_all([formula])) for formula in FORMULAS[::5]])
    assert np.allclose(together[::5], alone, rtol=1e-12, atol=1e-12)


def test_blocks_and_merged_sums_change_nothing(monkeypatch):
    whole = composition_attributes(parse_all(FORMULAS))
    monkeypatch.setattr(module, "_LARGEST_BLOCK", 5)
    monkeypatch.setattr(module, "_LARGEST_NUMBER_OF_SUMS", 4)
    assert np.array_equal(composition_attributes(parse_all(FORMULAS)), whole)


def test_alloys_of_very_many_elements_take_no_more_memory_than_others():
    states = module.element_tables().oxidation_states
    several = [symbol for symbol, each in zip(SYMBOLS, states, strict=True) if len(each) > 1]
    lowest = round(sum(states[SYMBOLS.index(symbol)].min() for symbol in several))
    assert math.prod(len(states[SYMBOLS.index(symbol)]) for symbol in several) > 10**13
    alloy = "".join(several)
    assert lowest > 0
    assert column("compound possible", alloy, f"{alloy}F{lowest}", f"{alloy}F{lowest - 1}") == [0, 1, 0]


def test_no_materials_have_no_attributes():
    assert composition_attributes(parse_all([])).shape == (0, 145)
