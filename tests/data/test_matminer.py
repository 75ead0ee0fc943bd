import gzip
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests
from data.structures import HALIDES, in_mixed_sites, rocksalt
from matminer import datasets
from matminer.utils.io import store_dataframe_as_json

from irnet_ray.cache import Cache
from irnet_ray.crystal import parse_crystal
from irnet_ray.data import catalog
from irnet_ray.data.cards import MatminerSource
from irnet_ray.data.load import fetch, is_fetched, load
from irnet_ray.data.sources import matminer
from irnet_ray.data.sources.matminer import fetch_matminer, matminer_metadata, matminer_path, read_matminer
from irnet_ray.errors import CrystalError, DataError

NAME = "castelli_perovskites"
SOURCE = MatminerSource(kind="matminer", dataset=NAME, columns={"gap": "gap gllbsc"})
FILE = gzip.compress(b"[]", mtime=0)
STRUCTURE_CARDS = [name for name, card in catalog.catalog().items() if card.has_structures]


class FakeMatminer:
    """Stands for ``matminer.datasets.load_dataset``: writes the file where matminer does, and gives a small table."""

    def __init__(self, frame):
        self.frame = frame
        self.downloads = 0

    def __call__(self, name, data_home):
        path = Path(data_home) / f"{name}.json.gz"
        if not path.exists():
            self.downloads += 1
            path.write_bytes(FILE)
            sys.stdout.write(f"Fetching {name}")
        return self.frame


@pytest.fixture
def fake(monkeypatch):
    structures = [rocksalt(formula, edge=5 + 0.1 * number) for number, formula in enumerate(HALIDES)]
    numbers = np.arange(float(len(HALIDES)))
    columns = {"structure": structures, "gap gllbsc": numbers, "e_form": -numbers, "mu_b": 0 * numbers}
    made = FakeMatminer(pd.DataFrame(columns))
    facts = {"url": "https://example.org/files/1", "file_type": "json.gz", "hash": hashlib.sha256(FILE).hexdigest()}
    monkeypatch.setattr(datasets, "load_dataset", made)
    monkeypatch.setattr(matminer, "matminer_metadata", lambda: {NAME: facts})
    return made


def test_structures_and_properties_are_read(fake, tmp_path, capsys):
    table = read_matminer(SOURCE, tmp_path)
    assert list(table.columns) == ["structure", "gap"]
    assert table.index.tolist() == list(range(1, 16))
    assert table["gap"].tolist() == list(range(15))
    read = parse_crystal(table["structure"].iloc[3], "json")
    assert (read.formula, len(read)) == ("NaF", 8)
    assert read.lattice.tolist() == pytest.approx(5.3 * np.eye(3))
    assert capsys.readouterr().out == ""


def test_a_dataset_is_downloaded_once(fake, tmp_path):
    assert not matminer_path(SOURCE, tmp_path).exists()
    assert fetch_matminer(SOURCE, tmp_path) == tmp_path / "matminer" / f"{NAME}.json.gz"
    read_matminer(SOURCE, tmp_path)
    read_matminer(SOURCE, tmp_path)
    assert fake.downloads == 1
    assert [path.name for path in (tmp_path / "matminer").iterdir()] == [f"{NAME}.json.gz"]


