"""Reading a study: YAML, a profile over it, single values set on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from irnet_ray.config import validate
from irnet_ray.data.sources.checksum import sha256_of
from irnet_ray.errors import ConfigurationError, DataError, suggestion
from irnet_ray.study.spec import Study


def read_study(path: Path, profile: str | None = None, settings: Sequence[str] = ()) -> Study:
    """Reads a study file.

    Args:
        path: A YAML file.
        profile: One of the file's profiles, laid over the rest of the file.
        settings: ``key=value`` each, laid over both; keys are dotted, values are YAML.

    Raises:
        ConfigurationError: Names the file, the field and the repair.
    """
    content = _read_yaml(path)
    profiles = content.pop("profiles", {})
    if not isinstance(profiles, Mapping):
        raise ConfigurationError(f"{path}: profiles: must map names to what differs")
    if profile is not None:
        if not profiles:
            raise ConfigurationError(f"{path}: has no profiles; leave out --profile {profile}")
        if profile not in profiles:
            raise ConfigurationError(f"{path}: unknown profile '{profile}'{suggestion(profile, profiles)}")
        changes = profiles[profile] or {}
        if not isinstance(changes, Mapping):
            raise ConfigurationError(f"{path}: profiles.{profile}: must map keys to values")
        content = merge(content, changes)
        content["profile"] = profile
    changes = {}
    for setting in settings:
        _check_place(merge(content, changes), setting)
        changes = _joined(changes, _parse_setting(setting))
    content = merge(content, changes)
    _resolve_tables(content, path.parent)
    return validate(Study, content, str(path))


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        return parse_yaml(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigurationError(f"cannot read the study '{path}': {error.strerror}") from error


def parse_yaml(content: bytes, where: str) -> dict[str, Any]:
    """Reads the mapping of a study.

    Raises:
        ConfigurationError: It is no YAML, or no mapping; says in which line.
    """
    try:
        parsed = yaml.safe_load(content.decode("utf-8"))
    except (yaml.YAMLError, ValueError) as error:  # ValueErrors: a date that does not exist, bytes that are no text
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        place = f" in line {line + 1}" if line is not None else ""
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigurationError(f"{where}: not valid YAML{place}: {reason}") from error
    if not isinstance(parsed, dict):
        raise ConfigurationError(f"{where}: a study is a mapping of keys to values")
    return parsed


def dump_yaml(content: Mapping[str, Any]) -> bytes:
    """Writes a mapping so that ``parse_yaml`` gives it back, with its keys in their order."""
    return yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True).encode()


def merge(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Lays changes over a mapping: mappings are merged key by key, anything else is replaced.

    Changes to a recipe that is written as its name are changes to that recipe; a recipe that names its base is another
    one, which keeps nothing of the former.
    """
    merged = dict(base)
    for key, value in changes.items():
        before = _spelt_out(key, merged.get(key))
        is_another = key == "recipe" and isinstance(value, Mapping) and "base" in value
        parts = isinstance(before, dict) and isinstance(value, Mapping) and not is_another
        merged[key] = merge(before, value) if parts else value
    return merged


def _joined(first: dict[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two changes as one, in which nothing but the same key replaces a value."""
    joined = dict(first)
    for key, value in second.items():
        before = _spelt_out(key, joined.get(key))
        both = isinstance(before, dict) and isinstance(value, Mapping)
        joined[key] = _joined(before, value) if both else value
    return joined


def _spelt_out(key: str, value: Any) -> Any:
    """A value as the mapping that it stands for: the one value of a list, a recipe's name."""
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    return {"base": value} if key == "recipe" and isinstance(value, str) else value


def _check_place(content: Mapping[str, Any], setting: str) -> None:
    """Refuses to set a part of what has no parts, which would replace it by that part."""
    path: list[str] = []
    inside: Any = content
    for part in setting.partition("=")[0].split(".")[:-1]:
        path.append(part)
        inside = _spelt_out(part, inside.get(part))
        if inside is None:
            return
        if not isinstance(inside, Mapping):
            place, kind = ".".join(path), "a list" if isinstance(inside, list) else f"'{inside}'"
            raise ConfigurationError(f"--set '{setting}': '{place}' is {kind} in the study; set '{place}' as a whole")


def _parse_setting(setting: str) -> dict[str, Any]:
    """Turns ``models.networks.depth=[17, 48]`` into nested mappings."""
    key, separator, text = setting.partition("=")
    if not separator or not all(key.split(".")):
        raise ConfigurationError(f"--set '{setting}' is not of the form key=value, such as seeds=[0,1]")
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigurationError(f"--set '{setting}': the value is not valid YAML") from error
    for part in reversed(key.split(".")):
        value = {part: value}
    nested: dict[str, Any] = value
    return nested


def _resolve_tables(content: dict[str, Any], folder: Path) -> None:
    """Takes the path of a table of one's own from the study's folder, and notes the file's checksum."""
    blocks = content.get("data")
    for block in blocks if isinstance(blocks, list) else [blocks]:
        dataset = block.get("dataset") if isinstance(block, dict) else None
        if isinstance(dataset, dict) and isinstance(dataset.get("path"), str):
            file = (folder / Path(dataset["path"]).expanduser()).resolve()
            found = sha256_of(file)
            if dataset.get("sha256", found) != found:
                raise DataError(
                    f"{file}: its sha256 is {found}, not what the study says; correct 'sha256', or the file"
                )
            dataset |= {"path": str(file), "sha256": found}
