"""Which numbers? Materials as vectors of attributes.

As a library, with matminer's labels and numbers, from formulas or structures in any form that the field uses:

    from irnet_ray.features import magpie, ward2017

    magpie(["NaCl", "Fe2O3"])      # a pandas table of 145 columns
    ward2017(structures)           # of 126 columns

``fractions`` makes ElemNet's 86 columns; ``MagpieFeaturizer``, ``Ward2017Featurizer`` and
``FractionsFeaturizer`` are the same as transformers of scikit-learn.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from irnet_ray.features.tables import fractions, magpie, ward2017
    from irnet_ray.features.transformers import FractionsFeaturizer, MagpieFeaturizer, Ward2017Featurizer

__all__ = ["FractionsFeaturizer", "MagpieFeaturizer", "Ward2017Featurizer", "fractions", "magpie", "ward2017"]


def __getattr__(name: str) -> Any:
    """Imports pandas and scikit-learn (1 s) when one of the names is first used, and not before."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "transformers" if name.endswith("Featurizer") else "tables"
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
