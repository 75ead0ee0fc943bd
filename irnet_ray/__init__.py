"""Depth studies of residual networks for materials properties, distributed with Ray.

As a library, the network with scikit-learn's interface:

    from irnet_ray import IRNetRegressor

    IRNetRegressor().fit(formulas, target).predict(["NaCl", "Fe2O3"])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from irnet_ray.model.regressor import IRNetRegressor

__version__ = "0.1.0"
__all__ = ["IRNetRegressor", "__version__"]


def __getattr__(name: str) -> Any:
    """Imports torch and scikit-learn when the regressor is first used, and not before."""
    if name != "IRNetRegressor":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.model.regressor").IRNetRegressor


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
