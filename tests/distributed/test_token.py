"""Nobody but its owner reads the token, not even while it is made."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = "import os; os.umask(0o022); from irnet_ray.distributed import token; {}token.{}()"


def run(home, function, before="", **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    command = [sys.executable, "-c", PROGRAM.format(before, function)]
    subprocess.run(command, env={**kept, "HOME": str(home), **environment}, check=True)
    return home / ".ray" / "auth_token"


@pytest.fixture
def token(tmp_path):
    file = tmp_path / ".ray" / "auth_token"
    file.parent.mkdir()
    file.write_text("written-by-ray-itself")
    file.chmod(0o644)
    return file


def test_a_token_is_made_for_its_owner_alone(tmp_path):
    file = run(tmp_path, "make_token")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    content = file.read_text()
    assert len(content) >= 32
    assert run(tmp_path, "make_token").read_text() == content


def test_others_cannot_read_it_while_it_is_made_either(tmp_path):
    (tmp_path / ".ray").mkdir(mode=0o755)
    file = run(tmp_path, "make_token", before="token.protect_token = lambda: None; ")
    assert file.stat().st_mode & 0o777 == 0o600


def test_no_token_is_made_where_none_is_wanted(tmp_path):
    assert not run(tmp_path, "make_token", RAY_AUTH_MODE="disabled").exists()


@pytest.mark.parametrize("function", ["make_token", "use_token"])
def test_a_token_that_others_can_read_is_hidden_from_them(tmp_path, token, function):
    assert run(tmp_path, function) == token
    assert token.stat().st_mode & 0o777 == 0o600
    assert token.read_text() == "written-by-ray-itself"
