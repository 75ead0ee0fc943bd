"""Featurizers: from rows as they are written to attributes, without ever failing as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from irnet_ray.crystal import parse_crystal
from irnet_ray.errors import CrystalError
from irnet_ray.features import composition, structure
from irnet_ray.formula import FORMULA_FORM, FloatArray, parse_column

TextArray = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Featurized:
    """Attributes of ``n`` rows, some of which may have failed.

    Attributes:
        formulas: Formula of each row, empty where it failed, shape ``(n,)``.
        values: Attributes, NaN where the row failed, shape ``(n, labels)``.
        failures: Why a row failed, None where it did not, shape ``(n,)``.
    """

    formulas: TextArray
    values: FloatArray
    failures: TextArray

    def __len__(self) -> int:
        return len(self.formulas)

    @property
    def failed(self) -> npt.NDArray[np.bool_]:
        """Whether each row failed, shape ``(n,)``."""
        return np.array([failure is not None for failure in self.failures], dtype=np.bool_)


@dataclass(frozen=True)
class Featurizer:
    """A way to turn rows into attributes, whose results are kept.

    Attributes:
        name: By which its results are found.
        version: Raise it whenever a computed number or a reason changes.
        labels: Names of the attributes.
        rows_at_a_time: How many rows are one unit of work, the least that is worth a task.
        seconds_a_row: About what a row costs one core (s).
        compute: Turns texts and their form into attributes.
    """

    name: str
    version: int
    labels: tuple[str, ...]
    rows_at_a_time: int
    seconds_a_row: float
    compute: Callable[[Sequence[str], str], Featurized]


def text_array(texts: Sequence[Any]) -> TextArray:
    """An array of texts and None, shape ``(n,)``."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def _formulas_of(texts: Sequence[str], form: str) -> tuple[TextArray, TextArray]:
    """Formulas of the rows, and why a row has none."""
    if form == FORMULA_FORM:
        _, bad = parse_column(texts)
        failures = text_array([None] * len(texts))
        for each in bad:
            failures[each.row] = each.reason
        return text_array(["" if failure else text for text, failure in zip(texts, failures, strict=True)]), failures
    rows = [_formula_of_structure(text, form) for text in texts]
    return text_array([formula for formula, _ in rows]), text_array([failure for _, failure in rows])


def _formula_of_structure(text: str, form: str) -> tuple[str, str | None]:
    try:
        return parse_crystal(text, form).formula, None
    except CrystalError as error:
        return "", str(error)


def _compute_formula(texts: Sequence[str], form: str) -> Featurized:
    formulas, failures = _formulas_of(texts, form)
    return Featurized(formulas, np.empty((len(texts), 0)), failures)


def _compute_composition(texts: Sequence[str], form: str) -> Featurized:
    formulas, failures = _formulas_of(texts, form)
    compositions, _ = parse_column(formulas[formulas != ""].tolist())
    values = np.full((len(texts), len(composition.LABELS)), np.nan)
    values[formulas != ""] = composition.composition_attributes(compositions)
    return Featurized(formulas, values, failures)


def _compute_structure(texts: Sequence[str], form: str) -> Featurized:
    values = np.full((len(texts), len(structure.LABELS)), np.nan)
    formulas, failures = text_array([""] * len(texts)), text_array([None] * len(texts))
    for row, text in enumerate(texts):
        try:
            crystal = parse_crystal(text, form)
            values[row] = structure.structure_attributes(crystal)
            formulas[row] = crystal.formula
        except CrystalError as error:
            failures[row] = str(error)
    return Featurized(formulas, values, failures)


FEATURIZERS: dict[str, Featurizer] = {
    each.name: each
    for each in (
        Featurizer("formula", 1, (), 16_384, 3e-6, _compute_formula),
        Featurizer("composition", 1, composition.LABELS, 8_192, 6e-6, _compute_composition),
        Featurizer("structure", 1, structure.LABELS, 512, 3e-3, _compute_structure),
    )
}
"""All featurizers by name."""
