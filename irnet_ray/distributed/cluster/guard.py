"""Ray listens on all addresses of a machine: it must not start where strangers could reach it."""

from __future__ import annotations

import ipaddress
import shutil
import socket
import subprocess

import psutil

from irnet_ray.errors import ConfigurationError

TABLE = "irnet_ray"
"""The rules that docs/firewall.nft loads."""

_INTERNET = (socket.AF_INET, socket.AF_INET6)
_OF_NO_STRANGERS = tuple(
    ipaddress.ip_network(each)
    for each in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)


def check_guarded() -> None:
    """Refuses a machine that has a public address and not the rules of docs/firewall.nft.

    Raises:
        ConfigurationError: Names the addresses and the repair.
    """
    public = public_addresses()
    if not public or (answer := _ask_for_rules()) is None:
        return
    raise ConfigurationError(
        f"{', '.join(public)} of {socket.gethostname()}: strangers may reach it, and Ray listens on all addresses; "
        f"{answer}, or if another firewall keeps them out, write 'irnet-ray cluster guard --behind-another-firewall' "
        "into the start commands"
    )


def public_addresses() -> list[str]:
    """This machine's addresses that are of no private network."""
    interfaces = psutil.net_if_addrs().values()
    found = [each.address for addresses in interfaces for each in addresses if each.family in _INTERNET]
    return [text for text in found if not _is_of_no_strangers(text.partition("%")[0])]


def _is_of_no_strangers(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return any(address in network for network in _OF_NO_STRANGERS if network.version == address.version)


def _ask_for_rules() -> str | None:
    """What to do for the rules to be found, ``None`` if they are."""
    load = "load docs/firewall.nft there (sudo nft -f)"
    nft = shutil.which("nft", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if nft is None:
        return load
    asking = [nft, "list", "table", "inet", TABLE]
    ways = [asking, ["sudo", "-n", *asking]] if shutil.which("sudo") else [asking]
    answers = [subprocess.run(way, capture_output=True, text=True, check=False) for way in ways]
    if any(each.returncode == 0 for each in answers):
        return None
    if any("No such file" in each.stderr for each in answers):
        return load
    return f"let this user see whether docs/firewall.nft is loaded (in sudoers: NOPASSWD: {' '.join(asking)})"
