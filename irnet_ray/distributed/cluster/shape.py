"""Parts of a cluster file that must be mappings or lists of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from irnet_ray.errors import ConfigurationError


def mapping_at(parent: Mapping[str, Any], key: str, field: str) -> Mapping[str, Any]:
    """A mapping within a mapping; an empty one where there is none.

    Args:
        parent: What it is in.
        key: Its name there.
        field: Where the parent stands in the file, as a dotted path.

    Raises:
        ConfigurationError: It is something else; names the field.
    """
    return _mapping(parent.get(key) or {}, f"{field}.{key}")


def mappings_at(parent: Mapping[str, Any], key: str, field: str) -> list[Mapping[str, Any]]:
    """A list of mappings within a mapping; an empty one where there is none.

    Raises:
        ConfigurationError: It is something else; names the field.
    """
    found = parent.get(key) or []
    if not isinstance(found, list):
        raise ConfigurationError(f"{field}.{key}: is no list; write each entry after a '-'")
    return [_mapping(each, f"{field}.{key}.{number}") for number, each in enumerate(found)]


def _mapping(value: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{field}: '{value}' is no mapping; write 'name: value' lines below it")
    return value
