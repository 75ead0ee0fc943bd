"""Materials as a regressor takes them: one column of formulas or structures, and the attributes that it learns from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from irnet_ray.crystal import Crystal, to_crystal
from irnet_ray.errors import CrystalError, FormulaError
from irnet_ray.features.representation import labels, needs_structures, parse_representation
from irnet_ray.features.tables import as_rows, formula_text, fractions, magpie, ward2017
from irnet_ray.formula import parse_column, reduced_formulas
from irnet_ray.model.rows import Float32Array

Material = str | Crystal
"""The formula or the structure that one row is."""

_TABLES: dict[str, Callable[..., pd.DataFrame]] = {
    "composition": magpie,
    "fractions": fractions,
    "structure": ward2017,
    "structure_matminer": lambda structures, **options: ward2017(structures, range_columns=True, **options),
}
_MARKS = ("get_el_amt_dict", "frac_coords", "get_chemical_symbols")  # of compositions, structures and atoms
_REPAIR = "correct it, leave it out, or choose another representation"
_ROWS_AT_A_TIME = 16_384  # bounds the float64 copies of attributes


def is_column_of_materials(values: Any) -> bool:
    """Tells one column of formulas or structures from numbers, in whatever container it comes.

    A single material counts as one too; ``read_materials`` refuses it and says why.
    """
    if hasattr(values, "tocsr"):  # a sparse matrix, of which some are mappings
        return False
    if _is_material(values):
        return True
    if isinstance(values, pd.DataFrame):
        return values.shape[1] == 1 and is_column_of_materials(values.iloc[:, 0])
    if isinstance(values, np.ndarray | pd.Series):
        if values.shape[1:] not in {(), (1,)} or pd.api.types.is_numeric_dtype(values.dtype):
            return False
        values = values.ravel() if isinstance(values, np.ndarray) else values
    return isinstance(values, Iterable) and any(_is_material(_cell(row)) for row in values)


def _is_material(value: Any) -> bool:
    return isinstance(value, str | Mapping | Crystal) or any(hasattr(value, mark) for mark in _MARKS)


def _cell(row: Any) -> Any:
    """What stands in a row, which may be written as a list of one."""
    return row[0] if isinstance(row, list | tuple) and len(row) == 1 else row


def column_of_materials_among_others(values: Any) -> str | None:
    """Name of the first column of formulas or structures in a table of several columns; None where there is none."""
    if not isinstance(values, pd.DataFrame):
        return None
    return next((str(name) for name, column in values.items() if is_column_of_materials(column)), None)


def read_materials(column: Any, representation: str) -> list[Material]:
    """Reads a column of formulas, or of structures where the representation needs them.

    Args:
        column: What ``magpie`` or ``ward2017`` of ``irnet_ray.features`` take.
        representation: Such as ``"composition+structure"``.

    Raises:
        FormulaError: A row is no formula.
        CrystalError: A row is no structure.
    """
    rows, _ = as_rows(column)
    read = _read_structure if needs_structures(representation) else _read_formula
    return [read(_cell(row), number) for number, row in enumerate(rows)]


def _read_formula(row: Any, number: int) -> Material:
    text = formula_text(row)
    if text is None:
        raise FormulaError(
            f"row {number}: a {type(row).__name__} is no formula; give a text or a pymatgen composition, "
            "or choose a representation with 'structure'"
        )
    return text


def _read_structure(row: Any, number: int) -> Material:
    try:
        return to_crystal(row)
    except CrystalError as error:
        raise CrystalError(
            f"row {number}: {error}; correct it, or choose a representation without structures"
        ) from error


def attributes(materials: list[Material], representation: str) -> Float32Array:
    """Computes the columns of a representation, shape ``(n, len(labels(representation)))``.

    Raises:
        DataError: A row cannot be featurized; names the first one, and says how many there are.
    """
    table = np.empty((len(materials), len(labels(representation))), dtype=np.float32)
    failed: dict[int, str] = {}
    for start in range(0, len(materials), _ROWS_AT_A_TIME):
        block = materials[start : start + _ROWS_AT_A_TIME]
        parts = []
        for part in parse_representation(representation):
            of_structures = needs_structures(part)
            columns = _TABLES[part](block if of_structures else [_formula(each) for each in block], errors="nan")
            failed = {start + row: reason for row, reason in columns.attrs["failed"]} | failed
            parts.append(columns.to_numpy())
        table[start : start + len(block)] = np.concatenate(parts, axis=1)
    if failed:
        row = min(failed)
        kind = CrystalError if needs_structures(representation) else FormulaError
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        raise kind(f"row {row}: {_formula(materials[row])!r}: {failed[row]}{more}; {_REPAIR}")
    return table


def compositions(materials: list[Material]) -> list[str]:
    """Reduced formulas of readable materials: equal for those that only differ by a factor or in their structure."""
    parsed, _ = parse_column([_formula(material) for material in materials])
    return reduced_formulas(parsed)


def _formula(material: Material) -> str:
    return material if isinstance(material, str) else material.formula
