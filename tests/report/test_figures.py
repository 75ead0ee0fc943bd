import itertools
from functools import partial
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from report.synthetic import histories

from irnet_ray.report.comparison import Point
from irnet_ray.report.drawings import draw_all
from irnet_ray.report.figures import agreement, error_distribution, learning_curves, mae_by_depth
from irnet_ray.report.figures.error_distribution import Curve
from irnet_ray.report.figures.style import COLOURS, for_page, to_png, to_svg
from irnet_ray.report.illustrations import Illustration

DEPTHS = pd.DataFrame(
    {
        "trial_id": list("abcde"),
        "model": ["random_forest", "irnet", "irnet", "plain", "plain"],
        "depth": pd.array([None, 48, 17, 17, 17], dtype="Int64"),
        "seed": [0, 0, 0, 1, 0],
        "test_mae": [0.105, 0.078, 0.080, 0.091, 0.089],
    }
)
CURVES = {
    learning_curves.Curve(Point("plain", 17), 0, "a", 9): 0.09,
    learning_curves.Curve(Point("irnet", 17), 0, "b", 9): 0.08,
    learning_curves.Curve(Point("irnet", 48), 0, "c", 10): 0.078,
}


def curves() -> pd.DataFrame:
    return learning_curves.data({key: pd.DataFrame(histories(mae)) for key, mae in CURVES.items()})


def distribution() -> pd.DataFrame:
    errors = np.linspace(0, 1, 1001)
    curves = [
        Curve("IRNet-48", Point("irnet", 48), ("a", "b")),
        Curve("random forest", Point("random_forest", None), ()),
    ]
    return error_distribution.data({curves[0]: errors, curves[1]: 2 * errors})


def test_depth_data_are_ordered_by_model_depth_and_seed():
    table = mae_by_depth.data(DEPTHS)
    assert table["test_mae"].tolist() == [0.089, 0.091, 0.080, 0.078, 0.105]
    assert list(table.columns) == ["model", "depth", "seed", "test_mae", "trial_id"]


def test_depth_figure_draws_means_seeds_and_the_forest():
    (axes,) = mae_by_depth.draw(mae_by_depth.data(DEPTHS), "eV/atom", optimistic=False).axes
    through = {line.get_label(): line for line in axes.get_lines() if not line.get_label().startswith("_")}
    assert through["Plain network"].get_ydata() == pytest.approx([0.09])
    assert through["IRNet"].get_ydata() == pytest.approx([0.080, 0.078])
    assert through["Random forest"].get_ydata() == pytest.approx([0.105, 0.105])
    assert through["IRNet"].get_color() == COLOURS["irnet"]
    drawn = {line.get_gid(): float(line.get_ydata()[0]) for line in axes.get_lines()}
    assert drawn["mark/plain/17/d"] == pytest.approx(0.091)
    assert drawn["mark/plain/17/e"] == pytest.approx(0.089)
    assert drawn["mark/plain/17/e d"] == pytest.approx(0.090)
    assert axes.get_ylabel() == "Test MAE (eV/atom)"
    assert axes.get_ylim()[1] > 0.105


def test_depth_figure_is_logarithmic_where_one_network_is_far_worse():
    table = mae_by_depth.data(DEPTHS.assign(test_mae=[0.105, 0.078, 0.080, 0.42, 0.44]))
    (axes,) = mae_by_depth.draw(table, "eV/atom", optimistic=False).axes
    assert axes.get_yscale() == "log"
    assert axes.get_ylabel() == "Test MAE (eV/atom), log scale"
    low, high = axes.get_ylim()
    assert sum(low <= tick <= high for tick in axes.get_yticks()) >= 4


def test_curves_keep_every_epoch_and_mark_the_tested_one():
    table = curves()
    assert len(table) == 30
    assert table.loc[table["is_tested"], "epoch"].tolist() == [9, 9, 10]


def test_curves_have_a_panel_for_each_network_and_a_line_for_each_depth():
    figure = learning_curves.draw(curves(), "eV/atom", optimistic=True)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Plain network", "IRNet"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["17 layers", "48 layers"]
    assert figure.axes[0].get_yscale() == "log"
    assert figure.axes[0].get_ylabel() == "Validation = test MAE (eV/atom), log scale"


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
    assert agreement.data({}).empty


def test_files_are_deterministic_and_follow_the_page():
    first, second = (error_distribution.draw(distribution(), "eV/atom", optimistic=False) for _ in range(2))
    assert to_png(first) == to_png(second)
    drawing = to_svg(first, "name")
    assert drawing == to_svg(second, "name")
    assert "Absolute test error (eV/atom)" in drawing
    assert "#0072b2" in drawing
    shown = for_page(drawing, "What it shows")
    assert shown.startswith('<svg role="img" aria-label="What it shows"')
    assert "var(--irnet, #0072b2)" in shown


