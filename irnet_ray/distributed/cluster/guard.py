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
    if (public := public_addresses()) and not _has_rules():
        raise ConfigurationError(
            f"{', '.join(public)} of {socket.gethostname()}: may be reached by strangers, and Ray listens on all "
            "addresses; load docs/firewall.nft there (sudo nft -f), or if another firewall keeps them out, write "
            "'irnet-ray cluster guard --behind-another-firewall' into the start commands"
        )


def public_addresses() -> list[str]:
    """This machine's addresses that are of no private network."""
    interfaces = psutil.net_if_addrs().values()
    found = [each.address for addresses in interfaces for each in addresses if each.family in _INTERNET]
    return [text for text in found if not _is_of_no_strangers(text.partition("%")[0])]


def _is_of_no_strangers(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return any(address in network for network in _OF_NO_STRANGERS if network.version == address.version)


def _has_rules() -> bool:
    """Whether the rules are there, as far as this user may ask."""
    nft = shutil.which("nft", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if nft is None:
        return False
    asking = [nft, "list", "table", "inet", TABLE]
    ways = [asking, ["sudo", "-n", *asking]] if shutil.which("sudo") else [asking]
    return any(subprocess.run(way, capture_output=True, check=False).returncode == 0 for way in ways)
