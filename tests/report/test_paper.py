import pytest

from irnet_ray.data.catalog import catalog
from irnet_ray.features.representation import canonical_name
from irnet_ray.model.architecture import STACKS
from irnet_ray.report.paper import BEST_OF_TEN, TABLE_4, experiments, experiments_like, figure_1, find
from irnet_ray.report.wording import MODEL_TITLES


def test_figure_1():
    errors = {("plain", 17): 0.065, ("plain", 24): 0.072, ("plain", 48): 0.108, ("random_forest", None): 0.072}
    errors |= {("srnet", 17): 0.055, ("srnet", 48): 0.047, ("irnet", 17): 0.041, ("irnet", 48): 0.038}
    assert figure_1().errors == errors
    assert figure_1().rows == 435_582


def test_the_papers_headline_follows_from_figure_1():
    """The paper: "up to 47% better model accuracy as compared to traditional ML techniques"."""
    assert 1 - figure_1().mae("irnet", 48) / figure_1().mae("random_forest", None) == pytest.approx(0.47, abs=0.005)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Table 1", "OQMD", "formation enthalpy", "composition"), (0.077, 0.072, 0.054, 0.048)),
        (("Table 1", "MP", "density", "composition"), (0.505, 0.401, 0.348, 0.386)),
        (("Table 1", "JARVIS", "band gap", "composition"), (0.375, 0.363, 0.311, None)),
        (("Table 2", "JARVIS", "band gap", "composition+structure+fractions"), (0.280, 0.335, 0.276, None)),
        (("Table 3", "JARVIS", "shear modulus", "structure"), (11.138, None, 15.067, None)),
        (("Table 3", "Matbench Exp Bandgap", "band gap", "composition"), (0.364, None, 0.419, None)),
    ],
)
def test_rows_of_the_tables(names, expected):
    columns = [(BEST_OF_TEN, None), ("plain", 17), ("irnet", 17), ("irnet", 48)]
    assert tuple(find(*names).errors.get(column) for column in columns) == expected


def test_the_tables_are_whole():
    places = [each.place for each in experiments()]
    assert [places.count(f"Table {number}") for number in (1, 2, 3)] == [13, 12, 15]
    cells = [sum(len(each.errors) for each in experiments() if each.place == f"Table {n}") for n in (1, 2, 3)]
    assert cells == [13 * 4 - 3, 12 * 3, 15 * 3 - 1]


def test_what_the_text_says_of_the_tables():
    """The paper: adding structure improves OQMD "from 0.054 to 0.041 (around 24%)", JARVIS around 10%."""
    for dataset, gain in (("OQMD", 0.24), ("JARVIS", 0.10)):
        composition = find("Table 1", dataset, "formation enthalpy", "composition").mae("irnet", 17)
        with_structures = "OQMD-SC" if dataset == "OQMD" else dataset
        both = find("Table 2", with_structures, "formation enthalpy", "composition+structure").mae("irnet", 17)
        assert 1 - both / composition == pytest.approx(gain, abs=0.005)


def test_names_are_those_of_the_package():
    for each in experiments():
        assert canonical_name(each.representation) == each.representation
        assert {model for model, _ in each.errors} <= MODEL_TITLES.keys()
        for dataset, name in each.like:
            assert catalog()[dataset].properties[name].unit == each.unit


def test_table_4_has_the_layers_of_our_networks():
    for depth, text in TABLE_4.items():
        groups = [group.split("x") for group in text.split()]
        published = [int(width) for width, layers in groups for _ in range(int(layers))]
        assert published == [width for width, layers in STACKS[depth] for _ in range(layers)]
        assert len(published) + 1 == depth


def test_every_dataset_of_the_paper_that_the_catalog_has_is_found():
    found = {dataset for each in experiments() for dataset, _ in each.like}
    assert found == {
        "oqmd",
        "mp_all_20181018",
        "mp_formation_energy",
        "matbench_mp_e_form",
        "matbench_mp_gap",
        "mp_magnetization",
        "jarvis_dft_3d",
        "aflow_band_gap",
        "matbench_expt_gap",
    }


def test_experiments_on_the_same_property_from_the_same_attributes_come_first():
    table_1 = find("Table 1", "OQMD", "formation enthalpy", "composition")
    assert experiments_like("oqmd", "formation_enthalpy", "composition") == (table_1, figure_1())
    assert experiments_like("oqmd", "formation_enthalpy", "fractions") == (figure_1(),)
