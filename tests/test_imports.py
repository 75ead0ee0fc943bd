"""The house stands: imports run downwards only, and only ``distributed`` knows Ray."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import irnet_ray

PACKAGE = Path(irnet_ray.__file__).parent
FLOORS = {
    "errors": 0,
    "config": 1,
    "storage": 1,
    "cache": 2,
    "formula": 1,
    "crystal": 2,
    "features": 3,
    "data": 3,
    "model": 4,
    "study": 5,
    "distributed": 6,
    "report": 6,
    "cli": 7,
    "__main__": 8,
    "__init__": 8,
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downwards(path):
    here = part_of(path)
    for name in imported_modules(path):
        if name.startswith("irnet_ray."):
            there = name.split(".")[1]
            if there in FLOORS and there != here:
                assert FLOORS[there] < FLOORS[here], f"{here} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_distributed_knows_ray(path):
    if part_of(path) != "distributed":
        assert not {name for name in imported_modules(path) if name.split(".")[0] == "ray"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_small(path):
    text = path.read_text()
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 80, node.name


@pytest.mark.parametrize("name", ["cli", "report.status_text", "report.plan_text", "report.page"])
def test_commands_that_only_read_load_neither_torch_nor_ray(name):
    program = f"import sys, irnet_ray.{name}; print(*sorted({{'torch', 'ray'}} & sys.modules.keys()))"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == ""
