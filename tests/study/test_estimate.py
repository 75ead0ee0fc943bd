from __future__ import annotations

import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from irnet_ray.distributed.launch import run_study
from irnet_ray.errors import ConfigurationError
from irnet_ray.model.baselines.limits import Limits
from irnet_ray.study import estimate
from irnet_ray.study.estimate import estimate_study, makespan, split_sizes, work
from irnet_ray.study.read import read_study
from irnet_ray.study.run_directory import RunDirectory


@pytest.fixture
def trials_of(study_file):
    return lambda *settings: read_study(study_file, settings=settings).trials()


def costs(trials):
    return [work(trial, rows) for trial, rows in zip(trials, split_sizes(trials), strict=True)]


@pytest.mark.parametrize(
    "setting",
    [
        "models.networks.depth=[10,17,24,48]",
        "models.networks.width=[0.03,0.25,1.0]",
        "models.networks.recipe=[{base: fast, epochs: 3}, {base: fast, epochs: 30}]",
        "data.train_size=[50,100,200]",
        "models.networks.shortcut=[none, layer]",
    ],
)
def test_more_costs_more(trials_of, setting):
    trials = [trial for trial in trials_of("models.networks.shortcut=layer", setting) if trial.architecture]
    rising = costs(trials)
    assert all(before < after for before, after in itertools.pairwise(rising))


def test_sizes_are_those_of_the_split(trials_of):
    assert split_sizes(trials_of()) == [(150, 17, 25)] * 3


def test_more_rows_than_there_are_is_refused(trials_of):
    with pytest.raises(ConfigurationError, match=r"table, energy: train_size: 1,000 asked"):
        split_sizes(trials_of("data.train_size=1000"))


def test_every_trial_gets_a_time_and_a_size(trials_of):
    estimates = estimate_study(trials_of())
    assert all(each.seconds > 0 for each in estimates)
    assert estimates[0].matrix_bytes == 4 * 145 * (150 + 17 + 25)


def test_classical_learning_takes_no_longer_than_its_limit(trials_of):
    for each in estimate_study(trials_of(), Limits(seconds=1e-9)):
        assert (each.seconds == pytest.approx(1e-9)) == (each.trial.architecture is None)


@pytest.mark.parametrize(("a_work", "first"), [(1e-12, "random_forest"), (1e6, "irnet-10")])
def test_what_a_limit_cuts_counts_for_no_more_when_the_longest_go_first(
    study_file, tmp_path, monkeypatch, a_work, first
):
    monkeypatch.setattr(estimate, "seconds_a_work", lambda: a_work)
    settings = ["models.forest.trees=400", "models.networks.shortcut=layer", "trainer.limits={seconds: 600}"]
    output = io.StringIO()
    console = Console(file=output, width=200)
    run_study(
        read_study(study_file, settings=settings), RunDirectory(str(tmp_path / "run")), console=console, local=True
    )
    assert first in next(line for line in output.getvalue().splitlines() if line.startswith("1/2"))


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=20), st.integers(1, 5))
def test_makespan_lies_between_its_bounds(seconds, slots):
    least = max(*seconds, sum(seconds) / slots)
    assert least <= makespan(seconds, slots) * (1 + 1e-9)
    assert makespan(seconds, slots) <= sum(seconds) / slots + max(seconds) + 1e-9
    assert makespan(seconds, 1) == pytest.approx(sum(seconds))
