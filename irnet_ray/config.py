"""Configuration that is checked when it is read: frozen, no unknown keys, one clear line for a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from irnet_ray.errors import ConfigurationError, suggestion

_NO_BLOCK = ("dict_type", "mapping_type", "model_attributes_type", "model_type")  # what pydantic calls it

ConfigType = TypeVar("ConfigType", bound="Config")
Value = TypeVar("Value")


class Config(BaseModel):
    """Base of every piece of configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys_only(cls, given: Any) -> Any:
        """Names the nearest valid key, which pydantic's own message does not."""
        if isinstance(given, Mapping):
            for key in given:
                if key not in cls.model_fields:
                    raise ValueError(f"unknown key '{key}'{suggestion(str(key), cls.model_fields)}")
        return given


def _as_tuple(value: Any) -> Any:
    """A single value becomes a tuple of one; a repeated value is a mistake."""
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not values:
        raise ValueError("the list is empty; name at least one value")
    if any(value in values[:position] for position, value in enumerate(values)):
        raise ValueError("a value stands twice; name each value once")
    return values


Axis = Annotated[tuple[Value, ...], BeforeValidator(_as_tuple)]
"""One value or a list of them: an axis of a grid."""


def validate(model: type[ConfigType], given: object, where: str) -> ConfigType:
    """Checks configuration read from a file.

    Args:
        model: What it should be.
        given: What was read.
        where: Where it was read from, to begin the message with.

    Raises:
        ConfigurationError: Names the first field that is wrong and the repair.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ConfigurationError(f"{where}: {describe(error, given)}") from error


def describe(error: ValidationError, given: object) -> str:
    """Says in one line what pydantic found: the field, what is wrong, and how many more mistakes there are."""
    mistakes = error.errors()
    first = mistakes[0]
    field = ".".join(_path_as_written(first["loc"], given, missing=first["type"] == "missing"))
    message = _message(first["type"], first["msg"], first.get("ctx", {}), first.get("input"))
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    return f"{field}: {message}{more}" if field else f"{message}{more}"


def _path_as_written(location: tuple[int | str, ...], given: object, *, missing: bool) -> list[str]:
    """Leaves out the steps that pydantic adds, such as the name of a union's member."""
    path: list[str] = []
    for position, part in enumerate(location):
        is_key = isinstance(given, Mapping) and part in given
        is_index = isinstance(given, list | tuple) and isinstance(part, int) and part < len(given)
        if is_key or is_index:
            given = given[part]  # type: ignore[index]
        elif not (missing and position == len(location) - 1):
            continue
        path.append(str(part))
    return path


def _message(kind: str, message: str, context: Mapping[str, Any], given: object) -> str:
    if kind == "literal_error":
        choices = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        nearest = suggestion(given, choices) if isinstance(given, str) else f"; choose from {', '.join(choices)}"
        return f"unknown value '{given}'{nearest}"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    if kind == "missing":
        return "this key is required; add it"
    written = "nothing" if given is None else repr(given)
    if kind in _NO_BLOCK:
        return f"must be a block of keys with values, not {written}"
    if kind == "too_short":
        return f"must hold at least {context['min_length']}, not {context['actual_length']}"
    text = message[0].lower() + message[1:]
    return text if isinstance(given, Mapping) else f"{text}, not {written}"
