"""A trial tells how far it is where somebody decides on it, and asks once what was decided."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from irnet_ray.distributed import assignment as module
from irnet_ray.distributed.assignment import Assignment, Reporter, from_config, to_config
from irnet_ray.model.history import Epoch
from irnet_ray.study.read import read_study
from irnet_ray.study.spec import Trainer


@pytest.fixture
def asked(monkeypatch):
    """The rungs that were asked about; at the second a trial is to stop."""
    rungs = []
    monkeypatch.setattr(module, "ray", SimpleNamespace(get=lambda rung: rungs.append(rung) or rung == 4))
    return rungs


def reporter(study_file, reports, seconds):
    trial = read_study(study_file).trials()[0]
    decisions = SimpleNamespace(should_stop=SimpleNamespace(remote=lambda _, rung: rung))
    return Reporter(Assignment(trial, None, "", Trainer(), seconds, frozenset({2, 4}), decisions), reports.append)


def epoch(number):
    return Epoch(number, number, 1e-3, 0.1, 0.1, float(number))


def test_it_reports_at_rungs_and_from_time_to_time(study_file, asked):
    reports = []
    told = reporter(study_file, reports, seconds=3.0)
    stops = []
    for number in range(1, 9):
        told(epoch(number))
        stops.append(told.should_stop())
    assert [each["epoch"].epoch for each in reports] == [2, 4, 7]
    assert asked == [2, 4]
    assert stops == [False, False, False, True, False, False, False, False]


def test_a_resumed_trial_asks_about_the_last_rung_that_it_had_passed(study_file, asked):
    reports = []
    told = reporter(study_file, reports, seconds=100.0)
    for number in range(1, 6):  # from the checkpoint
        told(epoch(number))
    assert [each["epoch"].epoch for each in reports] == [2, 4]
    told(epoch(6))
    assert told.should_stop()
    assert asked == [4]


def test_trials_come_back_from_tunes_configuration(study_file):
    for trial in read_study(study_file).trials():
        assert from_config(to_config(trial)) == trial
