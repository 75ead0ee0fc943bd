"""Who fills a run directory, as its lock says."""

from __future__ import annotations

import json
import os
import socket

from irnet_ray.errors import RunError
from irnet_ray.storage import ELSEWHERE

LOCK = "LOCK"
"""Name of the file."""

Holder = dict[str, str | int]


def myself() -> Holder:
    """What a lock says of this process."""
    return {"host": socket.gethostname(), "process": os.getpid()}


def holder_of(content: bytes | str | None) -> Holder | None:
    """Who holds a lock, by the content of its file; ``None`` where that does not say."""
    try:
        said = json.loads(content or b"")
        return {"host": str(said["host"]), "process": int(said["process"]), "name": str(said.get("name", ""))}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def refusal(uri: str, content: bytes | str | None) -> RunError:
    """What to tell whoever comes second."""
    holder = holder_of(content)
    who = f"process {holder['process']} on {holder['host']}" if holder else "another run"
    return RunError(f"'{uri}' is being filled by {who}; wait for it, stop it, or {ELSEWHERE}")
