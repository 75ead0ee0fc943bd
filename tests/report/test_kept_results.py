"""What the pages show of a study is what its run came to."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from report.synthetic import complete, make_study, predictions

from irnet_ray.report.page import build_report
from irnet_ray.study.run_directory import RunDirectory

DOCS = Path(__file__).parents[2] / "docs"
SIZES = [1000, 10_000, 100_000]


@pytest.fixture
def result_blocks(monkeypatch, tmp_path):
    """The module, with the folder of the pages elsewhere."""
    monkeypatch.setattr(sys, "path", [str(DOCS), *sys.path])
    modules = [importlib.import_module(name) for name in ("run_blocks", "result_blocks")]
    for module in modules:
        monkeypatch.setattr(module, "DOCS", tmp_path / "docs")
    (tmp_path / "docs").mkdir()
    return modules


@pytest.fixture
def run(tmp_path):
    """A finished run of a study of sizes."""
    data = {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": SIZES}
    networks = {"depth": [17, 48], "shortcut": "layer", "width": 0.25, "recipe": "fast"}
    models = {"networks": networks, "forest": {"kind": "random_forest"}}
    run = RunDirectory(str(tmp_path / "data_size-laptop"))
    run.claim(make_study(name="data_size", data=data, models=models, seeds=[0, 1, 2]))
    for trial in run.study().trials():
        factor = 1.2 if trial.label == "random_forest" else 1.0
        complete(run, trial, predictions(factor * trial.train_size**-0.3, seed=trial.seed))
    build_report(run)
    run.write_results(run.study().trials())
    return run


def test_a_study_that_was_not_kept_says_so(result_blocks):
    assert result_blocks[1].study("data_size-laptop")() == "Not run yet."


def test_a_kept_study_shows_verdicts_errors_advice_and_figures(result_blocks, run):
    run_blocks, blocks = result_blocks
    run_blocks.keep(run.storage.local_path, blocks.kept_files("data_size-laptop"))
    lines = blocks.study("data_size-laptop")().splitlines()
    assert "$ irnet-ray run studies/data_size.yaml --profile laptop" in lines
    assert any(line.startswith("27 finished trials, ") and " by the clock, " in line for line in lines)
    assert any("IRNet beats the best of" in line and line.endswith("| inconclusive |") for line in lines)
    assert any("A trained network predicts" in line and line.endswith("| **contradicted** |") for line in lines)
    assert "| train rows | best baseline | IRNet-17 | IRNet-48 | which baseline |" in lines
    assert "| 1,000 | 0.151 | 0.126 | 0.126 | random forest, of 1 that have a result |" in lines
    assert any(line.startswith("| oqmd, formation enthalpy, composition | 100,000 | IRNet-48 |") for line in lines)
    assert "\\* beyond what was tried." in lines
    assert "![error by size](data_size-laptop/error_by_size.png)" in lines
    assert (blocks.DOCS / "data_size-laptop" / "error_by_size.png").exists()
    assert "| `data_size` |" in blocks.verdict_summary()
