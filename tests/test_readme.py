"""What the README and the studies show is true."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from conftest import small_table

from irnet_ray.cli import main
from irnet_ray.config import validate
from irnet_ray.study.read import read_study
from irnet_ray.study.spec import Study

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
STUDIES = sorted((ROOT / "studies").glob("*.yaml"))


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_table_is_that_of_the_stored_run():
    specification = importlib.util.spec_from_file_location("build_readme", ROOT / "docs" / "build_readme.py")
    build_readme = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(build_readme)
    shown = README.split(build_readme.BEGIN)[1].split(build_readme.END)[0].strip()
    assert shown == build_readme.render(ROOT / "docs" / "quickstart")


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
    whole, own_table = parsed
    profiles = whole.pop("profiles")
    assert len(validate(Study, whole, "README").trials()) == 2 * 2 * (6 + 1) * 3
    assert profiles.keys() == {"quick"}
    validate(Study, {**whole, **own_table}, "README")


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_every_study_and_profile_expands(path):
    profiles = yaml.safe_load(path.read_text()).get("profiles", {})
    for profile in [None, *profiles]:
        assert read_study(path, profile).trials()


def test_the_quickstart_holds_the_papers_grid():
    trials = read_study(ROOT / "studies" / "quickstart.yaml").trials()
    networks = {(trial.architecture.depth, trial.architecture.shortcut) for trial in trials if trial.architecture}
    assert networks == {(depth, shortcut) for depth in (17, 24, 48) for shortcut in ("none", "stack", "layer")}
    assert any(trial.model_name == "random_forest" for trial in trials)
    assert min(trial.train_size for trial in trials) >= 15_000


def test_the_featurize_example_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small_table().rename(columns={"formula": "composition"}).to_csv("gaps.csv", index=False)
    (line,) = [
        line for block in blocks("console") for line in block.splitlines() if line.startswith("$ irnet-ray featurize")
    ]
    arguments = shlex.split(line.removeprefix("$ irnet-ray "), comments=True)
    result = CliRunner().invoke(main, [*arguments, "--local"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "features.parquet").exists()
