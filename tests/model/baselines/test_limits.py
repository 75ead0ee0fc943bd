import os
import signal
import time

import numpy as np
import psutil
import pytest

from irnet_ray.errors import LimitError, TrainingError
from irnet_ray.model.baselines import limits as limits_module
from irnet_ray.model.baselines.limits import Limits, call_within

WIDE = Limits(seconds=60, gibibytes=16)


def takes(gibibytes):
    held = np.ones(int(gibibytes * 2**27))
    time.sleep(60)
    return held


def dies():
    os._exit(9)


def test_without_limits_a_call_stays_in_this_process():
    assert call_within(Limits(), os.getpid) == os.getpid()


def test_within_limits_a_call_gives_what_it_gives_and_the_next_one_uses_the_same_process():
    first, second = call_within(WIDE, os.getpid), call_within(WIDE, os.getpid)
    assert first == second != os.getpid()
    assert call_within(WIDE, divmod, 7, 2) == (3, 1)


@pytest.mark.parametrize(
    ("limits", "call", "message"),
    [
        (Limits(seconds=0.3), (time.sleep, 60), "0.3 s; raise trainer.limits.seconds"),
        (
            Limits(seconds=60, gibibytes=0.5),
            (takes, 0.6),
            "0.5 GiB; raise trainer.limits.gibibytes",
        ),
    ],
)
def test_what_takes_too_much_is_ended_with_its_process(limits, call, message):
    process = psutil.Process(call_within(WIDE, os.getpid))
    with pytest.raises(LimitError) as caught:
        call_within(limits, *call)
    assert str(caught.value) == f"took more than its limit of {message}"
    process.wait(10)
    assert call_within(WIDE, os.getpid) != process.pid


def test_an_error_comes_back_as_it_is():
    with pytest.raises(ZeroDivisionError):
        call_within(WIDE, divmod, 7, 0)


def test_a_process_that_dies_is_told_and_replaced():
    with pytest.raises(TrainingError, match=r"^the process that fitted it died"):
        call_within(WIDE, dies)
    assert call_within(WIDE, divmod, 7, 2) == (3, 1)


def test_a_waiting_process_that_was_killed_is_replaced():
    psutil.Process(call_within(WIDE, os.getpid)).kill()
    assert call_within(WIDE, divmod, 7, 2) == (3, 1)


def test_a_process_that_holds_much_after_a_call_is_replaced(monkeypatch):
    monkeypatch.setattr(limits_module, "_WORTH_KEEPING", 0)
    assert call_within(WIDE, os.getpid) != call_within(WIDE, os.getpid)


def test_an_interrupt_of_the_terminal_does_not_reach_the_process():
    pid = call_within(WIDE, os.getpid)
    os.kill(pid, signal.SIGINT)
    assert call_within(WIDE, os.getpid) == pid


@pytest.mark.parametrize(
    ("limits", "forbidden"),
    [({}, False), ({"seconds": 5}, True), ({"seconds": 4}, True), ({"seconds": 6}, False), ({"gibibytes": 1}, False)],
)
def test_a_limit_that_was_reached_forbids_until_it_is_raised(limits, forbidden):
    assert Limits(**limits).forbid("seconds", 5) == forbidden
