import pytest

from irnet_ray.config import validate
from irnet_ray.data.cards import DatasetCard, OwnTable
from irnet_ray.data.catalog import card, catalog, property_card
from irnet_ray.data.steps import SigmaCut
from irnet_ray.errors import ConfigurationError


def test_the_catalog_holds_the_promised_datasets():
    assert set(catalog()) == {
        "oqmd",
        "mp_formation_energy",
        "mp_magnetization",
        "aflow_energy",
        "aflow_band_gap",
        "matbench_expt_gap",
        "matbench_mp_e_form",
        "matbench_mp_gap",
        "ricci_transport",
        "jarvis_dft_3d",
        "mp_all_20181018",
        "matbench_mp_e_form_structures",
        "matbench_mp_gap_structures",
        "matbench_log_kvrh",
        "matbench_log_gvrh",
        "matbench_dielectric",
        "matbench_phonons",
        "castelli_perovskites",
        "matbench_perovskites",
    }


@pytest.mark.parametrize("name", sorted(catalog()))
def test_a_card_is_complete(name):
    described = card(name)
    assert described.name == name
    assert described.licence
    assert "doi:" in described.citation
    assert described.rows == max(each.rows for each in described.properties.values())
    for property_name in described.properties:
        assert set(described.properties_to_read(property_name)) <= set(described.properties)
        assert described.properties_to_read(property_name)[0] == property_name


def test_oqmd_is_curated_as_in_the_paper():
    steps = card("oqmd").curation
    cut = steps[-1]
    assert [step.step for step in steps[2:]] == ["keep_lowest", "drop_elements", "bounds", "sigma_cut"]
    assert cut == SigmaCut(column="formation_enthalpy", deviations=5)


@pytest.mark.parametrize(
    ("look_up", "message"),
    [
        (lambda: card("oqdm"), "unknown dataset 'oqdm'; did you mean 'oqmd'?"),
        (
            lambda: property_card("oqmd", "bandgap"),
            "dataset 'oqmd' has no property 'bandgap'; did you mean 'band_gap'?",
        ),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(look_up, message):
    with pytest.raises(ConfigurationError) as caught:
        look_up()
    assert str(caught.value) == message


def test_a_card_whose_source_lacks_a_property_is_refused():
    altered = card("oqmd").model_dump()
    del altered["source"]["members"]["band_gap"]
    with pytest.raises(ConfigurationError, match="the source must name the same properties"):
        validate(DatasetCard, altered, "altered")


def test_an_unknown_curation_step_is_refused():
    altered = card("oqmd").model_dump() | {"curation": [{"step": "drop_missng"}]}
    with pytest.raises(ConfigurationError, match="drop_missng"):
        validate(DatasetCard, altered, "altered")


def test_an_own_table_maps_properties_to_columns():
    own = OwnTable(path="some/gaps.csv.gz", properties={"gap": "eV", "density": "g/cm^3"}, columns={"gap": "E_g"})
    assert (own.column("gap"), own.column("density"), own.title) == ("E_g", "density", "gaps")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"path": "a.csv", "properties": {}}, "properties: the table needs a property"),
        ({"path": "a.csv", "properties": {"gap": "eV"}, "columns": {"gab": "x"}}, "did you mean 'gap'"),
        ({"path": "a.csv", "property": {"gap": "eV"}}, "did you mean 'properties'"),
        ({"path": "a.csv", "properties": {"structure": "eV"}}, "no property can be called 'structure'"),
    ],
)
def test_a_wrong_own_table_is_refused(given, message):
    with pytest.raises(ConfigurationError, match=message):
        validate(OwnTable, given, "study.yaml")


@pytest.mark.parametrize(
    ("steps", "structure", "message"),
    [
        ([], None, "'reduce_composition' is missing"),
        ([{"step": "keep_lowest", "column": "gab"}], None, "curation: 'gab' is not a property; did you mean 'gap'"),
        ([{"step": "drop_elements"}, {"step": "reduce_composition"}], None, "put it behind 'reduce_composition'"),
        (
            [{"step": "reduce_composition"}, {"step": "unique_structure", "column": "gap"}],
            None,
            "'unique_structure' needs structures, which this table lacks",
        ),
        (
            [{"step": "reduce_composition"}, {"step": "median_of_duplicates"}],
            "cif",
            "'median_of_duplicates' would leave no structure",
        ),
        ([{"step": "unique_structures"}], "cif", "unique_structures"),
        (
            [{"step": "reduce_composition"}, {"step": "without_elements", "elements": ["Xz"]}],
            None,
            "'Xz' is no element",
        ),
    ],
)
def test_a_curation_that_cannot_be_carried_out_is_refused(steps, structure, message):
    given = {"path": "a.csv", "properties": {"gap": "eV"}, "structure": structure, "curation": steps}
    with pytest.raises(ConfigurationError, match=message) as caught:
        validate(OwnTable, given, "study.yaml")
    assert "\n" not in str(caught.value)


def test_an_own_table_is_reduced_unless_it_says_more():
    own = OwnTable(path="a.csv", properties={"gap": "eV"}, structure="cif")
    assert [step.step for step in own.curation] == ["drop_missing", "reduce_composition"]
