import pytest

from irnet_ray.report.provenance import wall_seconds


def result(finished, train, predict=0.0):
    return {"train_seconds": train, "predict_seconds": predict, "provenance": {"finished": finished}}


def test_wall_time_goes_from_the_first_start_to_the_last_end():
    results = [
        result("2026-11-28T01:10:00+00:00", 60.0),
        result("2026-11-28T01:30:00+00:00", 1790.0, 10.0),  # began first, at 01:00
        result("2026-11-28T02:35:00+01:00", 60.0),  # ended last, at 01:35 by the same clock
    ]
    assert wall_seconds(results) == pytest.approx(35 * 60)
    assert wall_seconds([result(None, 60.0)]) is None
    assert wall_seconds([]) is None
