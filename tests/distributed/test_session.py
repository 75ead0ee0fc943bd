from __future__ import annotations

import os
import signal
import socket

import pytest

from irnet_ray.distributed.session import _check_reachable, _interrupts_deferred
from irnet_ray.errors import ConfigurationError


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_waits_until_ray_has_started(number):
    steps = []

    def start():
        with _interrupts_deferred():
            os.kill(os.getpid(), number)
            steps.append("started")
        steps.append("went on")

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            start()
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)
    assert steps == ["started"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("ray_session")
def test_ray_leaves_to_others_what_sigterm_does():
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_without_ctrl_c_nothing_changes():
    with _interrupts_deferred():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_an_address_at_which_nobody_answers_is_refused_before_ray_tries_it(scheme):
    with socket.socket() as unheard:  # bound, so that nobody else listens there, but not listening
        unheard.bind(("127.0.0.1", 0))
        address = f"{scheme}127.0.0.1:{unheard.getsockname()[1]}"
        with pytest.raises(ConfigurationError) as caught:
            _check_reachable(address)
    assert str(caught.value).startswith(f"--address '{address}': nobody answers there (")
