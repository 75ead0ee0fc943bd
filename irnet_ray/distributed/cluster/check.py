"""Is a cluster file complete, safe and repeatable? Answered offline, before anything is started or paid for."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from irnet_ray.distributed.cluster import kubernetes_rules, launcher_rules
from irnet_ray.distributed.cluster.remark import Remark
from irnet_ray.errors import ConfigurationError

PLACEHOLDER = "FILL-IN"
"""Stands where a value of the user's own belongs."""


def check_cluster_file(path: Path) -> list[Remark]:
    """Finds what is wrong with a cluster file.

    Args:
        path: For ``ray up``, or a manifest of a KubeRay ``RayJob`` or ``RayCluster``.

    Returns:
        What to mend; nothing if all is well.

    Raises:
        ConfigurationError: The file cannot be read, or is no cluster file that Ray or KubeRay would take.
    """
    found: list[Remark] = []
    rules: Callable[[Mapping[str, Any]], Iterator[Remark]]
    for content in _read(path):
        if str(content.get("apiVersion", "")).startswith("ray.io/"):
            rules, checked = kubernetes_rules.remarks, _checked_manifest(content, path)
        elif "provider" in content:
            rules, checked = launcher_rules.remarks, _prepared(content, path)
        elif "apiVersion" in content:
            continue  # something else of Kubernetes, such as a volume
        else:
            raise ConfigurationError(
                f"{path}: is no cluster file, for it has neither 'provider' nor 'apiVersion: ray.io/v1'; "
                "begin with an example of Ray or of KubeRay"
            )
        try:
            found += [*_placeholders(content), *rules(checked)]
        except ConfigurationError as error:
            raise ConfigurationError(f"{path}: {error}") from None
    return list(dict.fromkeys(found))


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        documents = [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each is not None]
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror}); correct the path") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError(f"{path}: is not YAML ({reason}); correct it") from error
    if not documents or not all(isinstance(each, dict) for each in documents):
        raise ConfigurationError(f"{path}: holds no settings; begin with an example of Ray or of KubeRay")
    return documents


def _prepared(content: dict[str, Any], path: Path) -> dict[str, Any]:
    """The settings as ``ray up`` would use them, defaults included, but each command where the user wrote it."""
    from jsonschema import ValidationError
    from ray.autoscaler._private.util import fillout_defaults, prepare_config, validate_config

    logging.getLogger("ray.autoscaler").setLevel(logging.ERROR)
    try:
        prepared: dict[str, Any] = prepare_config(copy.deepcopy(content))
        validate_config(prepared)
        filled = fillout_defaults(copy.deepcopy(content))
    except ValidationError as error:
        where = ".".join(map(str, error.absolute_path)) or "the file"
        raise ConfigurationError(f"{path}: {where}: {error.message}; correct it") from error
    except Exception as error:  # whatever Ray stumbles over
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ConfigurationError(f"{path}: Ray does not take it ({reason}); correct it") from error
    return {**prepared, **{field: filled.get(field) or [] for field in launcher_rules.COMMANDS}}


def _checked_manifest(content: dict[str, Any], path: Path) -> dict[str, Any]:
    kind, spec = content.get("kind"), content.get("spec")
    if kind not in ("RayJob", "RayCluster") or not isinstance(spec, dict):
        raise ConfigurationError(f"{path}: kind: '{kind}' with its spec is not known; take a RayJob or a RayCluster")
    cluster = spec.get("rayClusterSpec") if kind == "RayJob" else spec
    if not isinstance(cluster, dict) or not isinstance(cluster.get("headGroupSpec"), dict):
        raise ConfigurationError(f"{path}: spec: describes no head node; add headGroupSpec")
    return content


def _placeholders(value: Any, field: str = "") -> Iterator[Remark]:
    """Finds values that the user has yet to write."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _placeholders(each, f"{field}.{key}".removeprefix("."))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _placeholders(each, f"{field}.{number}")
    elif PLACEHOLDER in str(value):
        yield Remark("unfinished", field, f"'{value}' is to be replaced by a value of your own")
