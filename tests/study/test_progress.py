from __future__ import annotations

import io

import pytest
from rich.console import Console

from irnet_ray.study.progress import Progress, describe, duration
from irnet_ray.study.read import read_study


@pytest.fixture
def trials(study_file):
    return {trial.id: trial for trial in read_study(study_file).trials()}


def progress_on(console, trials, already_done=0):
    return Progress(trials, dict.fromkeys(trials, 1.0), already_done=already_done, console=console)


def test_plain_output_has_one_aligned_line_a_trial(trials):
    output = io.StringIO()
    with progress_on(Console(file=output, width=40), trials, already_done=2) as progress:
        for trial_id in trials:
            progress.epoch(trial_id, 1, 3, 0.5)
            progress.finished(trial_id, {"unit": "eV/atom", "test_mae": 0.12345, "train_seconds": 61.0})
    lines = output.getvalue().splitlines()
    assert len(lines) == len(trials)
    assert [line.split()[0] for line in lines] == ["3/5", "4/5", "5/5"]
    assert len({line.index("test MAE 0.1235 eV/atom") for line in lines}) == 1
    assert [line.endswith("left") for line in lines] == [True, True, False]
    assert "\x1b" not in output.getvalue()


def test_a_terminal_has_one_live_line_for_those_under_way(trials):
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=200, color_system=None)
    first, second, _ = trials
    with progress_on(console, trials) as progress:
        progress.epoch(first, 1, 3, 0.5)
        progress.epoch(second, 2, 3, 0.25)
    assert "plain-10 1/3 val 0.5  irnet-10 2/3 val 0.25" in output.getvalue()


def test_failures_say_why(trials):
    output = io.StringIO()
    with progress_on(Console(file=output, width=200), trials) as progress:
        progress.failed(next(iter(trials)), "the loss is not finite")
    assert "failed: the loss is not finite" in output.getvalue()


def test_descriptions_name_the_model_and_what_differs(study_file):
    settings = ["seeds=[0,1]", "data.train_size=[100,all]", "models.networks.shortcut=layer"]
    lines = describe(read_study(study_file, settings=settings).trials())
    recipe = "fast(batch_size=32, epochs=3)"
    assert lines[:3] == [
        f"irnet-10       100 rows  width 0.03  {recipe}  seed 0",
        f"irnet-10       100 rows  width 0.03  {recipe}  seed 1",
        f"random_forest  100 rows              {'':{len(recipe)}}  seed 0",
    ]
    assert lines[4].startswith("irnet-10       all rows")


def test_what_is_the_same_for_all_is_left_out(study_file):
    networks = [trial for trial in read_study(study_file).trials() if trial.architecture]
    assert describe(networks) == ["plain-10", "irnet-10"]


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "0 s"), (99, "99 s"), (150, "2.5 min"), (7200, "2.0 h")])
def test_durations(seconds, text):
    assert duration(seconds) == text
