"""What makes a cluster of KubeRay unsafe, or another one every time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from irnet_ray.distributed.cluster.launcher_rules import image_remarks
from irnet_ray.distributed.cluster.remark import Remark
from irnet_ray.distributed.cluster.shape import mapping_at, mappings_at

_SECRETS = ("TOKEN", "SECRET", "PASSWORD", "ACCESS_KEY")


def remarks(manifest: Mapping[str, Any]) -> Iterator[Remark]:
    """Goes through all rules.

    Args:
        manifest: Of a ``RayJob`` or a ``RayCluster``.
    """
    is_job = manifest["kind"] == "RayJob"
    path = "spec.rayClusterSpec" if is_job else "spec"
    cluster = manifest["spec"]["rayClusterSpec"] if is_job else manifest["spec"]
    if mapping_at(cluster, "authOptions", path).get("mode") != "token":
        yield Remark("unsafe", f"{path}.authOptions", "Ray asks nobody for a token; write {mode: token}")
    yield from _services(cluster["headGroupSpec"], f"{path}.headGroupSpec")
    if is_job and not manifest["spec"].get("shutdownAfterJobFinishes"):
        text = "the cluster stays, and is paid, when the study is done; set it to true"
        yield Remark("costly", "spec.shutdownAfterJobFinishes", text)
    groups = {f"{path}.headGroupSpec": cluster["headGroupSpec"]}
    workers = mappings_at(cluster, "workerGroupSpecs", path)
    groups |= {f"{path}.workerGroupSpecs.{number}": each for number, each in enumerate(workers)}
    for field, group in groups.items():
        template = mapping_at(group, "template", field)
        yield from _pod(mapping_at(template, "spec", f"{field}.template"), f"{field}.template.spec")


def _services(head: Mapping[str, Any], field: str) -> Iterator[Remark]:
    """What would make Ray's ports reachable from outside."""
    own = mapping_at(head, "headService", field)
    types = {
        f"{field}.serviceType": head.get("serviceType", "ClusterIP"),
        f"{field}.headService.spec.type": mapping_at(own, "spec", f"{field}.headService").get("type", "ClusterIP"),
    }
    for where, kind in types.items():
        if kind != "ClusterIP":
            text = f"'{kind}' makes Ray's ports reachable from outside; leave it out, and use kubectl port-forward"
            yield Remark("unsafe", where, text)
    if head.get("enableIngress"):
        text = "makes the dashboard reachable from outside; leave it out, and use kubectl port-forward"
        yield Remark("unsafe", f"{field}.enableIngress", text)


def _pod(pod: Mapping[str, Any], field: str) -> Iterator[Remark]:
    if pod.get("hostNetwork"):
        yield Remark("unsafe", f"{field}.hostNetwork", "Ray listens on the addresses of the machine; leave it out")
    for number, container in enumerate(mappings_at(pod, "containers", field)):
        here = f"{field}.containers.{number}"
        yield from image_remarks(str(container.get("image", "")), f"{here}.image")
        if any("hostPort" in port for port in mappings_at(container, "ports", here)):
            yield Remark("unsafe", f"{here}.ports", "hostPort opens a port of the machine; leave it out")
        if mapping_at(container, "securityContext", here).get("privileged"):
            yield Remark("unsafe", f"{here}.securityContext.privileged", "gives all of the machine away; leave it out")
        resources = mapping_at(container, "resources", here)
        limits = mapping_at(resources, "limits", f"{here}.resources")
        if not {"cpu", "memory"} <= limits.keys():
            text = "Ray takes what it finds on the machine for its own; set limits of cpu and memory"
            yield Remark("unfinished", f"{here}.resources.limits", text)
        for variable in mappings_at(container, "env", here):
            name = str(variable.get("name", ""))
            if "value" in variable and any(part in name.upper() for part in _SECRETS):
                text = f"'{name}' stands in the file; take it from a secret (valueFrom.secretKeyRef)"
                yield Remark("unsafe", f"{here}.env", text)
