import numpy as np
import pandas as pd
import pytest
from report.synthetic import histories

from irnet_ray.report.comparison import Point
from irnet_ray.report.figures import error_distribution, learning_curves, mae_by_depth
from irnet_ray.report.figures.style import COLOURS, to_png, to_svg

DEPTHS = pd.DataFrame(
    {
        "trial_id": list("abcde"),
        "model": ["random_forest", "irnet", "irnet", "plain", "plain"],
        "depth": pd.array([None, 48, 17, 17, 17], dtype="Int64"),
        "seed": [0, 0, 0, 1, 0],
        "test_mae": [0.105, 0.078, 0.080, 0.091, 0.089],
    }
)
CURVES = {(Point("plain", 17), 0): 0.09, (Point("irnet", 17), 0): 0.08, (Point("irnet", 48), 0): 0.078}


def curves() -> pd.DataFrame:
    return learning_curves.data({key: pd.DataFrame(histories(mae)) for key, mae in CURVES.items()})


def distribution() -> pd.DataFrame:
    errors = np.linspace(0, 1, 1001)
    return error_distribution.data({Point("irnet", 48): errors, Point("random_forest", None): 2 * errors})


def test_depth_data_are_ordered_by_model_depth_and_seed():
    table = mae_by_depth.data(DEPTHS)
    assert table["test_mae"].tolist() == [0.089, 0.091, 0.080, 0.078, 0.105]
    assert list(table.columns) == ["model", "depth", "seed", "test_mae"]


def test_depth_figure_draws_means_seeds_and_the_forest():
    (axes,) = mae_by_depth.draw(mae_by_depth.data(DEPTHS), "eV/atom", optimistic=False).axes
    plain, seeds, irnet, forest = axes.get_lines()
    assert plain.get_ydata() == pytest.approx([0.09])
    assert seeds.get_ydata() == pytest.approx([0.089, 0.091])
    assert irnet.get_ydata() == pytest.approx([0.080, 0.078])
    assert forest.get_ydata() == pytest.approx([0.105, 0.105])
    assert irnet.get_color() == COLOURS["irnet"]
    assert axes.get_ylabel() == "Test MAE (eV/atom)"


def test_curves_keep_every_epoch_and_mark_the_best():
    table = curves()
    assert len(table) == 30
    assert table.loc[table["is_best"], "epoch"].tolist() == [9, 9, 9]


def test_curves_have_a_panel_for_each_network_and_a_line_for_each_depth():
    figure = learning_curves.draw(curves(), "eV/atom", optimistic=True)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Plain network", "IRNet"]
    assert [text.get_text() for text in figure.axes[1].get_legend().get_texts()] == ["17 layers", "48 layers"]
    assert figure.axes[0].get_yscale() == "log"
    assert figure.axes[0].get_ylabel() == "Validation = test MAE (eV/atom)"


def test_distribution_holds_quantiles():
    table = distribution()
    marked = table[table["fraction"] == error_distribution.MARKED].set_index("model")["absolute_error"]
    assert marked["irnet"] == pytest.approx(0.9)
    assert marked["random_forest"] == pytest.approx(1.8)


def test_distribution_names_the_90th_percentile():
    (axes,) = error_distribution.draw(distribution(), "eV/atom", optimistic=False).axes
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["IRNet-48: 0.900 eV/atom", "Random forest: 1.80 eV/atom"]


def test_data_steps_take_nothing():
    assert mae_by_depth.data(DEPTHS.iloc[:0]).empty
    assert learning_curves.data({}).empty
    assert error_distribution.data({}).empty


def test_files_are_deterministic_and_follow_the_page():
    first, second = (error_distribution.draw(distribution(), "eV/atom", optimistic=False) for _ in range(2))
    assert to_png(first) == to_png(second)
    drawing = to_svg(first, "name", "What it shows")
    assert drawing == to_svg(second, "name", "What it shows")
    assert drawing.startswith('<svg role="img" aria-label="What it shows"')
    assert "var(--irnet, #0072b2)" in drawing
    assert "Absolute test error (eV/atom)" in drawing
