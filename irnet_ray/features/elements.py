"""Tables of elemental properties, taken from matminer's own data."""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass

import numpy as np

from irnet_ray.formula import SYMBOLS, FloatArray

MAGPIE_PROPERTIES = (
    "Number",
    "MendeleevNumber",
    "AtomicWeight",
    "MeltingT",
    "Column",
    "Row",
    "CovalentRadius",
    "Electronegativity",
    "NsValence",
    "NpValence",
    "NdValence",
    "NfValence",
    "NValence",
    "NsUnfilled",
    "NpUnfilled",
    "NdUnfilled",
    "NfUnfilled",
    "NUnfilled",
    "GSvolume_pa",
    "GSbandgap",
    "GSmagmom",
    "SpaceGroupNumber",
)
"""The 22 elemental properties of Ward et al., npj Comput. Mater. 2, 16028 (2016), in matminer's order."""

FRACTION_ELEMENTS: tuple[str, ...] = tuple(
    symbol for symbol in SYMBOLS[:94] if symbol not in {"He", "Ne", "Ar", "Po", "At", "Rn", "Fr", "Ra"}
)
"""The 86 elements of ElemNet (Jha et al., Sci. Rep. 8, 17593, 2018): Z = 1-94 without eight."""


@dataclass(frozen=True)
class ElementTables:
    """Properties of the 118 elements; where matminer knows no value it takes the mean over the elements.

    Attributes:
        magpie: The Magpie properties in the units of matminer's description, shape ``(118, 22)``.
        electronegativity: Pauling electronegativity from pymatgen, shape ``(118,)``.
        oxidation_states: Common oxidation states of each element, 118 arrays of shape ``(states,)``.
    """

    magpie: FloatArray
    electronegativity: FloatArray
    oxidation_states: tuple[FloatArray, ...]


@functools.cache
def element_tables() -> ElementTables:
    """Reads matminer's tables; a second call costs nothing."""
    from matminer.utils.data import MagpieData, PymatgenData
    from pymatgen.core import Element

    elements = [Element(symbol) for symbol in SYMBOLS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=UserWarning)  # one warning for each missing value
        magpie_data, pymatgen_data = MagpieData(impute_nan=True), PymatgenData(impute_nan=True)
        columns = [magpie_data.get_elemental_properties(elements, name) for name in MAGPIE_PROPERTIES]
        electronegativity = pymatgen_data.get_elemental_properties(elements, "X")
        states = [pymatgen_data.get_oxidation_states(element) for element in elements]
    return ElementTables(
        magpie=np.array(columns, dtype=np.float64).T.copy(),
        electronegativity=np.array(electronegativity, dtype=np.float64),
        oxidation_states=tuple(np.array(each, dtype=np.float64) for each in states),
    )
