"""Chemical formulas as arrays: the one place where a formula is read.

A column of formulas becomes three flat arrays (compressed sparse rows), which is what both curation
(reduced compositions) and the features (whole arrays at a time) work on. Plain formulas are read by a
regular expression; brackets and other rarities are handed to pymatgen, so that every formula means
exactly what it means there.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from irnet_ray.errors import FormulaError

# fmt: off
SYMBOLS: tuple[str, ...] = (
    "H", "He",
    "Li", "Be", "B", "C", "N", "O", "F", "Ne",
    "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar",
    "K", "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr",
    "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe",
    "Cs", "Ba",
    "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu",
    "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn",
    "Fr", "Ra",
    "Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm", "Md", "No", "Lr",
    "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og",
)
# fmt: on
"""Element symbols; the index is the atomic number less one."""

_INDEX = {symbol: index for index, symbol in enumerate(SYMBOLS)} | {"D": 0, "T": 0}
_PLAIN = re.compile(r"(?:[A-Z][a-z]?(?:\d+(?:\.\d*)?|\.\d+)?)+")
_TOKEN = re.compile(r"([A-Z][a-z]?)([\d.]*)")
_DOT = re.compile(r"\s*[·⋅∙•*]\s*")  # before the water of a hydrate
_MULTIPLE = re.compile(r"(\d+(?:\.\d+)?)?\s*([A-Z(\[{]\S*)")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_TOKEN_OR_END = re.compile(r"[A-Z][a-z]?[\d.]*|\n")
_ENTRY = np.dtype([("row", np.int64), ("element", np.int64), ("amount", np.float64)])
_LARGEST_ORDINARY_AMOUNT = 1e100  # sums of such amounts stay finite
_SMALLEST_AMOUNT = 1e-8  # pymatgen's Composition.amount_tolerance: smaller amounts are dropped
_LARGEST_DENOMINATOR = 1000
_LARGEST_SCALE = 10**6  # keeps seven odd denominators from overflowing

FORMULA_FORM = "formula"
"""The form of rows that are formulas; those that are structures have one of ``irnet_ray.crystal.FORMS``."""

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Compositions:
    """Amounts of elements of ``n`` formulas, as compressed sparse rows.

    Attributes:
        starts: Where each formula's entries begin and the last one's end, shape ``(n + 1,)``.
        elements: Atomic numbers less one, shape ``(entries,)``.
        amounts: Positive amounts in the formula unit as written, shape ``(entries,)``.
    """

    starts: IntArray
    elements: IntArray
    amounts: FloatArray

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def sizes(self) -> IntArray:
        """Number of different elements of each formula, shape ``(n,)``."""
        return np.diff(self.starts)

    def fractions(self) -> FloatArray:
        """Amounts divided by the formula's number of atoms, shape ``(entries,)``."""
        totals = np.add.reduceat(self.amounts, self.starts[:-1]) if len(self) else np.empty(0)
        fractions: FloatArray = self.amounts / np.repeat(totals, self.sizes)
        return fractions


@dataclass(frozen=True)
class BadFormula:
    """A formula that could not be read.

    Attributes:
        row: Its position in the column, from 0.
        formula: As written.
        reason: What is wrong with it.
    """

    row: int
    formula: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.formula!r}: {self.reason}"


def parse(formula: str) -> dict[int, float]:
    """Reads one formula.

    Deuterium and tritium count as hydrogen, as in pymatgen's ``element_composition``.

    Args:
        formula: For example ``"Fe2O3"``, ``"Ca(OH)2"``, ``"Zn0.5Cd0.5S"`` or ``"CuSO4·5H2O"``.

    Returns:
        Amounts by atomic number less one, in the order of their first mention.

    Raises:
        FormulaError: The formula is empty, does not parse, or holds an unknown element.
    """
    if not _PLAIN.fullmatch(formula):
        return _parse_with_pymatgen(formula)
    amounts: dict[int, float] = {}
    for symbol, digits in _TOKEN.findall(formula):
        index = _INDEX.get(symbol)
        if index is None:
            raise FormulaError(f"unknown element {symbol!r}")
        amounts[index] = amounts.get(index, 0.0) + (float(digits) if digits else 1.0)
    return _without_traces(amounts)


