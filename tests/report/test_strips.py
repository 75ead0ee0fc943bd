import pytest

from irnet_ray.report.claims import Finding
from irnet_ray.report.claims.finding import Place
from irnet_ray.report.strips import WIDTH, strips


def finding(effect, low, high, **others):
    return Finding("claim", Place("oqmd"), "reproduced", "", "", effect=effect, low=low, high=high, **others)


def test_all_findings_on_a_question_share_a_logarithmic_scale():
    first, second = strips([finding(0.5, 0.25, 1.0, threshold=1.0, paper=0.5), finding(2.0, 1.0, 4.0, threshold=1.0)])
    assert first.high == second.low == first.threshold
    assert first.paper == first.effect
    assert second.paper is None
    assert first.effect - first.low == pytest.approx(second.high - second.effect, abs=0.11)
    assert 0 < first.low < second.high < WIDTH


def test_an_end_beyond_the_scale_reaches_the_edge():
    (strip,) = strips([finding(20_000.0, None, None, paper=15_000)])
    assert (strip.low, strip.high) == (0, WIDTH)
    assert strip.threshold is None


def test_what_has_no_estimate_has_no_drawing():
    drawn = strips([finding(None, None, 3.0), finding(1.5, 1.2, 1.9)])
    assert drawn[0] is None
    assert 0 < drawn[1].low < drawn[1].effect < drawn[1].high < WIDTH
    assert strips([finding(None, None, None)]) == [None]
