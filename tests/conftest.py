"""What several folders of tests share: a small table of real compounds, a study on it, a cache of its own."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from bucket_server import BucketServer

# A busy machine is no failure, and CI tries the same examples each time; elsewhere they differ from run to run.
settings.register_profile(
    "steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("steady")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a shell, of which programs inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

METALS = ("Li", "Na", "K", "Mg", "Ca", "Sr", "Ti", "V", "Fe", "Co", "Ni", "Cu", "Zn", "Al")
NONMETALS = ("O", "S", "F", "Cl", "N", "P")


def small_table() -> pd.DataFrame:
    """Binary and ternary compounds with a property that depends on the composition."""
    generator = np.random.default_rng(0)
    rows = []
    for metal, nonmetal in itertools.product(METALS, NONMETALS):
        for first, second in ((1, 1), (2, 3), (1, 2)):
            energy = 0.1 * METALS.index(metal) - 0.3 * NONMETALS.index(nonmetal) * second / (first + second)
            rows.append((f"{metal}{first}{nonmetal}{second}", energy + 0.01 * generator.standard_normal()))
    return pd.DataFrame(rows, columns=["formula", "energy"])


def study_content(path: str = "table.csv") -> dict:
    """A study on the small table: two networks and a forest."""
    return {
        "name": "small",
        "data": {
            "dataset": {"path": path, "properties": {"energy": "eV/atom"}},
            "property": "energy",
            "train_size": 150,
        },
        "models": {
            "networks": {
                "depth": 10,
                "shortcut": ["none", "layer"],
                "width": 0.03,
                "recipe": {"base": "fast", "epochs": 3, "batch_size": 32},
            },
            "forest": {"kind": "random_forest", "trees": 5},
        },
    }


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("IRNET_RAY_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(autouse=True)
def own_arithmetic():
    """A trial in this process flushes denormal numbers to zero, which hypothesis refuses to work with."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture(scope="session")
def bucket_server() -> Iterator[BucketServer]:
    """An S3 server of this machine."""
    from bucket_server import BucketServer

    with BucketServer().serving() as server:
        yield server


@pytest.fixture(scope="session")
def bucket(bucket_server: BucketServer) -> str:
    """The URI of its bucket."""
    return bucket_server.uri


@pytest.fixture(scope="session")
def google_bucket() -> Iterator[str]:
    """The URI of a bucket of Google's kind, on this machine."""
    import google_server

    with google_server.serving() as uri:
        yield uri


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    """A study file beside its table."""
    small_table().to_csv(tmp_path / "table.csv", index=False)
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(study_content(), sort_keys=False))
    return path


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch):
    """Calls the command line in an empty folder."""
    from irnet_ray.cli import main

    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])