def _parse_with_pymatgen(formula: str) -> dict[int, float]:
    from pymatgen.core import Composition

    try:
        symbols = Composition(_without_typography(formula)).get_el_amt_dict()
    except (ValueError, KeyError, TypeError) as error:
        raise FormulaError(f"not a chemical formula ({error})" if formula.strip() else "empty") from error
    unknown = next((symbol for symbol in symbols if symbol not in _INDEX), None)
    if unknown is not None:
        raise FormulaError(f"unknown element {unknown!r}")
    return _without_traces({_INDEX[symbol]: float(amount) for symbol, amount in symbols.items()})


def _without_typography(formula: str) -> str:
    """Writes what pymatgen refuses as it takes it: ``CuSO₄·5H₂O`` as ``CuSO4(H2O)5``."""
    first, *others = _DOT.split(formula.translate(_SUBSCRIPTS))
    multiples = [_MULTIPLE.fullmatch(other) for other in others]
    if not first or not all(multiples):
        return formula
    return first + "".join(f"({found[2]}){found[1] or 1}" for found in multiples if found)


def _without_traces(amounts: dict[int, float]) -> dict[int, float]:
    kept = {index: amount for index, amount in amounts.items() if amount >= _SMALLEST_AMOUNT}
    if not kept or not np.isfinite(sum(kept.values())):
        raise FormulaError("amounts must be positive and finite")
    return kept


def parse_column(formulas: Iterable[str]) -> tuple[Compositions, list[BadFormula]]:
    """Reads a column of formulas: simple ones in one scan of the whole column, the others with ``parse``.

    Args:
        formulas: ``n`` formulas as written.

    Returns:
        The compositions of the readable ones in their order, and the unreadable ones with the reason.
    """
    column = list(formulas)
    entries = _scan(column)
    parsed: list[tuple[int, int, float]] = []
    bad: list[BadFormula] = []
    for row in np.flatnonzero(np.bincount(entries["row"], minlength=len(column)) == 0).tolist():
        try:
            parsed.extend((row, element, amount) for element, amount in parse(column[row]).items())
        except FormulaError as error:
            bad.append(BadFormula(row, column[row], str(error)))
    if parsed:
        entries = np.concatenate([entries, np.array(parsed, dtype=_ENTRY)])
        entries = entries[np.argsort(entries["row"], kind="stable")]
    sizes = np.delete(np.bincount(entries["row"], minlength=len(column)), [each.row for each in bad])
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Compositions(starts, entries["element"].copy(), entries["amount"].copy()), bad


def _scan(column: Sequence[str]) -> npt.NDArray[np.void]:
    """Reads the simple formulas of a column; every different token, such as ``Fe2``, is read once.

    Returns:
        Row, element and amount of each entry, by row. A row has none where its formula is not plain, names
        an element twice or an unknown one, or holds an amount that is very small or very large.
    """
    plain = np.array([row for row, formula in enumerate(column) if _PLAIN.fullmatch(formula)], dtype=np.int64)
    tokens = _TOKEN_OR_END.findall("".join([f"{column[row]}\n" for row in plain]))
    different = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    numbers = np.fromiter(map(different.__getitem__, tokens), dtype=np.int64, count=len(tokens))
    is_end = numbers == different.get("\n")
    table = np.array([_read_token(token) for token in different], dtype=_ENTRY)
    entries = table[numbers[~is_end]]
    entries["row"] = plain[np.cumsum(is_end)[~is_end]]
    simple: npt.NDArray[np.void] = entries[~np.isin(entries["row"], _rows_of_odd_entries(entries))]
    return simple


