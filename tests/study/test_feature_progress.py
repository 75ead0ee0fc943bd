from __future__ import annotations

import io

import pytest
from rich.console import Console

from irnet_ray.study import feature_progress
from irnet_ray.study.feature_progress import FeatureProgress, rate_line


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((0, 14_000, 0, 0.0), "0 of 14,000 rows computed"),
        ((4_096, 14_096, 4_000, 16.0), "4,096 of 14,096 rows computed, 250 rows/s, 40 s left"),
        ((100, 100_100, 100, 10.0), "100 of 100,100 rows computed, 10 rows/s, 2.8 h left"),
    ],
)
def test_a_line_tells_rate_and_time_left(arguments, line):
    assert rate_line(*arguments) == line


def test_plain_output_gets_a_line_now_and_then_without_the_time_of_the_start(monkeypatch):
    moments = iter([0.0, 1.0, 50.0, 51.0, 60.5])
    monkeypatch.setattr(feature_progress.time, "monotonic", lambda: next(moments))
    file = io.StringIO()
    with FeatureProgress(Console(file=file, width=100)) as progress:
        for done in (0, 100, 200, 1_150):
            progress.report(done, 2_200)
    assert file.getvalue().splitlines() == [
        "100 of 2,200 rows computed",
        "1,150 of 2,200 rows computed, 100 rows/s, 10 s left",
    ]


def test_the_next_table_has_a_rate_of_its_own(monkeypatch):
    moments = iter([0.0, 1.0, 50.0, 51.0, 52.0, 63.0])
    monkeypatch.setattr(feature_progress.time, "monotonic", lambda: next(moments))
    file = io.StringIO()
    with FeatureProgress(Console(file=file, width=100)) as progress:
        for done in (100, 5_000, 0, 100, 1_200):
            progress.report(done, 5_000)
    assert file.getvalue().splitlines()[-1] == "1,200 of 5,000 rows computed, 100 rows/s, 38 s left"


def test_a_terminal_gets_one_live_line_that_goes():
    file = io.StringIO()
    with FeatureProgress(Console(file=file, force_terminal=True, width=100)) as progress:
        progress.report(0, 10)
        progress.report(10, 10)
    assert "10 of 10 rows computed" in file.getvalue()
