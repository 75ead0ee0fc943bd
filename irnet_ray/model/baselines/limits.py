"""Calls in a process of its own, which is ended where it takes too much time or memory."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import Any, TypeVar

import psutil
from pydantic import Field

from irnet_ray.config import Config
from irnet_ray.errors import LimitError, TrainingError

Outcome = TypeVar("Outcome")

_LOOK_SECONDS = 0.25
_GIB = 2**30
_WORTH_KEEPING = _GIB  # a process that holds more after a call is ended, so that it does not count against the next one
_MODULES = ("sklearn.compose", "sklearn.ensemble", "sklearn.linear_model", "sklearn.svm")


class Limits(Config):
    """What a baseline may take to be fitted and to predict.

    Attributes:
        seconds: Time (s); None sets no limit.
        gibibytes: Memory (GiB), with the rows; None sets no limit.
    """

    seconds: float | None = Field(default=None, gt=0)
    gibibytes: float | None = Field(default=None, gt=0)

    def forbid(self, limit: str, value: float) -> bool:
        """Whether one of them is no higher than a value at which a trial was ended."""
        own = getattr(self, limit)
        return own is not None and own <= value


class _Worker:
    """A process for calls one after the other."""

    def __init__(self) -> None:
        self._executor: ProcessPoolExecutor | None = None

    def ready(self) -> psutil.Process:
        """The process that the last call used, or a new one.

        Raises:
            TrainingError: No process can be started.
        """
        for _ in range(2):  # one that has waited may have been killed meanwhile
            try:
                return psutil.Process(self.submit(os.getpid).result())
            except BrokenProcessPool:
                self._discard()
        raise TrainingError("no process can be started to fit it in")

    def submit(self, function: Callable[..., Outcome], *arguments: Any) -> Future[Outcome]:
        """Calls a function in the process."""
        if self._executor is None:
            spawning = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(1, spawning, initializer=_prepare, initargs=(os.getpid(),))
        return self._executor.submit(function, *arguments)

    def end(self, process: psutil.Process) -> None:
        """Kills the process and those that it started; the next call starts a new one."""
        for each in _family(process):
            with suppress(psutil.Error):  # it has ended meanwhile
                each.kill()
        self._discard()

    def _discard(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = None


_WORKER = _Worker()


def call_within(limits: Limits, function: Callable[..., Outcome], *arguments: Any) -> Outcome:
    """Calls a function; where there are limits, in another process, which the next call uses again.

    Args:
        limits: What it may take.
        function: Of a module.
        *arguments: Are copied to the process.

    Raises:
        LimitError: It took more and was ended.
        TrainingError: The process died.
    """
    if limits == Limits():
        return function(*arguments)
    process = _WORKER.ready()
    future = _WORKER.submit(function, *arguments)
    try:
        _watch(future, process, limits)
        outcome = future.result()
    except BrokenProcessPool as error:
        _WORKER.end(process)
        raise TrainingError("the process that fitted it died, perhaps of too little memory") from error
    finally:
        if not future.done():
            _WORKER.end(process)
    if _memory(process) > _WORTH_KEEPING:
        _WORKER.end(process)
    return outcome


def _prepare(parent: int) -> None:
    """Imports what fits need before their time counts, and ends this process when the other one is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in _MODULES:
        importlib.import_module(name)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _watch(future: Future[Any], process: psutil.Process, limits: Limits) -> None:
    """Waits until a call is over.

    Raises:
        LimitError: It takes too much.
    """
    started = time.monotonic()
    while not wait([future], timeout=_LOOK_SECONDS).done:
        for limit, used, unit in (
            ("seconds", time.monotonic() - started, "s"),
            ("gibibytes", _memory(process) / _GIB, "GiB"),
        ):
            value = getattr(limits, limit)
            if value is not None and used > value:
                message = f"took more than its limit of {value:g} {unit}; raise trainer.limits.{limit}"
                raise LimitError(message, limit, value)


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:  # it has ended meanwhile
        return []


def _memory(process: psutil.Process) -> int:
    """Resident memory of a process and those that it started (bytes)."""
    total = 0
    for each in _family(process):
        with suppress(psutil.Error):  # it has ended meanwhile
            total += each.memory_info().rss
    return total
