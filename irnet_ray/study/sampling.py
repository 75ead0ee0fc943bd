"""How a search chooses what to try next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from irnet_ray.study.space import Distribution, Search, Values


class Algorithm(Protocol):
    """Proposes values, and learns what they came to."""

    def propose(self, *, at_random: bool = False) -> Values:
        """Draws values.

        Args:
            at_random: Asks for values that need not be promising, because promising ones were all tried.
        """

    def learn(self, values: Values, error: float | None, epochs: int | None = None) -> None:
        """Takes note of a trial that has ended.

        Args:
            values: What was tried.
            error: Its lowest validation MAE; ``None`` if it failed.
            epochs: After how many epochs it was stopped, if it was.
        """


def make_algorithm(search: Search, known: int) -> Algorithm:
    """Makes a search's algorithm.

    Args:
        search: What to search.
        known: How many samples have been drawn before.
    """
    return RandomSearch(search) if search.algorithm == "random" else OptunaSearch(search, known)


class RandomSearch:
    """Draws without learning; the n-th draw follows from the seed alone."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._drawn = 0

    def propose(self, *, at_random: bool = False) -> Values:
        """Draws values."""
        generator = np.random.default_rng([self._search.seed, self._drawn])
        self._drawn += 1
        return {key: distribution.draw(generator) for key, distribution in self._search.space.items()}

    def learn(self, values: Values, error: float | None, epochs: int | None = None) -> None:
        """Does nothing."""


class OptunaSearch:
    """The tree-structured Parzen estimator of Optuna (Akiba et al., 2019).

    What is proposed is forgotten, and told to Optuna as a whole once it has ended: so it makes no difference whether
    it ended in this process or in an earlier one. Trials that were stopped count as pruned, by their last epoch, and
    those that failed as worse than all others.
    """

    def __init__(self, search: Search, known: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space = search.space
        self._distributions = {key: _for_optuna(each) for key, each in search.space.items()}
        # Seeded anew where a search goes on, lest it draws again what it has drawn.
        seed = int(np.random.SeedSequence([search.seed, known]).generate_state(1)[0])
        self._promising = optuna.samplers.TPESampler(seed=seed)
        self._random = optuna.samplers.RandomSampler(seed=seed)
        self._study = optuna.create_study(direction="minimize", sampler=self._promising)

    def propose(self, *, at_random: bool = False) -> Values:
        """Draws values."""
        from optuna.trial import TrialState

        self._study.sampler = self._random if at_random else self._promising
        asked = self._study.ask(fixed_distributions=self._distributions)
        self._study.tell(asked, state=TrialState.FAIL)
        return {
            key: self._space[key].values[value] if self._space[key].kind == "choice" else self._space[key].tidy(value)
            for key, value in asked.params.items()
        }

    def learn(self, values: Values, error: float | None, epochs: int | None = None) -> None:
        """Takes note of a trial that has ended."""
        from optuna.trial import TrialState, create_trial

        finished = error is not None and epochs is None
        self._study.add_trial(
            create_trial(
                state=TrialState.COMPLETE if finished else TrialState.PRUNED,
                value=error if finished else None,
                intermediate_values={} if finished or error is None else {epochs or 0: error},
                params=_params(self._space, values),
                distributions=self._distributions,
            )
        )


def _params(space: Mapping[str, Distribution], values: Values) -> dict[str, Any]:
    """Values as Optuna knows them: choices, which may be lists and mappings, by their position."""
    return {
        key: each.values.index(values[key]) if each.kind == "choice" else values[key] for key, each in space.items()
    }


def _for_optuna(distribution: Distribution) -> Any:
    from optuna import distributions

    if distribution.kind == "choice":
        return distributions.CategoricalDistribution(tuple(range(len(distribution.values))))
    low, high = distribution.values
    made = distributions.IntDistribution if distribution.is_finite else distributions.FloatDistribution
    return made(low, high, log=distribution.kind.startswith("log"))
