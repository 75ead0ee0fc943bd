import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Composition

from irnet_ray.errors import FormulaError
from irnet_ray.formula import SYMBOLS, parse, parse_all, parse_column, reduced_formulas

elements = st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=8, unique=True)
whole_amounts = st.integers(1, 60)
fractional_amounts = st.integers(1, 5000).map(lambda thousandths: thousandths / 1000)
compositions = elements.flatmap(
    lambda symbols: st.fixed_dictionaries(dict.fromkeys(symbols, st.one_of(whole_amounts, fractional_amounts)))
)
whole_compositions = elements.flatmap(lambda symbols: st.fixed_dictionaries(dict.fromkeys(symbols, whole_amounts)))


def write(amounts):
    return "".join(f"{symbol}{amount}" for symbol, amount in amounts.items())


def by_symbol(formula):
    return {SYMBOLS[index]: amount for index, amount in parse(formula).items()}


def in_pymatgen(formula):
    return {str(element): amount for element, amount in Composition(formula).element_composition.items()}


def reduce(*formulas):
    return reduced_formulas(parse_all(formulas))


@given(compositions)
def test_what_is_written_is_read(amounts):
    assert by_symbol(write(amounts)) == amounts
    assert list(by_symbol(write(amounts))) == list(amounts)


@given(compositions, st.integers(1, 4))
def test_brackets_multiply(amounts, times):
    assert by_symbol(f"({write(amounts)}){times}") == pytest.approx({s: a * times for s, a in amounts.items()})


@pytest.mark.parametrize(
    "formula",
    [
        "H2O",
        "Fe2O3",
        "Ca(OH)2",
        "CH3NH3PbI3",
        "Zn0.5Cd0.5S",
        "Ba0.6K.4Fe2As2",
        "La1.O3",
        "Ag0.5Ge1Pb1.75S4",
        "K4[Fe(CN)6]",
        "{Na2[SO4]}3",
        "Mg3(Si4O10)(OH)2",
        "Al(NiB)2",
        "((Li2)2O)3",
        "(NH4)2SO4",
        "D2O",
        "DHO",
        "T2O",
        "LiD0.5H0.5",
        "Ca(OD)2",
        "NaN",
        "No",
        "Co",
        "CO",
        "CoCO3",
        "Og2He",
        "Hf0.333Zr0.667",
        "Na 2 Cl",
        "Fe2O3Fe",
        "NaCl0.000000001",
    ],
)
def test_a_formula_means_what_it_means_in_pymatgen(formula):
    assert by_symbol(formula) == pytest.approx(in_pymatgen(formula), rel=1e-12)


@given(compositions)
def test_random_compositions_agree_with_pymatgen(amounts):
    assert by_symbol(write(amounts)) == pytest.approx(in_pymatgen(write(amounts)))


@given(whole_compositions, st.integers(1, 30))
def test_multiples_have_the_same_reduced_formula(amounts, times):
    multiple = {symbol: amount * times for symbol, amount in amounts.items()}
    once, many = reduce(write(amounts), write(multiple))
    assert once == many


@given(whole_compositions)
def test_the_reduced_formula_has_the_smallest_whole_amounts(amounts):
    (reduced,) = reduce(write(amounts))
    divisor = math.gcd(*amounts.values())
    assert by_symbol(reduced) == {symbol: amount // divisor for symbol, amount in amounts.items()}
    assert reduce(reduced) == [reduced]


@given(whole_compositions, st.randoms())
def test_the_order_of_the_elements_does_not_matter(amounts, random):
    shuffled = list(amounts.items())
    random.shuffle(shuffled)
    once, again = reduce(write(amounts), write(dict(shuffled)))
    assert once == again


@given(st.lists(st.integers(1, 40), min_size=2, max_size=4), st.sampled_from([2, 4, 5, 8, 10, 20]))
def test_fractions_of_whole_amounts_reduce_to_the_same_formula(amounts, divisor):
    symbols = SYMBOLS[10 : 10 + len(amounts)]
    whole = "".join(f"{symbol}{amount}" for symbol, amount in zip(symbols, amounts, strict=True))
    parts = "".join(f"{symbol}{amount / divisor}" for symbol, amount in zip(symbols, amounts, strict=True))
    once, again = reduce(whole, parts)
    assert once == again


@pytest.mark.parametrize(
    ("formula", "reduced"),
    [
        ("O3Fe2", "Fe2O3"),
        ("Na2Cl2", "NaCl"),
        ("Zn0.5Cd0.5S", "ZnCdS2"),
        ("Li0.333Li0.667O", "LiO"),
        ("Fe8", "Fe"),
        ("D2O", "H2O"),
        ("Al0.3333333Ga0.6666667", "AlGa2"),
    ],
)
def test_reduced_formulas_read_as_a_chemist_writes_them(formula, reduced):
    assert by_symbol(reduce(formula)[0]) == by_symbol(reduced)


def test_elements_stand_by_rising_electronegativity():
    assert reduce("O3Fe2", "FNa", "O4SNa2") == ["Fe2O3", "NaF", "Na2SO4"]


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("Xx2O", "unknown element 'Xx'"),
        ("J", "unknown element 'J'"),
        ("Fe2O3)", "not a chemical formula"),
        ("2", "not a chemical formula"),
        ("fe2o3", "not a chemical formula"),
        ("Fe-2", "not a chemical formula"),
        ("Fe0", "amounts must be positive and finite"),
        (f"Fe{'9' * 400}", "amounts must be positive and finite"),
    ],
)
def test_what_is_no_formula_is_refused(formula, reason):
    with pytest.raises(FormulaError, match=reason):
        parse(formula)


