"""What makes a cluster that ``ray up`` starts unsafe, or another one every time.

Whoever reaches Ray's dashboard, jobs or client port can run programs on the cluster (CVE-2023-48022): those ports
belong on no public address, and a token before them.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ray

from irnet_ray.distributed.cluster.remark import Remark
from irnet_ray.distributed.cluster.shape import mapping_at, mappings_at

_WIDEST = {4: 16, 6: 32}  # prefix lengths that one institution may have, by the protocol's version
_SEPARATORS = re.compile(r";|&&|\|\||\n")
_SECRET = re.compile(
    r"\bAKIA[0-9A-Z]{16}\b|\b(RAY_AUTH_TOKEN|AWS_SECRET_ACCESS_KEY)['\"]?\s*[=:]\s*['\"]?[^$\s\"']{8}", re.IGNORECASE
)
_FOLDERS_OF_KEYS = (".aws", ".ssh", ".kube", ".config/gcloud", ".azure")
_INSTALLS = re.compile(r"(?:\bpip\d?|-m pip) install\b([^;&|]*)")
COMMANDS = (
    *("initialization_commands", "setup_commands", "head_setup_commands", "worker_setup_commands"),
    *("head_start_ray_commands", "worker_start_ray_commands"),
)
"""The settings that are lists of shell commands."""


def remarks(settings: Mapping[str, Any]) -> Iterator[Remark]:
    """Goes through all rules.

    Args:
        settings: As ``ray up`` would use them, defaults included.
    """
    for rule in (_starts, _dashboard, _secrets, _image, _packages, _machines):
        yield from rule(settings)
    provider = settings["provider"]["type"]
    if provider == "aws":
        if importlib.util.find_spec("boto3") is None:
            text = "'ray up' finds no boto3 to speak to AWS with; pip install 'irnet-ray[aws]'"
            yield Remark("unfinished", "provider.type", text)
        for rule in (_firewall, _networks, _rights, _machine_images, _spot):
            yield from rule(settings)
    elif provider == "local":
        yield from _own_machines(settings)
    else:
        text = f"networks, firewall, rights and images of '{provider}' are not judged; see to them yourself"
        yield Remark("unknown", "provider.type", text)


def _starts(settings: Mapping[str, Any]) -> Iterator[Remark]:
    """Every ``ray start`` must ask for the token."""
    for field in ("head_start_ray_commands", "worker_start_ray_commands"):
        starts = [command for command in settings[field] if "ray start" in command]
        if not starts:
            yield Remark("unfinished", field, "Ray is not started; add 'RAY_AUTH_MODE=token ray start ...'")
        elif not all(map(_asks_for_token, starts)):
            yield Remark("unsafe", field, "Ray asks nobody for a token; write 'RAY_AUTH_MODE=token ray start ...'")


def _asks_for_token(command: str) -> bool:
    """Whether each ``ray start`` of a command, which has a shell to itself, has the variable or finds it exported."""
    exported = False
    for part in _SEPARATORS.split(command.replace("\\\n", " ")):
        exported = bool(re.search(r"\bexport\b.*\bRAY_AUTH_MODE=token\b", part)) or exported
        if "ray start" in part:
            modes = re.findall(r"\bRAY_AUTH_MODE=(\S+)", part.partition("ray start")[0])
            if (modes[-1] if modes else "token" if exported else "") != "token":
                return False
    return True


def _dashboard(settings: Mapping[str, Any]) -> Iterator[Remark]:
    commands = " ; ".join(settings["head_start_ray_commands"])
    hosts = re.findall(r"--dashboard-host[= ](\S+)", commands)
    for host in hosts:
        if host not in ("127.0.0.1", "localhost"):
            text = f"the dashboard listens on {host}, where programs can be run; write --dashboard-host=127.0.0.1"
            yield Remark("unsafe", "head_start_ray_commands", text)


def _secrets(settings: Mapping[str, Any]) -> Iterator[Remark]:
    for field, value in settings.items():
        if _SECRET.search(json.dumps(value, default=str).replace('\\"', '"')):
            yield Remark("unsafe", field, "holds a key or a token; keep it in a file that its owner alone can read")
    for remote, local in (settings.get("file_mounts") or {}).items():
        if any(folder in str(local) for folder in _FOLDERS_OF_KEYS):
            text = f"'{local}' goes to every machine as {remote}; give the machines rights of their own instead"
            yield Remark("unsafe", "file_mounts", text)


def _image(settings: Mapping[str, Any]) -> Iterator[Remark]:
    docker = mapping_at(settings, "docker", "the file")
    for key in ("image", "head_image", "worker_image"):
        image = docker.get(key)
        if image:
            yield from image_remarks(str(image), f"docker.{key}")


def image_remarks(image: str, field: str) -> Iterator[Remark]:
    """An image must be the same tomorrow, and have this project's Ray.

    Args:
        image: Its name with its tag.
        field: Where it stands.
    """
    if "@sha256:" in image:
        return
    _, _, tag = image.rpartition("/")[2].partition(":")
    if not tag or tag.startswith(("latest", "nightly")):
        yield Remark("unpinned", field, f"'{image}' is another image tomorrow; name a version")
    elif "rayproject/ray" in image and not tag.startswith(ray.__version__):
        text = f"'{image}' has another Ray than the {ray.__version__} that studies are sent from; take that version"
        yield Remark("unpinned", field, text)


def _packages(settings: Mapping[str, Any]) -> Iterator[Remark]:
    for field in COMMANDS:
        for command in settings[field]:
            if any(not re.search(r"--constraint|-c \S", words) for words in _INSTALLS.findall(command)):
                text = f"'{command.strip()}' takes other versions tomorrow; add --constraint constraints.txt"
                yield Remark("unpinned", field, text)


def _machines(settings: Mapping[str, Any]) -> Iterator[Remark]:
    if settings["provider"]["type"] == "local":
        return
    for name, machine in settings["available_node_types"].items():
        if name != settings["head_node_type"] and machine.get("min_workers", 0) > 0:
            text = f"{machine['min_workers']} machines run, and are paid, without work; set it to 0"
            yield Remark("costly", f"available_node_types.{name}.min_workers", text)
    if settings["provider"].get("cache_stopped_nodes", True):
        text = "machines are stopped, not ended, and their disks are paid on; set it to false"
        yield Remark("costly", "provider.cache_stopped_nodes", text)


def _firewall(settings: Mapping[str, Any]) -> Iterator[Remark]:
    """What a security group that Ray makes lets in."""
    field = "provider.security_group.IpPermissions"
    group = mapping_at(settings["provider"], "security_group", "provider")
    for number, rule in enumerate(mappings_at(group, "IpPermissions", "provider.security_group")):
        ranges = [each.get("CidrIp") for each in mappings_at(rule, "IpRanges", f"{field}.{number}")]
        ranges += [each.get("CidrIpv6") for each in mappings_at(rule, "Ipv6Ranges", f"{field}.{number}")]
        if any(_is_of_strangers(each) for each in ranges if each):
            ports = f"{rule.get('FromPort')}-{rule.get('ToPort')}"
            yield Remark("unsafe", field, f"ports {ports} are open to strangers; name your own addresses")
    without = [name for name, each in settings["available_node_types"].items() if not _groups(name, each)]
    if without:
        text = f"for {', '.join(without)} Ray makes a security group that opens SSH to everybody; name one of your own"
        yield Remark("unsafe", "available_node_types", text)


def _is_of_strangers(addresses: str) -> bool:
    """Whether a range has more public addresses than an institution would call its own."""
    try:
        network = ipaddress.ip_network(addresses, strict=False)
    except ValueError:
        return True
    return not network.is_private and network.num_addresses > 2 ** (network.max_prefixlen - _WIDEST[network.version])


def _groups(name: str, machine: Mapping[str, Any]) -> Sequence[str]:
    groups = [group for each in _interfaces(name, machine) for group in each.get("Groups") or []]
    return [*(machine["node_config"].get("SecurityGroupIds") or []), *groups]


def _interfaces(name: str, machine: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return mappings_at(machine["node_config"], "NetworkInterfaces", f"available_node_types.{name}.node_config")


def _networks(settings: Mapping[str, Any]) -> Iterator[Remark]:
    for name, machine in settings["available_node_types"].items():
        interfaces = _interfaces(name, machine) or [{}]
        if name != settings["head_node_type"] and any(
            each.get("AssociatePublicIpAddress", True) for each in interfaces
        ):
            field = f"available_node_types.{name}.node_config.NetworkInterfaces"
            yield Remark("unsafe", field, "workers get public addresses; write AssociatePublicIpAddress: false")


def _rights(settings: Mapping[str, Any]) -> Iterator[Remark]:
    head = settings["head_node_type"]
    if "IamInstanceProfile" not in settings["available_node_types"][head]["node_config"]:
        field = f"available_node_types.{head}.node_config.IamInstanceProfile"
        yield Remark("unsafe", field, "Ray gives the head all rights over EC2 and S3; name a profile with fewer")


def _machine_images(settings: Mapping[str, Any]) -> Iterator[Remark]:
    for name, machine in settings["available_node_types"].items():
        if not machine["node_config"].get("ImageId"):
            field = f"available_node_types.{name}.node_config.ImageId"
            yield Remark("unpinned", field, "Ray takes an image of its own choice, an old one; name one")


def _spot(settings: Mapping[str, Any]) -> Iterator[Remark]:
    """Spot machines may not be had for days; the autoscaler turns to another type with the same resources then."""
    workers = {n: each for n, each in settings["available_node_types"].items() if n != settings["head_node_type"]}
    markets = {name: bool(each["node_config"].get("InstanceMarketOptions")) for name, each in workers.items()}
    if markets and all(markets.values()):
        text = (
            "only spot machines, which may not be to be had; add a type without InstanceMarketOptions to fall back on"
        )
        yield Remark("unfinished", "available_node_types", text)


def _own_machines(settings: Mapping[str, Any]) -> Iterator[Remark]:
    provider = settings["provider"]
    addresses = [provider.get("head_ip"), *(provider.get("worker_ips") or [])]
    for address in filter(None, addresses):
        try:
            is_public = ipaddress.ip_address(address).is_global
        except ValueError:
            continue  # a name, of which nothing is known offline
        if is_public:
            text = f"{address} is a public address, on which Ray would listen; give one of a network of your own"
            yield Remark("unsafe", "provider", text)
    head = str(provider.get("head_ip") or "")
    commands = " ; ".join(settings["head_start_ray_commands"])
    if head and not re.search(rf"--node-ip-address[= ]{re.escape(head)}(?!\S)", commands):
        text = f"Ray chooses the address on which it listens, which may be a public one; add --node-ip-address={head}"
        yield Remark("unsafe", "head_start_ray_commands", text)
    for field in ("head_start_ray_commands", "worker_start_ray_commands"):
        if not any("irnet-ray cluster guard" in command for command in settings[field]):
            text = "Ray listens on public addresses, too; write 'irnet-ray cluster guard && ...' before 'ray start'"
            yield Remark("unsafe", field, text)
    if not settings.get("auth", {}).get("ssh_private_key"):
        yield Remark("unfinished", "auth.ssh_private_key", "the head reaches its workers by a key; name its file")
