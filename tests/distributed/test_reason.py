"""Why a trial's process ended, by what Tune wrote of each try."""

from __future__ import annotations

import pytest

from irnet_ray.distributed.run import _reason
from irnet_ray.study.execute import out_of_memory
from irnet_ray.study.read import read_study

FAILED = "Failure # {number} (occurred at 2026-11-28_01-49-01)\n{text}\n"
LACK = "ray.exceptions.RayActorError: OutOfMemoryError: 1 worker(s) were killed due to the node running low on memory."
LOST = "The actor died because its node has died."


@pytest.fixture
def trials(study_file):
    return {trial.label: trial for trial in read_study(study_file).trials()}


def reason(tmp_path, trial, *texts):
    file = tmp_path / "error.txt"
    file.write_text("".join(FAILED.format(number=number + 1, text=text) for number, text in enumerate(texts)))
    return _reason(str(file), trial)


@pytest.mark.parametrize(("label", "what"), [("irnet-10", "batch_size or width"), ("random_forest", "train_size")])
def test_lack_of_memory_is_said_in_our_words(tmp_path, trials, label, what):
    text = reason(tmp_path, trials[label], f"{LACK}\nTo disable worker killing, set a variable.")
    assert text == f"it ran out of memory; lower its {what}, or train fewer at once"


def test_the_last_try_counts(tmp_path, trials):
    trial = trials["irnet-10"]
    assert reason(tmp_path, trial, LACK, LOST) == LOST
    assert reason(tmp_path, trial, LOST, LACK) == out_of_memory(trial)


def test_nothing_told_is_told(trials):
    assert _reason(None, trials["irnet-10"]) == "Ray does not tell why"