def test_bad_formulas_are_told_apart_from_the_good():
    compositions, bad = parse_column(["NaCl", "Xx", "Fe2O3", ""])
    assert [(each.row, each.formula) for each in bad] == [(1, "Xx"), (3, "")]
    assert compositions.starts.tolist() == [0, 2, 4]
    assert compositions.amounts.tolist() == [1, 1, 2, 3]
    assert np.allclose(compositions.fractions(), [0.5, 0.5, 0.4, 0.6])


ODD_FORMULAS = [
    "Ca(OH)2",
    "Fe2O3Fe",
    "DHO",
    "D2O",
    "NaCl0.000000001",
    "Fe2e2",
    " NaCl",
    "La1.O3",
    "Fe٣O",
    f"H{'9' * 120}O",
]
BAD_FORMULAS = ["", "Xx2", "Fe2O3)", "NaCl\n", "NaCl\nKCl", "\n", "Fe0", "2Fe", "NaCl0.0J", f"Fe{'9' * 400}"]


@given(st.lists(st.one_of(compositions.map(write), st.sampled_from(ODD_FORMULAS), st.sampled_from(BAD_FORMULAS))))
def test_a_column_is_read_as_its_formulas_one_by_one(formulas):
    column, bad = parse_column(formulas)
    singly, reasons = [], {}
    for row, formula in enumerate(formulas):
        try:
            singly.append(list(parse(formula).items()))
        except FormulaError as error:
            reasons[row] = str(error)
    assert {each.row: each.reason for each in bad} == reasons
    entries = list(zip(column.elements.tolist(), column.amounts.tolist(), strict=True))
    assert [entries[start:end] for start, end in itertools.pairwise(column.starts.tolist())] == singly


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("CuSO4·5H2O", "CuSO4(H2O)5"),
        ("CuSO4 * 5 H2O", "CuSO4(H2O)5"),
        ("CaSO₄·0.5H₂O", "CaSO4(H2O)0.5"),
        ("KAl(SO4)2•12H2O", "KAl(SO4)2(H2O)12"),
        ("Na2CO3·NaHCO3·2H2O", "Na2CO3NaHCO3(H2O)2"),
        ("Fe₂O₃", "Fe2O3"),
    ],
)
def test_typography_of_chemists_is_read(written, plain):
    assert parse(written) == pytest.approx(parse(plain))


@pytest.mark.parametrize("formula", ["Fe*", "*Fe", "Fe2*3", "·", "Fe··O", "Fe·x"])
def test_a_dot_without_a_formula_behind_it_is_refused(formula):
    with pytest.raises(FormulaError):
        parse(formula)


def test_a_column_with_a_bad_formula_is_refused_with_its_row():
    with pytest.raises(FormulaError) as caught:
        parse_all(["NaCl", "Xx", "Qq"])
    repair = "correct it, or drop such rows with --skip-bad-rows"
    assert str(caught.value) == f"row 1: 'Xx': unknown element 'Xx' (and 1 more); {repair}"


def test_an_empty_column_is_no_mistake():
    compositions, bad = parse_column([])
    assert (len(compositions), bad) == (0, [])
    assert reduced_formulas(compositions) == []
    assert compositions.fractions().shape == (0,)
