"""Where a user sits: outside the cluster, with a key and a token."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml
from hosts import Host

from irnet_ray.study.result import TIME_COLUMNS

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


@dataclass
class Laptop:
    """A user's machine.

    Attributes:
        home: The user's folder.
        file: The cluster's.
        shared: What the hosts see as ``/shared``.
    """

    home: Path
    file: Path
    shared: Path

    def run(self, *arguments: object, timeout: float = 600, **more: str) -> subprocess.CompletedProcess[str]:
        """Types a command, such as ``ray`` or ``irnet-ray``."""
        return subprocess.run(
            list(map(str, arguments)),
            env=self.environment | more,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def succeed(self, *arguments: object, **options: float) -> str:
        """Types a command that must go well, and gives what it printed."""
        finished = self.run(*arguments, **options)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def nodes(self) -> int:
        """How many nodes the cluster has now."""
        program = (
            "import ray; ray.init('auto', log_to_driver=False); print('nodes', sum(n['Alive'] for n in ray.nodes()))"
        )
        output = self.run("ray", "exec", self.file, f'RAY_AUTH_MODE=token python -c "{program}"').stdout
        found = re.findall(r"^nodes (\d+)", output, re.MULTILINE)
        return int(found[0]) if found else 0

    @property
    def environment(self) -> dict[str, str]:
        """Of what is typed."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        return {**kept, "HOME": str(self.home), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


def wait_until(what: Callable[[], bool], seconds: float) -> None:
    """Waits until something is so."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it is not so for too long"
        time.sleep(1.0)


def cluster_settings(hosts: list[Host], home: Path) -> dict[str, object]:
    """cluster.local.yaml with the hosts filled in; what would be installed there for minutes is linked."""
    text = (ROOT / "cluster.local.yaml").read_text()
    content = yaml.safe_load(text.replace("--node-ip-address=FILL-IN", f"--node-ip-address={hosts[0].address}"))
    content["metadata"] = {"storage": "/shared/runs"}
    content["provider"] |= {"head_ip": hosts[0].address, "worker_ips": [host.address for host in hosts[1:]]}
    content["auth"] = {"ssh_user": "root", "ssh_private_key": str(home / ".ssh" / "id_ed25519")}
    content["file_mounts"] = {"~/.ray/auth_token": str(home / ".ray" / "auth_token")}
    protect, _, path, _ = content["setup_commands"]
    content["setup_commands"] = [protect, f"ln -sfn {BIN.parent} ~/.irnet-ray", path]
    return content


def results_of(run: Path) -> pd.DataFrame:
    """A run's results, times apart."""
    return pd.read_csv(run / "results.csv").drop(columns=list(TIME_COLUMNS))
