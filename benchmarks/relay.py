"""Trainings that take turns of some steps, so that a machine's good and bad moments come to all of them alike."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from torch.optim.optimizer import register_optimizer_step_post_hook

from irnet_ray.study.execute import configure_process
from irnet_ray.study.spec import Trainer

Clock = Callable[[], float]
"""Gives the seconds that a training has had so far."""


class Relay:
    """Lets one of several trainings go on while the others wait.

    Each runs in a thread of its own and passes on after so many steps of its optimizer. Its clock stands still while
    it waits.

    Args:
        steps: Of a turn.
    """

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._turn = threading.Condition()
        self._runners: deque[_Runner] = deque()
        self._own = threading.local()

    def run(self, trainings: Mapping[str, Callable[[Clock], Any]]) -> dict[str, Any]:
        """Runs trainings to their ends, the first one first; gives what each of them gives."""
        runners = [_Runner(training) for training in trainings.values()]
        self._runners.extend(runners)
        hook = register_optimizer_step_post_hook(lambda *_: self._step_taken())
        try:
            with ThreadPoolExecutor(len(runners)) as pool:
                results = [future.result() for future in [pool.submit(self._go, runner) for runner in runners]]
        finally:
            hook.remove()
        return dict(zip(trainings, results, strict=True))

    def _go(self, runner: _Runner) -> Any:
        self._own.runner = runner
        configure_process(Trainer())  # a thread's own settings
        self._wait(runner)
        try:
            return runner.training(runner.clock)
        finally:
            with self._turn:
                self._runners.popleft()
                self._turn.notify_all()

    def _step_taken(self) -> None:
        runner: _Runner = self._own.runner
        runner.steps += 1
        if runner.steps % self._steps == 0:
            runner.pause()
            with self._turn:
                self._runners.rotate(-1)
                self._turn.notify_all()
            self._wait(runner)

    def _wait(self, runner: _Runner) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._runners[0] is runner)
        runner.resume()


class _Runner:
    """A training, its steps and its time."""

    def __init__(self, training: Callable[[Clock], Any]) -> None:
        self.training = training
        self.steps = 0
        self._before = 0.0
        self._resumed = 0.0

    def clock(self) -> float:
        """Seconds so far; asked only while it runs."""
        return self._before + time.perf_counter() - self._resumed

    def pause(self) -> None:
        """Stops the clock."""
        self._before = self.clock()

    def resume(self) -> None:
        """Lets the clock run."""
        self._resumed = time.perf_counter()
