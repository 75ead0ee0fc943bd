"""The samples of a search: what was tried before, what is tried next, and which is the best."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from irnet_ray.errors import ConfigurationError
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.run_trials import Sample, ended_in, samples_of, write_sample
from irnet_ray.study.sampling import RandomSearch, make_algorithm
from irnet_ray.study.space import Distribution, Search, Values
from irnet_ray.study.spec import Study
from irnet_ray.study.trial import Trial

_PROPOSALS = 10  # after so many that were tried before, others are drawn at random
_ATTEMPTS = 100  # after so many more the space counts as exhausted


class Samples:
    """The samples of a search, of which the run directory tells what was done before.

    What was begun and not ended comes first, then what the algorithm proposes. It learns from every sample that has
    ended, and never proposes one again.

    Args:
        study: A study with a search.
        run: Its directory.
        on_start: Called with each sample that is to be done.
    """

    def __init__(
        self, study: Study, run: RunDirectory, on_start: Callable[[Sample], None] = lambda sample: None
    ) -> None:
        assert study.search is not None
        self._study = study
        self._search = study.search
        self._run = run
        self._on_start = on_start
        self._ended = ended_in(run, study)
        stored = samples_of(run, study)
        self._known = {sample.trial.id: sample for sample in stored}
        self._waiting = deque(sample for sample in stored if sample.trial.id not in self._ended)
        self._algorithm = make_algorithm(study.search, len(stored))
        for sample in stored:
            if sample.trial.id in self._ended:
                self._learn(sample)

    def next(self) -> Trial | None:
        """The next trial to do; ``None`` where there are as many as asked for, or the space has no more.

        Raises:
            StorageError: The run directory cannot be written.
        """
        sample = self._waiting.popleft() if self._waiting else self._draw_undone()
        if sample is None:
            return None
        self._on_start(sample)
        return sample.trial

    def end(self, trial_id: str) -> None:
        """Learns from a trial that has finished, failed or was stopped."""
        self._ended.add(trial_id)
        self._learn(self._known[trial_id])

    def one_by_one(self) -> Iterator[Trial]:
        """Goes through the trials still to do, each of which must have ended before the next is asked for."""
        while (trial := self.next()) is not None:
            yield trial
            self.end(trial.id)

    def _draw_undone(self) -> Sample | None:
        """Draws what was not done here before, as a trial of a grid."""
        while len(self._known) < self._search.samples and (sample := self._draw()) is not None:
            write_sample(self._run, sample)
            self._known[sample.trial.id] = sample
            if sample.trial.id not in self._ended:
                return sample
            self._learn(sample)
        return None

    def _draw(self) -> Sample | None:
        """Draws until something new comes."""
        number = max((sample.number for sample in self._known.values()), default=0) + 1
        for attempt in range(len(self._known) + _ATTEMPTS):
            values = self._algorithm.propose(at_random=attempt >= _PROPOSALS)
            try:
                trial = self._study.sample(values)
            except ConfigurationError:  # values that are possible by themselves, but not together
                continue
            known = self._known.get(trial.id)
            if known is None:
                return Sample(number, values, trial)
            if trial.id in self._ended and known.values != values:  # another way to say the same
                self._learn(Sample(known.number, values, trial))
        return None

    def _learn(self, sample: Sample) -> None:
        error, epochs = self._run.outcome(sample.trial.id)
        self._algorithm.learn(sample.values, error, epochs)


def draw_at_random(study: Study, count: int) -> list[Trial]:
    """Trials drawn at random from a search's space; those of a random search are its first."""
    assert study.search is not None
    algorithm = RandomSearch(study.search)
    drawn: list[Trial] = []
    for _ in range(count + _ATTEMPTS):
        with suppress(ConfigurationError):  # values that do not go together
            drawn.append(study.sample(algorithm.propose()))
        if len(drawn) == count:
            break
    return drawn


def best_sample(run: RunDirectory, study: Study) -> tuple[Sample, float] | None:
    """The finished sample of the lowest validation MAE, and this error in the property's unit."""
    finished = run.finished()
    errors = [
        (sample, float(run.result(sample.trial.id)["val_mae"]))
        for sample in samples_of(run, study)
        if sample.trial.id in finished
    ]
    return min(errors, key=lambda pair: pair[1], default=None)


def describe_values(search: Search, values: Values) -> str:
    """Names a sample by its values, such as ``"learning_rate 0.003125  depth 17"``, all of a search of one length."""
    names = short_names(values)
    return "  ".join(f"{names[key]} {_text(value):<{_longest(search.space[key])}}" for key, value in values.items())


def _longest(distribution: Distribution) -> int:
    return max(len(_text(value)) for value in distribution.probes()) if distribution.is_finite else len("1.234e-05")


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def short_names(values: Values) -> dict[str, str]:
    """The last part of each dotted key where no other has the same, else the whole key."""
    lasts = [key.rsplit(".", 1)[-1] for key in values]
    return {key: last if lasts.count(last) == 1 else key for key, last in zip(values, lasts, strict=True)}
