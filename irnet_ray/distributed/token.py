"""The token without which a cluster lets nobody in."""

from __future__ import annotations

import logging
from pathlib import Path

from ray._private.authentication import authentication_token_setup

_FOR_OTHERS = 0o077


def use_token() -> None:
    """Shows this user's token, if there is one, to every cluster from now on."""
    logging.getLogger(authentication_token_setup.__name__).setLevel(logging.ERROR)
    authentication_token_setup.maybe_enable_token_auth_if_token_available(warn_if_disabled=False)


def protect_token() -> None:
    """Takes away the others' right to read the token that Ray 2.60 writes on its own."""
    token = Path("~/.ray/auth_token").expanduser()
    if token.exists() and token.stat().st_mode & _FOR_OTHERS:
        token.chmod(0o600)