def _read_token(token: str) -> tuple[int, int, float]:
    """An entry of an unknown row; its element is -1 where no element has that symbol."""
    symbol = token.rstrip("0123456789.")
    digits = token[len(symbol) :]
    return -1, _INDEX.get(symbol, -1), float(digits) if digits else 1.0


def _rows_of_odd_entries(entries: npt.NDArray[np.void]) -> IntArray:
    """Rows with an unknown element, an element that is named twice, or an amount out of the ordinary."""
    mentions = np.sort(entries["row"] * len(SYMBOLS) + entries["element"])
    twice = mentions[1:][mentions[1:] == mentions[:-1]] // len(SYMBOLS)
    ordinary = (entries["amount"] >= _SMALLEST_AMOUNT) & (entries["amount"] <= _LARGEST_ORDINARY_AMOUNT)
    odd: IntArray = np.concatenate([twice, entries["row"][(entries["element"] < 0) | ~ordinary]])
    return odd


def parse_all(formulas: Sequence[str]) -> Compositions:
    """Reads a column of formulas that must all be readable.

    Raises:
        FormulaError: Names the first bad row, and says how many there are.
    """
    compositions, bad = parse_column(formulas)
    if bad:
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        raise FormulaError(f"{bad[0]}{more}; correct it, or drop such rows with --skip-bad-rows")
    return compositions


def reduced_formulas(compositions: Compositions) -> list[str]:
    """Writes each composition in its smallest whole numbers, elements by rising electronegativity.

    Materials whose compositions are equal up to a factor have the same reduced formula. Fractional
    amounts are brought to whole numbers with denominators of at most 1000.

    Returns:
        ``n`` formulas such as ``"Fe2O3"``.
    """
    order = _electronegativity_ranks()[compositions.elements]
    rows = np.repeat(np.arange(len(compositions)), compositions.sizes)
    sequence = np.lexsort((order, rows))
    symbols = [SYMBOLS[index] for index in compositions.elements[sequence]]
    amounts = _reduced_amounts(compositions)[sequence].tolist()
    pieces = [symbol if amount == 1 else f"{symbol}{amount}" for symbol, amount in zip(symbols, amounts, strict=True)]
    bounds = compositions.starts.tolist()
    return ["".join(pieces[start:end]) for start, end in itertools.pairwise(bounds)]


def _reduced_amounts(compositions: Compositions) -> IntArray:
    """Smallest whole amounts, shape ``(entries,)``; whole formulas at once, fractional ones singly."""
    amounts = np.rint(compositions.amounts).astype(np.int64)
    if not len(compositions):
        return amounts
    whole = np.logical_and.reduceat(compositions.amounts == amounts, compositions.starts[:-1])
    for row in np.flatnonzero(~whole):
        entries = slice(compositions.starts[row], compositions.starts[row + 1])
        amounts[entries] = _to_whole_numbers(compositions.amounts[entries])
    divisors: IntArray = np.gcd.reduceat(amounts, compositions.starts[:-1])
    return amounts // np.repeat(divisors, compositions.sizes)


def _to_whole_numbers(amounts: FloatArray) -> IntArray:
    """Scales fractional amounts to whole ones, relative to the smallest so that any multiple gives the same."""
    ratios = [Fraction(float(amount)).limit_denominator(_LARGEST_DENOMINATOR) for amount in amounts / amounts.min()]
    scale = min(math.lcm(*(ratio.denominator for ratio in ratios)), _LARGEST_SCALE)
    return np.array([max(1, round(ratio * scale)) for ratio in ratios], dtype=np.int64)


@functools.cache
def _electronegativity_ranks() -> IntArray:
    """Rank of each element by Pauling electronegativity (unknown ones last), shape ``(118,)``."""
    from pymatgen.core import Element

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=UserWarning)  # pymatgen warns for each element without a value
        values = np.nan_to_num([Element(symbol).X for symbol in SYMBOLS], nan=np.inf)
    ranks = np.empty(len(SYMBOLS), dtype=np.int64)
    ranks[np.argsort(values, kind="stable")] = np.arange(len(SYMBOLS))
    return ranks
