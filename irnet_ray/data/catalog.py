"""The datasets that the package knows by name; their cards are data, in two files beside this one."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any

import yaml

from irnet_ray.config import validate
from irnet_ray.data.cards import DatasetCard, PropertyCard
from irnet_ray.errors import ConfigurationError, suggestion

_FILES = ("catalog.yaml", "catalog_structures.yaml")


@functools.cache
def catalog() -> dict[str, DatasetCard]:
    """All cards by name; read once."""
    return {
        name: validate(DatasetCard, {"name": name, **entry}, f"{file}: {name}")
        for file in _FILES
        for name, entry in _entries(file).items()
    }


def _entries(file: str) -> dict[str, dict[str, Any]]:
    text = resources.files("irnet_ray.data").joinpath(file).read_text(encoding="utf-8")
    entries: dict[str, dict[str, Any]] = yaml.safe_load(text)["datasets"]
    return entries


def card(name: str) -> DatasetCard:
    """The card of a dataset.

    Raises:
        ConfigurationError: There is no such dataset.
    """
    cards = catalog()
    if name not in cards:
        raise ConfigurationError(f"unknown dataset '{name}'{suggestion(name, cards)}")
    return cards[name]


def property_card(dataset: str, property_name: str) -> PropertyCard:
    """The card of one property of a dataset.

    Raises:
        ConfigurationError: There is no such dataset, or it has no such property.
    """
    properties = card(dataset).properties
    if property_name not in properties:
        problem = f"dataset '{dataset}' has no property '{property_name}'"
        raise ConfigurationError(f"{problem}{suggestion(property_name, properties)}")
    return properties[property_name]
