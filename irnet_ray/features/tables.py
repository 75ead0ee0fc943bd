"""Tables of attributes for a notebook or another program: a list or a pandas column in, a pandas table out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from irnet_ray.crystal import to_crystal
from irnet_ray.errors import ConfigurationError, CrystalError, DataError, FormulaError, suggestion
from irnet_ray.features import composition, structure
from irnet_ray.features.representation import element_fractions, labels
from irnet_ray.formula import Compositions, FloatArray, parse_column

_ERRORS = ("raise", "nan")


def magpie(formulas: Iterable[Any], *, errors: str = "raise") -> pd.DataFrame:
    """The 145 composition attributes of Ward et al., npj Comput. Mater. 2, 16028 (2016), "Magpie".

    Args:
        formulas: ``n`` formulas or pymatgen compositions: a list, an array, a Series or a table of one column.
        errors: What becomes of a row that cannot be featurized: ``"raise"`` an error that names it, or
            ``"nan"``, a row of NaN, listed with its position and the reason in ``.attrs["failed"]``.

    Returns:
        ``n`` rows in the order and with the index of the formulas; matminer's labels and numbers.

    Raises:
        FormulaError: A formula cannot be read.
    """
    return _of_formulas(
        formulas, errors, composition.LABELS, lambda each: (composition.composition_attributes(each), {})
    )


def fractions(formulas: Iterable[Any], *, errors: str = "raise") -> pd.DataFrame:
    """Fractions of the 86 elements of ElemNet, Jha et al., Sci. Rep. 8, 17593 (2018).

    Args:
        formulas: As in ``magpie``.
        errors: As in ``magpie``.

    Returns:
        ``n`` rows that sum to 1, in the order and with the index of the formulas.

    Raises:
        FormulaError: A formula cannot be read, or holds an element outside the 86.
    """

    def compute(compositions: Compositions) -> tuple[FloatArray, dict[int, str]]:
        values, missing = element_fractions(compositions)
        return values, {row: f"element '{symbol}' is none of the 86" for row, symbol in missing.items()}

    return _of_formulas(formulas, errors, labels("fractions"), compute)


def ward2017(
    structures: Iterable[Any], *, range_columns: bool = False, errors: str = "raise", n_jobs: int | None = 1
) -> pd.DataFrame:
    """The 126 structure attributes of Ward et al., Phys. Rev. B 96, 024104 (2017).

    Args:
        structures: ``n`` structures: pymatgen's, ASE's, or the text of a POSCAR, CIF, extended XYZ or JSON, as a
            list, an array, a Series or a table of one column.
        range_columns: Whether to add the two ranges of matminer that are not in the paper: 128 columns.
        errors: As in ``magpie``.
        n_jobs: Number of processes, -1 for one on each core.

    Returns:
        ``n`` rows in the order and with the index of the structures; matminer's labels and numbers.

    Raises:
        CrystalError: A row is no structure, or its Voronoi tessellation fails.
    """
    _check_errors(errors)
    rows, index = as_rows(structures)
    values = np.full((len(rows), len(structure.LABELS)), np.nan)
    failed: dict[int, str] = {}
    for row, computed in enumerate(_structure_attributes(rows, n_jobs)):
        if not isinstance(computed, str):
            values[row] = computed
        elif errors == "raise":
            raise CrystalError(f"row {row}: {computed}; correct it, or pass errors='nan'")
        else:
            failed[row] = computed
    table = _table(values, structure.LABELS, index, errors, failed)
    return table if range_columns else table[list(structure.WARD_LABELS)]


def as_rows(column: Any) -> tuple[list[Any], pd.Index[Any] | None]:
    """Takes a column apart into its rows and its index; None where it has no index.

    Raises:
        DataError: It is a single material, or has several columns.
    """
    if isinstance(column, pd.DataFrame | np.ndarray):
        shape = column.shape
        if len(shape) != 1 and shape[1:] != (1,):
            raise DataError(f"an array of shape {shape} where one column of materials is wanted; select one")
        column = column.iloc[:, 0] if isinstance(column, pd.DataFrame) else column.reshape(-1)
    elif not isinstance(column, pd.Series) and _is_single(column):
        raise DataError(f"a single {type(column).__name__} where a list of materials is wanted; put it into a list")
    return list(column), column.index if isinstance(column, pd.Series) else None


def _is_single(material: Any) -> bool:
    """Tells one material from many: compositions, structures and atoms can be iterated over, too."""
    if isinstance(material, str | Mapping) or not isinstance(material, Iterable):
        return True
    return hasattr(material, "frac_coords") or hasattr(material, "get_chemical_symbols")


def _of_formulas(
    formulas: Iterable[Any],
    errors: str,
    labels: tuple[str, ...],
    compute: Callable[[Compositions], tuple[FloatArray, dict[int, str]]],
) -> pd.DataFrame:
    """Featurizes formulas with a function that also tells which of its rows it could not do."""
    _check_errors(errors)
    rows, index = as_rows(formulas)
    texts = [formula_text(row) for row in rows]
    compositions, bad = parse_column([text or "" for text in texts])
    failed = {each.row: each.reason if texts[each.row] is not None else "not a text" for each in bad}
    good = np.delete(np.arange(len(rows)), list(failed))
    values = np.full((len(rows), len(labels)), np.nan)
    values[good], also = compute(compositions)
    failed |= {int(good[row]): reason for row, reason in also.items()}
    if failed and errors == "raise":
        first = min(failed)
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        raise FormulaError(f"row {first}: {rows[first]!r}: {failed[first]}{more}; correct it, or pass errors='nan'")
    return _table(values, labels, index, errors, failed)


def formula_text(row: Any) -> str | None:
    """A formula as text, with all digits of a pymatgen composition; None where it is neither."""
    if isinstance(row, str):
        return row
    if not hasattr(row, "get_el_amt_dict"):
        return None
    amounts = row.get_el_amt_dict().items()
    return "".join(f"{symbol}{np.format_float_positional(amount)}" for symbol, amount in amounts)


def _structure_attributes(rows: list[Any], n_jobs: int | None) -> Iterator[FloatArray | str]:
    """Yields the attributes of each structure, or why it has none."""
    if n_jobs == 1:
        return map(_attributes_or_reason, rows)
    from joblib import Parallel, delayed

    results: Iterator[FloatArray | str] = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_attributes_or_reason)(row) for row in rows
    )
    return results


def _attributes_or_reason(row: Any) -> FloatArray | str:
    try:
        return structure.structure_attributes(to_crystal(row))
    except CrystalError as error:
        return str(error)


def _check_errors(errors: str) -> None:
    if errors not in _ERRORS:
        raise ConfigurationError(f"errors={errors!r}{suggestion(errors, _ERRORS)}")


def _table(
    values: FloatArray, labels: tuple[str, ...], index: pd.Index[Any] | None, errors: str, failed: dict[int, str]
) -> pd.DataFrame:
    table = pd.DataFrame(values, columns=list(labels), index=index)
    if errors == "nan":
        table.attrs["failed"] = sorted(failed.items())
    return table
