"""What the README and the studies show is true."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from conftest import small_table
from pymatgen.core import Lattice, Structure

from irnet_ray.cli import main
from irnet_ray.config import validate
from irnet_ray.data.cards import OwnTable
from irnet_ray.data.split import SplitPlan
from irnet_ray.data.steps import Step
from irnet_ray.model.recipe import Recipe
from irnet_ray.study.blocks import DataBlock, NetworkBlock
from irnet_ray.study.read import read_study
from irnet_ray.study.spec import Study

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ROCKSALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
STUDIES = sorted((ROOT / "studies").glob("*.yaml"))


def blocks(language, text=README):
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.parametrize(
    "page", ["README.md", "docs/training.md", "docs/recipes.md", "docs/results.md", "docs/stored-data.md"]
)
def test_the_tables_are_those_of_the_stored_measurements(page, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT / "docs"), *sys.path])
    build_pages = importlib.import_module("build_pages")
    assert page in build_pages.PAGES
    assert (ROOT / page).read_text() == build_pages.rebuilt(page)


def test_every_command_exists_with_its_options():
    commands = [line for block in blocks("console") for line in block.splitlines() if line.startswith("$ irnet-ray")]
    assert len(commands) >= 7
    for line in commands:
        name, *arguments = shlex.split(line.removeprefix("$ irnet-ray "), comments=True)
        command = main.commands[name]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {argument for argument in arguments if argument.startswith("--")} <= known, line


def test_every_study_in_the_text_is_valid():
    parsed = [yaml.safe_load(block) for block in blocks("yaml")]
    whole, search, own_table, own_structures = parsed
    profiles = whole.pop("profiles")
    assert len(validate(Study, whole, "README").trials()) == 2 * 2 * (6 + 1) * 3
    assert profiles.keys() == {"quick"}
    of_one_trial = {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": 3000}
    assert validate(Study, {**whole, **search, "data": of_one_trial}, "README").search.samples == 50
    validate(Study, {**whole, **own_table}, "README")
    assert len(validate(Study, {**whole, **own_structures}, "README").trials()) == 2 * (6 + 1) * 3


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_every_study_and_profile_expands(path):
    profiles = yaml.safe_load(path.read_text()).get("profiles", {})
    for profile in [None, *profiles]:
        assert read_study(path, profile).trials()


@pytest.mark.parametrize(
    "name", ["design_problem", "composition", "structure", "small_data", "data_size", "error_analysis"]
)
def test_the_papers_studies_have_both_scales(name):
    path = ROOT / "studies" / f"{name}.yaml"
    assert f"`studies/{name}.yaml`" in README
    laptop, paper = (read_study(path, profile).trials() for profile in ("laptop", "paper"))
    of_laptop, of_paper = ([trial.model for trial in each if trial.architecture] for each in (laptop, paper))
    assert {model.width for model in of_laptop} == {0.25}
    assert {model.width for model in of_paper} == {1.0}
    assert {(model.recipe.base, model.recipe.epochs) for model in of_paper} == {("paper", 3000)}
    for trials in (laptop, paper):
        assert {trial.seed for trial in trials} == {0, 1, 2}
    placements = {(trial.architecture.depth, trial.architecture.shortcut) for trial in laptop if trial.architecture}
    assert placements <= {(t.architecture.depth, t.architecture.shortcut) for t in paper if t.architecture}


def test_the_quickstart_holds_the_papers_grid():
    trials = read_study(ROOT / "studies" / "quickstart.yaml").trials()
    networks = {(trial.architecture.depth, trial.architecture.shortcut) for trial in trials if trial.architecture}
    assert networks == {(depth, shortcut) for depth in (17, 24, 48) for shortcut in ("none", "stack", "layer")}
    assert any(trial.model_name == "random_forest" for trial in trials)
    assert min(trial.train_size for trial in trials) >= 15_000


def test_the_featurize_examples_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small_table().rename(columns={"formula": "composition"}).to_csv("gaps.csv", index=False)
    jarvis = [{"jid": f"JVASP-{number}", "poscar": ROCKSALT.to(fmt="poscar")} for number in range(3)]
    pd.DataFrame(jarvis).to_json("jarvis.jsonl", orient="records", lines=True)
    (tmp_path / "my-cifs").mkdir()
    ROCKSALT.to(filename=str(tmp_path / "my-cifs" / "salt.cif"))
    lines = [line for block in blocks("console") for line in block.splitlines() if "$ irnet-ray featurize" in line]
    for line in lines:
        arguments = shlex.split(line.removeprefix("$ irnet-ray "), comments=True)
        result = CliRunner().invoke(main, [*arguments, "--local"])
        assert result.exit_code == 0, result.output
    tables = {path.name: pd.read_parquet(path) for path in tmp_path.glob("*.parquet")}
    assert {name: len(table) for name, table in tables.items()} == {
        "features.parquet": 252,
        "jarvis-composition+structure.parquet": 3,
        "my-cifs-structure.parquet": 1,
    }


def test_the_examples_in_python_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = [README, (ROOT / "docs" / "features.md").read_text()]
    examples = [block for text in texts for block in blocks("python", text)]
    assert len(examples) == 3
    for example in examples:
        exec(example, {})


def test_every_key_of_a_study_is_explained():
    text = (ROOT / "docs" / "study.md").read_text()
    steps = list(get_args(get_args(Step)[0]))
    models = (Study, DataBlock, OwnTable, SplitPlan, NetworkBlock, Recipe, *steps)
    keys = {name for model in models for name in model.model_fields} - {"profile", "kind", "step"}
    keys |= {step.model_fields["step"].default for step in steps} | {"profiles"}
    assert {key for key in keys if not re.search(rf"`{key}[:`]", text)} == set()