def test_a_drawing_says_whose_each_mark_is():
    root = ElementTree.fromstring(to_svg(error_distribution.draw(distribution(), "eV/atom", optimistic=False), "name"))
    marks = [each for each in root.iter() if each.get("data-trials")]
    assert {(each.get("data-model"), each.get("data-depth"), each.get("data-trials")) for each in marks} == {
        ("irnet", "48", "a b")
    }
    assert any(each.get("data-model") == "classical" for each in root.iter())
    assert not any((each.get("id") or "").startswith("mark") for each in root.iter())


def test_the_labels_of_a_drawing_are_not_shortened():
    small = distribution().assign(absolute_error=lambda table: table["absolute_error"] / 20)
    figure = error_distribution.draw(small, "eV/atom", optimistic=False)
    texts = [each.text for each in ElementTree.fromstring(to_svg(figure, "name")).iter() if each.tag.endswith("text")]
    assert "IRNet-48: 0.0450 eV/atom" in texts
    assert set(texts) >= {label.get_text() for label in figure.axes[0].get_legend().get_texts()}


def test_errors_of_zero_are_drawn():
    zero = mae_by_depth.data(DEPTHS.assign(test_mae=[0.1, 0.0, 0.2, 0.3, 0.4]))
    assert mae_by_depth.draw(zero, "eV", optimistic=False).axes[0].get_yscale() == "linear"
    table = curves()
    table.loc[0, "val_mae"] = 0.0
    table.loc[1, "val_mae"] = np.inf
    assert learning_curves.draw(table, "eV", optimistic=False).axes[0].get_yscale() == "linear"


def test_long_curves_are_drawn_thinned_with_their_best_epoch():
    errors = np.linspace(1, 0.1, 3000)
    errors[1234] = 0.01
    history = pd.DataFrame({"epoch": range(1, 3001), "step": range(1, 3001), "val_mae": errors})
    table = learning_curves.data({learning_curves.Curve(Point("irnet", 17), 0, "a", 1235): history})
    assert len(table) == 3000
    (axes,) = learning_curves.draw(table, "eV", optimistic=False).axes
    drawn = axes.get_lines()[0].get_ydata()
    assert len(drawn) < 150
    assert drawn.min() == 0.01


def test_agreement_counts_every_row_once():
    generator = np.random.default_rng(0)
    target = generator.normal(size=5000)
    pairs = {
        Curve("IRNet-17", Point("irnet", 17), ("a",)): (target, target + 0.1 * generator.normal(size=5000)),
        Curve("random forest", Point("random_forest", None), ("b",)): (target, 0 * target),
    }
    table = agreement.data(pairs)
    assert table.groupby("name")["rows"].sum().tolist() == [5000, 5000]
    close = table[table["name"] == "IRNet-17"]
    assert np.average(close["target"] - close["prediction"], weights=close["rows"]) == pytest.approx(0, abs=0.02)
    figure = agreement.draw(table, "gap (eV)", optimistic=False)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["IRNet-17", "Random forest"]
    for axes, name in zip(figure.axes, ["IRNet-17", "random forest"], strict=True):
        image = axes.get_images()[0].get_array()
        assert (image[..., 3] > 0).sum() == (table["name"] == name).sum()


def test_a_long_title_stays_above_its_panel():
    target = np.linspace(-4, 4, 100)
    names = ["composition", "structure", "composition+structure", "composition+structure+fractions"]
    pairs = {Curve(name, Point("irnet", 17), ("a",)): (target, target) for name in names}
    figure = agreement.draw(agreement.data(pairs), "formation energy (eV/atom)", optimistic=False)
    figure.canvas.draw()
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    titles = [axes.get_title(loc="left").replace("\n", " ") for axes in figure.axes]
    assert titles[-1] == "Composition + structure + fractions"
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
    assert boxes[0].x0 >= 0
    assert boxes[-1].x1 <= figure.bbox.x1
    assert max(box.y1 for box in boxes) <= figure.bbox.y1


def test_several_processes_draw_the_same():
    tables = {"depth": partial(mae_by_depth.draw, mae_by_depth.data(DEPTHS), "eV/atom", optimistic=False)}
    tables["curves"] = partial(learning_curves.draw, curves(), "eV/atom", optimistic=True)
    illustrations = [Illustration(name, "", "", [], "", pd.DataFrame(), draw) for name, draw in tables.items()]
    nothing = Illustration("nothing", "", "", [], "", pd.DataFrame(), None)
    alone, together = (dict(draw_all([*illustrations, nothing], processes=count)) for count in (1, 2))
    assert list(alone) == ["depth", "curves"]
    assert alone == together
