"""`ray up`, and a study from the laptop to the report; nobody without the token gets in."""

from __future__ import annotations

import os
import socket
import subprocess
import urllib.error
import urllib.request

import pandas as pd
import pytest
from laptop import BIN, results_of

pytestmark = pytest.mark.hosts

_DASHBOARD = 8265


def test_a_study_that_was_sent_ends_as_one_that_ran_here(laptop, hosts, study_file):
    here = laptop.run("irnet-ray", "run", study_file, "--local", "--storage", laptop.home / "runs")
    assert here.returncode == 0, here.stderr
    output = laptop.succeed("irnet-ray", "submit", study_file, "--cluster", laptop.file, "--follow")
    assert "report: /shared/runs/small/report/index.html" in output
    pd.testing.assert_frame_equal(
        results_of(laptop.shared / "runs" / "small"), results_of(laptop.home / "runs" / "small")
    )
    assert "succeeded" in laptop.succeed("irnet-ray", "cluster", "jobs", laptop.file)


def test_the_dashboard_listens_to_its_host_alone(laptop, hosts):
    head, *_ = hosts
    assert ("127.0.0.1", _DASHBOARD) in head.listening()
    for address in (head.address, head.public_address):
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(f"http://{address}:{_DASHBOARD}/", timeout=5)


def test_no_port_of_ray_answers_on_a_public_address(laptop, hosts):
    for host in hosts:
        places = [port for address, port in host.listening() if address in ("0.0.0.0", "*", host.public_address)]
        assert places, "Ray listens on all addresses"
        for port in places:
            with pytest.raises(OSError, match="timed out"):
                socket.create_connection((host.public_address, port), timeout=0.5)


def test_a_host_with_a_public_address_and_no_firewall_is_refused(laptop, hosts):
    guard = (*hosts[2].inside(), BIN / "irnet-ray", "cluster", "guard")
    assert laptop.run(*guard).returncode == 0
    with hosts[2].unprotected():
        refused = laptop.run(*guard)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"error: {hosts[2].public_address} of {hosts[2].name}: ")


def test_without_the_token_nobody_is_let_in(laptop, hosts):
    program = f"import ray; ray.init('{hosts[0].address}:6379')"
    python = (*hosts[1].inside(), BIN / "python", "-c", program)  # from outside the firewall lets nobody through
    known = laptop.run(*python, timeout=180, HOME=os.path.expanduser("~"), RAY_AUTH_MODE="token")
    assert known.returncode == 0, known.stderr
    stranger = laptop.run(*python, timeout=180, HOME="/nonexistent", RAY_AUTH_MODE="disabled")
    assert stranger.returncode != 0
    assert "token" in stranger.stderr.lower()
    options = ("-s", "-o", "/dev/null", "-w", "%{http_code}")
    jobs = subprocess.run(
        ["ip", "netns", "exec", hosts[0].name, "curl", *options, f"http://127.0.0.1:{_DASHBOARD}/api/jobs/"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert jobs.stdout == "401"


def test_the_token_is_its_owners_and_in_no_other_file(laptop, hosts):
    token = (laptop.home / ".ray" / "auth_token").read_bytes()
    for host in hosts:
        file = host.home / ".ray" / "auth_token"
        assert file.read_bytes() == token
        assert file.stat().st_mode & 0o077 == 0
    kept = [path for path in laptop.shared.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if token in path.read_bytes()]
