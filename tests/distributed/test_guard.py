"""Ray does not start where strangers could reach it."""

from __future__ import annotations

import socket
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest
from commands import assert_refused, succeed

from irnet_ray.distributed.cluster.guard import TABLE, public_addresses

Address = namedtuple("Address", "family address")
RULES = Path(__file__).parents[2] / "docs" / "firewall.nft"


@pytest.fixture
def machine(monkeypatch):
    """Lets this machine have other addresses, and a firewall or none."""

    def make(*addresses, answers=1, complaint="Error: No such file or directory"):
        families = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in addresses]
        found = {"eth0": [Address(*each) for each in zip(families, addresses, strict=True)]}
        found["eth0"].append(Address(socket.AF_PACKET, "02:42:ac:11:00:02"))
        monkeypatch.setattr("psutil.net_if_addrs", lambda: found)
        monkeypatch.setattr("shutil.which", lambda name, **_: f"/usr/sbin/{name}")
        asked = []

        def ask(way, **_):
            asked.append(way)
            return subprocess.CompletedProcess(way, answers, "", complaint)

        monkeypatch.setattr("subprocess.run", ask)
        return asked

    return make


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("10.1.2.3", False),
        ("172.31.0.1", False),
        ("172.32.0.1", True),
        ("192.168.0.4", False),
        ("127.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::1", False),
        ("203.0.113.7", True),
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
    ],
)
def test_public_addresses_are_those_of_no_private_network(machine, address, is_public):
    machine(address)
    assert public_addresses() == ([address] if is_public else [])


def test_a_public_address_without_rules_is_refused(invoke, machine):
    asked = machine("10.0.0.1", "8.8.8.8")
    assert_refused(invoke("cluster", "guard"), "8.8.8.8 of ", "load docs/firewall.nft", "--behind-another-firewall")
    assert [way[0] for way in asked] == ["/usr/sbin/nft", "sudo"]
    assert "10.0.0.1" not in invoke("cluster", "guard").output
    succeed(invoke("cluster", "guard", "--behind-another-firewall"))


def test_a_public_address_behind_the_rules_is_taken(invoke, machine):
    machine("10.0.0.1", "8.8.8.8", answers=0)
    succeed(invoke("cluster", "guard"))


def test_who_may_not_see_the_rules_is_told_how(invoke, machine):
    machine("8.8.8.8", complaint="Operation not permitted (you must be root)")
    assert_refused(invoke("cluster", "guard"), "let this user see", "NOPASSWD: /usr/sbin/nft list table inet irnet_ray")


def test_private_addresses_need_no_rules(invoke, machine):
    asked = machine("10.0.0.1", "127.0.0.1")
    succeed(invoke("cluster", "guard"))
    assert asked == []


def test_the_rules_of_the_docs_are_those_that_are_asked_for():
    assert f"table inet {TABLE} {{" in RULES.read_text()
