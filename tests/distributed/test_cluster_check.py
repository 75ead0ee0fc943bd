"""What is wrong with a cluster file is told before anything is started."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import yaml
from commands import assert_refused, succeed

from irnet_ray.distributed.cluster.check import check_cluster_file
from irnet_ray.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
FILES = Path(__file__).parent / "clusters"
NODES = "available_node_types"
HEAD = "spec.rayClusterSpec.headGroupSpec"
POD = f"{HEAD}.template.spec"


def changed(name: str, path: str, value: object, folder: Path) -> Path:
    """One of the files with one value changed, or taken out if it is ``None``."""
    content = json.loads(json.dumps(yaml.safe_load((FILES / name).read_text())))  # nothing shared by an anchor
    place, (*parents, last) = content, [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in parents:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = copy.deepcopy(value)
    file = folder / name
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return file


@pytest.mark.parametrize("name", ["aws.yaml", "local.yaml", "kuberay.yaml"])
def test_a_good_file_is_called_good(invoke, name):
    assert check_cluster_file(FILES / name) == []
    assert "complete, safe, pinned" in succeed(invoke("cluster", "check", FILES / name))


@pytest.mark.parametrize("name", ["cluster.yaml", "cluster.local.yaml", "docs/kuberay.yaml"])
def test_the_files_that_come_with_the_project_lack_what_is_the_users_and_nothing_else(name):
    remarks = check_cluster_file(ROOT / name)
    assert {remark.kind for remark in remarks} == {"unfinished"}
    assert all("is to be replaced by a value of your own" in remark.text for remark in remarks)


MANIFEST = "apiVersion: ray.io/v1\nkind: RayCluster\nspec:\n  headGroupSpec: {}\n"
START = "ray start --head --port=6379 --dashboard-host=127.0.0.1"
OPEN = {"FromPort": 8265, "ToPort": 8265, "IpProtocol": "tcp", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
OPEN_V6 = {"FromPort": 0, "ToPort": 65535, "IpProtocol": "tcp", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
HALF = {**OPEN, "IpRanges": [{"CidrIp": "0.0.0.0/1"}]}
STOPPED_ALONE = ["RAY_AUTH_MODE=token ray stop", "ray start --address=$RAY_HEAD_IP:6379"]
DISABLED = "export RAY_AUTH_MODE=token && RAY_AUTH_MODE=disabled ray start --address=$RAY_HEAD_IP:6379"
EXPORTED = "export RAY_AUTH_MODE=token && ray start --address=$RAY_HEAD_IP:6379"
UNGUARDED = "RAY_AUTH_MODE=token ray start --address=$RAY_HEAD_IP:6379"
CONTINUED = "RAY_AUTH_MODE=token \\\n  ray start --address=$RAY_HEAD_IP:6379"
LOAD_BALANCER = {"spec": {"type": "LoadBalancer"}}
PRIVILEGED = {"privileged": True}
TOKEN = {"name": "RAY_AUTH_TOKEN", "value": "abc"}


@pytest.mark.parametrize(
    ("name", "path", "value", "kind", "field"),
    [
        ("aws.yaml", "head_start_ray_commands.1", START, "unsafe", "head_start_ray_commands"),
        ("aws.yaml", "worker_start_ray_commands.1", "ray start", "unsafe", "worker_start_ray_commands"),
        ("aws.yaml", "worker_start_ray_commands.1", "true", "unfinished", "worker_start_ray_commands"),
        ("aws.yaml", "worker_start_ray_commands", None, "unsafe", "worker_start_ray_commands"),
        (
            *("aws.yaml", "head_start_ray_commands.1", f"RAY_AUTH_MODE=token {START}".replace("127.0.0.1", "0.0.0.0")),
            *("unsafe", "head_start_ray_commands"),
        ),
        ("aws.yaml", "worker_start_ray_commands", STOPPED_ALONE, "unsafe", "worker_start_ray_commands"),
        ("aws.yaml", "worker_start_ray_commands.1", DISABLED, "unsafe", "worker_start_ray_commands"),
        ("aws.yaml", "setup_commands.0", "export RAY_AUTH_TOKEN=0123456789abcdef", "unsafe", "setup_commands"),
        ("aws.yaml", "setup_commands.0", 'export RAY_AUTH_TOKEN="0123456789abcdef"', "unsafe", "setup_commands"),
        ("aws.yaml", "docker.run_options", ["-e AWS_SECRET_ACCESS_KEY=0123456789abcdef"], "unsafe", "docker"),
        ("aws.yaml", "setup_commands.0", "echo AKIAABCDEFGHIJKLMNOP", "unsafe", "setup_commands"),
        ("aws.yaml", "setup_commands.0", "pip install torch", "unpinned", "setup_commands"),
        ("aws.yaml", "setup_commands.0", "bash -c 'pip install torch'", "unpinned", "setup_commands"),
        ("aws.yaml", "file_mounts", {"~/.aws": "~/.aws"}, "unsafe", "file_mounts"),
        ("aws.yaml", "file_mounts", {"~/gcloud": "~/.config/gcloud"}, "unsafe", "file_mounts"),
        ("aws.yaml", "docker.image", "rayproject/ray:latest-gpu", "unpinned", "docker.image"),
        ("aws.yaml", "docker.image", "rayproject/ray", "unpinned", "docker.image"),
        ("aws.yaml", "docker.image", "rayproject/ray:2.9.0-py311", "unpinned", "docker.image"),
        ("aws.yaml", f"{NODES}.spot.min_workers", 2, "costly", f"{NODES}.spot.min_workers"),
        ("aws.yaml", "provider.cache_stopped_nodes", None, "costly", "provider.cache_stopped_nodes"),
        ("aws.yaml", "provider.security_group", {"IpPermissions": [OPEN]}, "unsafe", "provider.security_group"),
        ("aws.yaml", "provider.security_group", {"IpPermissions": [OPEN_V6]}, "unsafe", "provider.security_group"),
        ("aws.yaml", "provider.security_group", {"IpPermissions": [HALF]}, "unsafe", "provider.security_group"),
        ("aws.yaml", f"{NODES}.head.node_config.NetworkInterfaces.0.Groups", None, "unsafe", NODES),
        (
            *("aws.yaml", f"{NODES}.spot.node_config.NetworkInterfaces.0.AssociatePublicIpAddress", True),
            *("unsafe", f"{NODES}.spot.node_config.NetworkInterfaces"),
        ),
        (
            *("aws.yaml", f"{NODES}.head.node_config.IamInstanceProfile", None),
            *("unsafe", f"{NODES}.head.node_config.IamInstanceProfile"),
        ),
        ("aws.yaml", f"{NODES}.spot.node_config.ImageId", None, "unpinned", f"{NODES}.spot.node_config.ImageId"),
        ("aws.yaml", f"{NODES}.on_demand", None, "unfinished", NODES),
        (
            "aws.yaml",
            f"{NODES}.head.node_config.KeyName",
            "key-FILL-IN",
            "unfinished",
            f"{NODES}.head.node_config.KeyName",
        ),
        ("local.yaml", "provider.head_ip", "192.168.1.1", "unsafe", "head_start_ray_commands"),
        ("local.yaml", "worker_start_ray_commands.1", UNGUARDED, "unsafe", "worker_start_ray_commands"),
        ("local.yaml", "provider.worker_ips.0", "8.8.8.8", "unsafe", "provider"),
        ("local.yaml", "auth.ssh_private_key", None, "unfinished", "auth.ssh_private_key"),
        ("kuberay.yaml", "spec.rayClusterSpec.authOptions", None, "unsafe", "spec.rayClusterSpec.authOptions"),
        (
            *("kuberay.yaml", "spec.rayClusterSpec.headGroupSpec.serviceType", "LoadBalancer"),
            *("unsafe", "spec.rayClusterSpec.headGroupSpec.serviceType"),
        ),
        ("kuberay.yaml", f"{HEAD}.headService", LOAD_BALANCER, "unsafe", f"{HEAD}.headService.spec.type"),
        ("kuberay.yaml", f"{HEAD}.enableIngress", True, "unsafe", f"{HEAD}.enableIngress"),
        ("kuberay.yaml", f"{POD}.containers.0.ports", [{"hostPort": 8265}], "unsafe", f"{POD}.containers.0.ports"),
        ("kuberay.yaml", f"{POD}.containers.0.securityContext", PRIVILEGED, "unsafe", f"{POD}.containers.0.security"),
        ("kuberay.yaml", "spec.shutdownAfterJobFinishes", None, "costly", "spec.shutdownAfterJobFinishes"),
        ("kuberay.yaml", f"{POD}.hostNetwork", True, "unsafe", f"{POD}.hostNetwork"),
        ("kuberay.yaml", f"{POD}.containers.0.resources", None, "unfinished", f"{POD}.containers.0.resources"),
        (
            "kuberay.yaml",
            f"{POD}.containers.0.image",
            "rayproject/ray:nightly",
            "unpinned",
            f"{POD}.containers.0.image",
        ),
        ("kuberay.yaml", f"{POD}.containers.0.env", [TOKEN], "unsafe", f"{POD}.containers.0.env"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(tmp_path, name, path, value, kind, field):
    remarks = check_cluster_file(changed(name, path, value, tmp_path))
    assert remarks
    assert {remark.kind for remark in remarks} == {kind}
    assert all(remark.field.startswith(field) for remark in remarks)
    assert all(";" in remark.text or "replaced by" in remark.text for remark in remarks)


@pytest.mark.parametrize("command", [EXPORTED, CONTINUED])
def test_the_token_may_be_asked_for_in_several_ways(tmp_path, command):
    assert check_cluster_file(changed("aws.yaml", "worker_start_ray_commands.1", command, tmp_path)) == []


@pytest.mark.parametrize("addresses", ["10.0.0.0/8", "198.51.0.0/16", "203.0.113.7/32"])
def test_addresses_of_ones_own_may_be_let_in(tmp_path, addresses):
    group = {"IpPermissions": [{**OPEN, "IpRanges": [{"CidrIp": addresses}]}]}
    assert check_cluster_file(changed("aws.yaml", "provider.security_group", group, tmp_path)) == []


def test_aws_without_boto3_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (remark,) = check_cluster_file(changed("aws.yaml", "max_workers", 1, tmp_path))
    assert (remark.kind, remark.field) == ("unfinished", "provider.type")
    assert "pip install 'irnet-ray[aws]'" in remark.text


def test_clouds_without_rules_are_not_called_safe(tmp_path):
    file = tmp_path / "gcp.yaml"
    node = "{resources: {CPU: 1}, node_config: {machineType: n1-standard-2}}"
    provider = "{type: gcp, region: us-west1, availability_zone: us-west1-a, project_id: x, cache_stopped_nodes: false}"
    starts = "".join(f"{field}_start_ray_commands: ['RAY_AUTH_MODE=token {START}']\n" for field in ("head", "worker"))
    nodes = f"available_node_types: {{head: {node}}}\nhead_node_type: head\n"
    file.write_text(f"cluster_name: x\nprovider: {provider}\nauth: {{ssh_user: ray}}\n{nodes}{starts}")
    assert ("unknown", "provider.type") in [(remark.kind, remark.field) for remark in check_cluster_file(file)]


def test_an_interface_that_is_no_list_is_one_line(invoke, tmp_path):
    field = f"{NODES}.head.node_config.NetworkInterfaces"
    file = changed("aws.yaml", field, {"Groups": ["sg-1"]}, tmp_path)
    assert_refused(invoke("cluster", "check", file), f"{field}: is no list")


def test_start_commands_that_are_left_to_ray_open_the_dashboard(tmp_path):
    remarks = check_cluster_file(changed("aws.yaml", "head_start_ray_commands", None, tmp_path))
    assert any("the dashboard listens on 0.0.0.0" in remark.text for remark in remarks)


def test_a_secret_of_kubernetes_is_no_secret_in_the_file(tmp_path):
    reference = {"name": "RAY_AUTH_TOKEN", "valueFrom": {"secretKeyRef": {"name": "tried", "key": "token"}}}
    assert check_cluster_file(changed("kuberay.yaml", f"{POD}.containers.0.env", [reference], tmp_path)) == []


def test_other_things_of_kubernetes_may_stand_in_the_file(tmp_path):
    volume = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: runs}\n---\n"
    file = tmp_path / "both.yaml"
    file.write_text(volume + (FILES / "kuberay.yaml").read_text())
    assert check_cluster_file(file) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "holds no settings"),
        ("- a\n- b\n", "holds no settings"),
        ("a: [", "is not YAML"),
        ("a: 1\n", "is no cluster file"),
        (
            "cluster_name: x\nprovider: {type: local, head_ip: 10.0.0.1, worker_ips: []}\nbogus: 1\n",
            "'bogus' was unexpected",
        ),
        ("cluster_name: x\nprovider: {type: moon}\n", "Ray does not take it"),
        ("apiVersion: ray.io/v1\nkind: RayServe\nspec: {}\n", "'RayServe'"),
        ("apiVersion: ray.io/v1\nkind: RayCluster\nspec: {}\n", "headGroupSpec"),
        (f"{MANIFEST}  authOptions: token\n", "spec.authOptions: 'token' is no mapping"),
        (f"{MANIFEST}  workerGroupSpecs: {{a: 1}}\n", "spec.workerGroupSpecs: is no list"),
        (f"{MANIFEST}  workerGroupSpecs: [x]\n", "spec.workerGroupSpecs.0: 'x' is no mapping"),
        (f"{MANIFEST}  workerGroupSpecs: [{{template: x}}]\n", "spec.workerGroupSpecs.0.template: 'x' is no mapping"),
    ],
)
def test_what_is_no_cluster_file_is_one_line(invoke, tmp_path, content, told):
    file = tmp_path / "cluster.yaml"
    file.write_text(content)
    assert_refused(invoke("cluster", "check", file), str(file), told)
    with pytest.raises(ConfigurationError):
        check_cluster_file(file)


def test_a_missing_file_is_one_line(invoke, tmp_path):
    assert_refused(invoke("cluster", "check", tmp_path / "none.yaml"), "cannot be read")


def test_remarks_end_in_exit_code_2(invoke, tmp_path):
    result = invoke("cluster", "check", changed("aws.yaml", "docker.image", "rayproject/ray", tmp_path))
    assert_refused(result, "1 to mend")
    assert result.stdout.startswith("unpinned: docker.image: 'rayproject/ray' is another image tomorrow")
