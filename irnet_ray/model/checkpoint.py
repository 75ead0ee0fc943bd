"""Checkpoints as bytes that prove themselves: a digest, then what torch saves."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import torch

_DIGEST_SIZE = hashlib.sha256().digest_size


def encode(state: dict[str, Any]) -> bytes:
    """Serializes tensors, numbers, strings, lists and dictionaries."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    return hashlib.sha256(content).digest() + content


def decode(content: bytes) -> dict[str, Any] | None:
    """Reads what ``encode`` wrote.

    Returns:
        The state on the CPU, or ``None`` where the bytes were truncated or altered.
    """
    digest, content = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
    if hashlib.sha256(content).digest() != digest:
        return None
    state: dict[str, Any] = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    return state
