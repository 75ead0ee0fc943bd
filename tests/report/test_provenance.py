import pytest

from irnet_ray.report.provenance import wall_seconds


def result(finished, train, predict=0.0):
    return {"train_seconds": train, "predict_seconds": predict, "provenance": {"finished": finished}}


def test_wall_time_is_that_during_which_a_trial_ran():
    results = [
        result("2026-11-28T01:10:00+00:00", 60.0),
        result("2026-11-28T01:30:00+00:00", 1790.0, 10.0),  # from 01:00 on
        result("2026-11-28T02:35:00+01:00", 600.0),  # by another clock; from 01:25 to 01:35
        result("2026-11-28T09:00:00+00:00", 120.0),  # after a pause
        result(None, 60.0),
    ]
    assert wall_seconds(results) == pytest.approx((35 + 2) * 60)
    assert wall_seconds([result(None, 60.0)]) == 0
