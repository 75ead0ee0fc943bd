from __future__ import annotations

import os
import signal

import pytest

from irnet_ray.distributed.session import _interrupts_deferred


def test_ctrl_c_waits_until_ray_has_started():
    steps = []

    def start():
        with _interrupts_deferred():
            os.kill(os.getpid(), signal.SIGINT)
            steps.append("started")
        steps.append("went on")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert steps == ["started"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_ctrl_c_nothing_changes():
    with _interrupts_deferred():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
