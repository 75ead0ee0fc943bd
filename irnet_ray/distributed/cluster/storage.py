"""Where the runs of a cluster lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from irnet_ray.distributed.cluster.check import PLACEHOLDER
from irnet_ray.errors import ConfigurationError
from irnet_ray.storage import Storage


def storage_on(cluster: str, chosen: str | None) -> str:
    """Finds the parent of the run directories of a cluster.

    Args:
        cluster: Its file, or an address.
        chosen: What the user wants; unless given, what the file says.

    Raises:
        ConfigurationError: Neither says, or it is a path that means something else on each node.
        StorageError: There is no such kind of storage.
    """
    storage = chosen or _stated(cluster)
    if not storage or PLACEHOLDER in storage:
        raise ConfigurationError(
            f"--storage: '{cluster}' does not say where runs lie; give it a bucket or a shared folder, "
            "or write it as metadata.storage into the file"
        )
    check_place("--storage", storage)
    return storage


def check_place(option: str, place: str) -> None:
    """Sees to it that a place means the same on all nodes, and holds no keys.

    Args:
        option: Where the user wrote it.
        place: Path or URI.

    Raises:
        ConfigurationError: It is a path that means something else on each node.
        StorageError: There is no such kind of storage.
    """
    if "://" not in place and not place.startswith("/"):
        raise ConfigurationError(f"{option} '{place}': write a path of the cluster's nodes from its root, or a URI")
    if "://" in place:
        Storage(place)  # refuses unknown kinds, and keys in it


def _stated(cluster: str) -> str:
    path = Path(cluster)
    if not path.is_file():
        return ""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError(f"{path}: is not YAML ({reason}); correct it") from error
    metadata = content.get("metadata") if isinstance(content, dict) else None
    return str(metadata.get("storage") or "") if isinstance(metadata, dict) else ""
