import pytest

from irnet_ray.report.paper import BEST_OF_TEN, FIGURE_1, TABLE_1_OQMD_ENTHALPY, experiments_like


def test_published_errors():
    assert FIGURE_1.mae("irnet", 48) == 0.038
    assert TABLE_1_OQMD_ENTHALPY.mae(BEST_OF_TEN, None) == 0.077


def test_the_papers_headline_follows_from_figure_1():
    """The paper: "up to 47% better model accuracy as compared to traditional ML techniques"."""
    assert 1 - FIGURE_1.mae("irnet", 48) / FIGURE_1.mae("random_forest", None) == pytest.approx(0.47, abs=0.005)


def test_nearest_experiment_comes_first():
    assert experiments_like("oqmd", "formation_enthalpy")[0] is TABLE_1_OQMD_ENTHALPY
    assert experiments_like("oqmd", "band_gap") == (FIGURE_1,)
