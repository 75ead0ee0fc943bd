"""Three hosts, and a laptop that starts a cluster on them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hosts import BRIDGE, Host, SharedDisk, command, missing_programs, network
from laptop import ROOT, Laptop, cluster_settings, wait_until


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Not below /tmp, which each host has for itself."""
    path = Path(tempfile.mkdtemp(prefix="irnet-ray-hosts-", dir="/var/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def disk(folder: Path) -> Iterator[SharedDisk]:
    """What all hosts share; where there can be no hosts, the command ends, as skipping all would look like passing."""
    if os.geteuid() != 0:
        pytest.exit("hosts of their own need root: sudo make cluster-test", 2)
    if missing := missing_programs():
        pytest.exit(f"{', '.join(missing)} not found: apt-get install iproute2 nftables openssh-server rsync", 2)
    if ROOT.is_relative_to("/tmp"):
        pytest.exit(f"{ROOT} is below /tmp, which each host has for itself: move this clone elsewhere", 2)
    path = folder / "shared"
    path.mkdir()
    with SharedDisk(path).mounted() as mounted:
        yield mounted


@pytest.fixture(scope="session")
def hosts(folder: Path, disk: SharedDisk) -> Iterator[list[Host]]:
    """A head and two workers; nothing of them is left."""
    home = folder / "laptop"
    (home / ".ssh").mkdir(parents=True)
    command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / ".ssh" / "id_ed25519"))
    key = (home / ".ssh" / "id_ed25519.pub").read_text()
    made = [Host(number, folder / f"host-{number}", disk.path, key) for number in (1, 2, 3)]
    with network():
        try:
            rules = (ROOT / "docs" / "firewall.nft").read_text()
            for host in made:
                host.start()
                host.protect(rules.replace("FILL-IN", ", ".join(each.address for each in made)))
            yield made
        finally:
            for host in made:
                host.crash()
            try:
                wait_until(lambda: not any(host.processes() for host in made), 10)
            finally:
                for host in made:
                    host.remove()
    assert BRIDGE not in command("ip", "link")
    assert not any(host.name in command("ip", "netns") for host in made)


@pytest.fixture(scope="session")
def laptop(hosts: list[Host], disk: SharedDisk, folder: Path) -> Iterator[Laptop]:
    """A user whose cluster is up."""
    home = folder / "laptop"
    (home / ".ray").mkdir()
    token = home / ".ray" / "auth_token"
    token.write_text("a-token-of-the-laptop-that-nobody-else-has")
    token.chmod(0o600)
    laptop = Laptop(home, home / "cluster.yaml", disk.path)
    laptop.file.write_text(yaml.safe_dump(cluster_settings(hosts, home), sort_keys=False))
    laptop.succeed("irnet-ray", "cluster", "check", laptop.file)
    laptop.succeed("ray", "up", "--yes", laptop.file)
    wait_until(lambda: laptop.nodes() == len(hosts), 300)
    yield laptop
    laptop.succeed("ray", "down", "--yes", laptop.file)
    # `ray down` ends the head alone; on the other machines Ray ends when it has missed the head for a minute.
    wait_until(
        lambda: not any("gcs_server" in each or "raylet" in each for host in hosts for each in host.processes()), 180
    )
