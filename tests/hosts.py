"""Hosts of their own on this machine: Linux namespaces with an address, a process table, a /tmp and an SSH server each.

Needs root, and Debian's iproute2, nftables, openssh-server and rsync.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAMS = ("curl", "ip", "mount", "nft", "nsenter", "rsync", "ssh-keygen", "sshd", "unshare")
BRIDGE = "irnet-br"
NETWORK, PUBLIC = "10.77.0", "203.0.113"  # the second one is for documentation (RFC 5737), and plays the internet
GATEWAY = 254
_PRIVATE = ("/tmp", "/dev/shm", "/run")
_SECONDS = 20.0
_DISK_BYTES = 2**30


def command(*parts: str, check: bool = True) -> str:
    """Runs a program, and gives what it printed."""
    finished = subprocess.run(parts, capture_output=True, text=True, check=False)
    if check and finished.returncode:
        raise RuntimeError(f"{shlex.join(parts)}: {finished.stderr.strip()}")
    return finished.stdout


class Host:
    """One host.

    Args:
        number: From 1; the last byte of its addresses.
        folder: Of its files, which no other host sees.
        shared: A folder that all hosts see as ``/shared``.
        key: The public key that may log in.
    """

    def __init__(self, number: int, folder: Path, shared: Path, key: str) -> None:
        self.name = f"irnet-{number}"
        self.address, self.public_address = f"{NETWORK}.{number}", f"{PUBLIC}.{number}"
        self.home = folder / "home"
        self._folder, self._shared, self._key = folder, shared, key
        self._init: subprocess.Popen[bytes] | None = None
        self._rules = ""

    def start(self) -> None:
        """Makes the network of a host that was never there, and boots."""
        command("ip", "netns", "add", self.name)
        command("ip", "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        command("ip", "link", "set", self.name, "master", BRIDGE, "up")
        inside = ("ip", "-n", self.name)
        for address in (self.address, self.public_address):
            command(*inside, "address", "add", f"{address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            command(*inside, "link", "set", device, "up")
        command(*inside, "route", "add", "default", "via", f"{NETWORK}.{GATEWAY}")
        self._write_files()
        self.boot()

    def _write_files(self) -> None:
        (self.home / ".ssh").mkdir(parents=True)
        (self.home / ".ssh" / "authorized_keys").write_text(self._key)
        (self.home / ".pyenv").mkdir()
        command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._folder / "host_key"))
        (self._folder / "sshd_config").write_text(
            f"ListenAddress {self.address}\nHostKey {self._folder}/host_key\nPidFile none\nUsePAM no\n"
            "PasswordAuthentication no\nPermitRootLogin prohibit-password\nStrictModes no\nAcceptEnv *\n"
        )

    def boot(self) -> None:
        """Starts the host's processes."""
        home = os.path.expanduser("~")
        script = [
            "set -e",
            "mount --make-rprivate /",
            *(f"mount -t tmpfs tmpfs {place}" for place in _PRIVATE),
            "mkdir -p /run/sshd /shared",
            f"mount --bind {self._shared} /shared",
            f"test ! -d {home}/.pyenv || mount --bind {home}/.pyenv {self.home}/.pyenv",
            f"mount --rbind {self.home} {home}",
            f"hostname {self.name}",
            f"exec $(command -v sshd) -D -e -f {self._folder}/sshd_config",
        ]
        unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--mount", "--uts", "--ipc"]
        with (self._folder / "console").open("ab") as console:
            self._init = subprocess.Popen(
                ["ip", "netns", "exec", self.name, *unshare, "bash", "-c", "\n".join(script)],
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            if f"{self.address}:22" in command("ip", "netns", "exec", self.name, "ss", "-ltn", check=False):
                return
            time.sleep(0.1)
        raise RuntimeError(f"{self.name} does not start: {(self._folder / 'console').read_text()}")

    def crash(self) -> None:
        """Ends the host as a power cut does."""
        if self._init is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._init.pid, signal.SIGKILL)
            self._init.wait()
            self._init = None

    @contextmanager
    def unplugged(self) -> Iterator[None]:
        """Takes its network away."""
        command("ip", "link", "set", self.name, "down")
        try:
            yield
        finally:
            command("ip", "link", "set", self.name, "up")

    def processes(self) -> list[str]:
        """What runs on it."""
        listed = command("ip", "netns", "pids", self.name, check=False).split()
        found = []
        for each in listed:
            with suppress(OSError):
                found.append(Path(f"/proc/{each}/cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found

    @property
    def trains(self) -> bool:
        """Whether a trial is under way on it."""
        return any("ray::" in each and "Impl" in each for each in self.processes())

    def inside(self) -> list[str]:
        """What makes a command one of its own: with its files, processes and network."""
        for each in command("ip", "netns", "pids", self.name).split():
            status = Path(f"/proc/{each}/status").read_text(encoding="utf-8")
            if re.search(r"^NSpid:.*\t1$", status, re.MULTILINE):
                return ["nsenter", "--target", each, "--all"]
        raise RuntimeError(f"{self.name} is not running")

    def listening(self) -> list[tuple[str, int]]:
        """Addresses and ports on which its processes listen."""
        lines = command("ip", "netns", "exec", self.name, "ss", "-Hltn").splitlines()
        places = [line.split()[3].rsplit(":", 1) for line in lines]
        return [(address.strip("[]"), int(port)) for address, port in places]

    def protect(self, rules: str) -> None:
        """Loads rules into its firewall."""
        subprocess.run(["ip", "netns", "exec", self.name, "nft", "-f", "-"], input=rules, text=True, check=True)
        self._rules = rules

    @contextmanager
    def unprotected(self) -> Iterator[None]:
        """Takes its firewall away."""
        command("ip", "netns", "exec", self.name, "nft", "delete", "table", "inet", "irnet_ray")
        try:
            yield
        finally:
            self.protect(self._rules)

    def remove(self) -> None:
        """Takes the host away."""
        self.crash()
        command("ip", "link", "delete", self.name, check=False)
        command("ip", "netns", "delete", self.name, check=False)


class SharedDisk:
    """What all hosts see as ``/shared``: a file system of its own, which can be filled up.

    Args:
        path: An empty folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def mounted(self) -> Iterator[SharedDisk]:
        """Puts it there, and takes it away with all that is on it."""
        command("mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(self.path))
        try:
            yield self
        finally:
            command("umount", str(self.path))

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leaves no room on it."""
        now = os.statvfs(self.path)
        self._resize((now.f_blocks - now.f_bfree) * now.f_frsize)
        try:
            yield
        finally:
            self._resize(_DISK_BYTES)

    def _resize(self, size: int) -> None:
        command("mount", "-o", f"remount,size={size}", str(self.path))


@contextmanager
def network() -> Iterator[None]:
    """A bridge between the hosts and this machine, which has the last address but one."""
    command("ip", "link", "add", BRIDGE, "type", "bridge")
    try:
        for each in (NETWORK, PUBLIC):
            command("ip", "address", "add", f"{each}.{GATEWAY}/24", "dev", BRIDGE)
        command("ip", "link", "set", BRIDGE, "up")
        yield
    finally:
        command("ip", "link", "delete", BRIDGE)


def missing_programs() -> list[str]:
    """What this machine lacks."""
    path = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin{os.pathsep}/sbin"
    return [program for program in PROGRAMS if shutil.which(program, path=path) is None]
