import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from irnet_ray.data.catalog import card
from irnet_ray.data.load import fetch, is_fetched, load
from irnet_ray.data.sources.transport import read_transport, transport_path
from irnet_ray.errors import DataError


@pytest.fixture(scope="module")
def table():
    return read_transport(card("ricci_transport").source)


def test_the_whole_table_is_read(table):
    assert len(table) == 47_737
    assert list(table.columns) == ["formula", *card("ricci_transport").properties]
    assert table.notna().all(axis=None)


@pytest.mark.parametrize("carriers", ["p", "n"])
def test_masses_and_conductivities_agree_in_the_units_of_the_card(table, carriers):
    """m = n e^2 / (sigma/tau) at 1e24 carriers/m^3; the mean over directions makes it smaller, never larger."""
    semiconducting = table[table[f"seebeck_{carriers}"].abs() > 300]
    mass = 1e24 * 1.602176634e-19**2 / (semiconducting[f"conductivity_{carriers}"] * 1e15) / 9.1093837e-31
    ratio = mass / semiconducting[f"effective_mass_{carriers}"]
    assert np.quantile(ratio, 0.95) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("carriers", ["p", "n"])
def test_power_factors_agree_in_the_units_of_the_card(table, carriers):
    """The power factor is the squared Seebeck coefficient times the conductivity, in isotropic compounds exactly."""
    power_factor = (table[f"seebeck_{carriers}"] * 1e-6) ** 2 * table[f"conductivity_{carriers}"] * 1e15
    assert np.median(table[f"power_factor_{carriers}"] * 1e9 / power_factor) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("carriers", ["p", "n"])
def test_metals_obey_the_wiedemann_franz_law(table, carriers):
    metals = table[table[f"conductivity_{carriers}"] > 1e5]
    lorenz = metals[f"thermal_conductivity_{carriers}"] * 1e9 / (metals[f"conductivity_{carriers}"] * 1e15 * 300)
    assert np.median(lorenz) == pytest.approx(2.44e-8, rel=0.05)


def test_load_keeps_every_structure():
    materials = load("ricci_transport", "seebeck_p")
    assert len(materials) == card("ricci_transport").properties["seebeck_p"].rows == 47_737
    assert materials.published_split is None
    assert materials.unit == "uV/K"


def test_it_needs_no_download():
    assert is_fetched("ricci_transport")
    assert fetch("ricci_transport") == transport_path()


def test_matminer_is_found_without_being_imported():
    code = "import sys; from irnet_ray.data.sources.transport import transport_path as find; find(); "
    code += "print('matminer' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "False"


def test_a_missing_matminer_names_the_repair(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="install matminer again"):
        transport_path()
