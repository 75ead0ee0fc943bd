"""The token without which a cluster lets nobody in, for its owner's eyes alone."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from ray._private.authentication import authentication_token_setup

_FOR_OTHERS = 0o077


def use_token() -> None:
    """Shows this user's token, if there is one, to every cluster from now on; others lose the right to read it."""
    protect_token()
    logging.getLogger(authentication_token_setup.__name__).setLevel(logging.ERROR)
    authentication_token_setup.maybe_enable_token_auth_if_token_available(warn_if_disabled=False)


def make_token() -> None:
    """Makes this user's token if there is none, before Ray would make one that others can read for a while."""
    mode = os.environ.get(authentication_token_setup.AUTH_MODE_ENV_VAR, "token").lower()
    loader = authentication_token_setup.AuthenticationTokenLoader.instance()
    if mode == "token" and not loader.has_token(ignore_auth_mode=True):
        former = os.umask(_FOR_OTHERS)
        try:
            authentication_token_setup.generate_and_save_token()
        finally:
            os.umask(former)
        loader.reset_cache()
    protect_token()


def protect_token() -> None:
    """Takes away the others' right to read a token that Ray 2.60 wrote on its own."""
    token = Path("~/.ray/auth_token").expanduser()
    if token.exists() and token.stat().st_mode & _FOR_OTHERS:
        token.chmod(0o600)