def test_a_file_put_there_by_hand_is_used_if_it_is_the_right_one(fake, tmp_path):
    path = matminer_path(SOURCE, tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(FILE)
    assert len(read_matminer(SOURCE, tmp_path)) == 15
    assert fake.downloads == 0
    path.write_bytes(FILE[:-3])
    with pytest.raises(DataError, match=rf"{NAME}.json.gz: sha256 is .*; delete .*, and it is downloaded again"):
        read_matminer(SOURCE, tmp_path)


@pytest.mark.parametrize(
    "error", [requests.ConnectionError("no route\nto host"), UserWarning("no route"), OSError("no route")]
)
def test_without_network_the_message_says_what_to_put_where(fake, tmp_path, monkeypatch, error):
    def fail(name, data_home):
        (Path(data_home) / f"{name}.json.gz").write_bytes(b"half")
        raise error

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(DataError) as caught:
        read_matminer(SOURCE, tmp_path)
    folder = tmp_path / "matminer"
    assert str(caught.value) == (
        f"matminer could not download {NAME} (no route); connect to the internet, "
        f"or put https://example.org/files/1 as {NAME}.json.gz into {folder}"
    )
    assert list(folder.iterdir()) == []


def test_missing_structures_are_empty_and_disordered_ones_are_refused_when_they_are_read(fake, tmp_path):
    fake.frame = pd.DataFrame({"structure": [None, np.nan, in_mixed_sites()], "gap gllbsc": [1.0, 2.0, None]})
    table = read_matminer(SOURCE, tmp_path)
    assert table["structure"].tolist()[:2] == ["", ""]
    assert table["gap"].isna().tolist() == [False, False, True]
    with pytest.raises(CrystalError, match="partly occupied"):
        parse_crystal(table["structure"].iloc[2], "json")


def test_another_version_of_matminer_is_told(fake, tmp_path):
    fake.frame = fake.frame.rename(columns={"gap gllbsc": "gap gllb"})
    with pytest.raises(DataError, match="has no column 'gap gllbsc'; did you mean 'gap gllb'"):
        read_matminer(SOURCE, tmp_path)
    with pytest.raises(DataError, match="matminer has no dataset 'castelli'"):
        matminer_path(SOURCE.model_copy(update={"dataset": "castelli"}), tmp_path)


def test_matminer_itself_reads_the_file(tmp_path, monkeypatch):
    path = tmp_path / "matminer" / f"{NAME}.json.gz"
    path.parent.mkdir(parents=True)
    structures = [rocksalt(formula) for formula in HALIDES[:2]]
    frame = pd.DataFrame({"structure": structures, "gap gllbsc": [5.0, None]})
    store_dataframe_as_json(frame, str(path), compression="gz")
    facts = matminer_metadata()[NAME] | {"hash": hashlib.sha256(path.read_bytes()).hexdigest()}
    monkeypatch.setattr(matminer, "matminer_metadata", lambda: {NAME: facts})
    table = read_matminer(SOURCE, tmp_path)
    assert [parse_crystal(text, "json").formula for text in table["structure"]] == HALIDES[:2]
    assert table["gap"].tolist() == pytest.approx([5.0, np.nan], nan_ok=True)


def test_a_card_is_fetched_and_loaded(fake, tmp_path, monkeypatch):
    assert not is_fetched(NAME, cache=Cache(tmp_path))
    assert fetch(NAME, cache=Cache(tmp_path)).name == f"{NAME}.json.gz"
    assert is_fetched(NAME, cache=Cache(tmp_path))
    materials = load(NAME, "band_gap", cache=Cache(tmp_path))
    assert (materials.unit, materials.structures.form) == ("eV", "json")
    assert sorted(materials.formulas) == sorted(HALIDES)
    read = [parse_crystal(text, "json").formula for text in materials.structures.texts]
    assert read == materials.formulas
    assert materials.target.tolist() == [HALIDES.index(formula) for formula in materials.formulas]


def test_curated_structures_need_neither_matminer_nor_its_file_again(fake, tmp_path, monkeypatch):
    first = load(NAME, "band_gap", cache=Cache(tmp_path))
    matminer_path(SOURCE, tmp_path / "downloads").unlink()
    second = load(NAME, "formation_energy", cache=Cache(tmp_path))
    assert (fake.downloads, second.formulas) == (1, first.formulas)


def test_the_metadata_is_that_of_the_installed_matminer():
    assert matminer_metadata()[NAME]["num_entries"] == 18_928


@pytest.mark.parametrize("name", STRUCTURE_CARDS)
def test_the_cards_agree_with_matminer(name):
    card = catalog.card(name)
    facts = matminer_metadata()[card.source.dataset]
    assert card.rows == facts["num_entries"]
    assert {card.source.structure, *card.source.columns.values()} <= set(facts["columns"])
    assert len(facts["hash"]) == 64
    assert "curation was not run" in card.notes
    cited = json.dumps(facts["bibtex_refs"]).lower()
    assert all(doi.strip(";").lower() in cited for doi in card.citation.split("doi:")[1:] for doi in doi.split()[:1])
