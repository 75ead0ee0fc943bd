"""cluster.yaml and docs/aws-stack.yaml fit together and to AWS, as far as a stand-in for AWS can tell."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import boto3
import pytest
import yaml
from cfnlint.api import lint_file
from moto import mock_aws
from ray.autoscaler._private.aws.config import bootstrap_aws
from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.autoscaler.v2.instance_manager.config import AutoscalingConfig
from ray.autoscaler.v2.scheduler import ResourceDemandScheduler, SchedulingRequest
from ray.autoscaler.v2.utils import ResourceRequestUtil

from irnet_ray.distributed.cluster.check import check_cluster_file

ROOT = Path(__file__).parents[2]
REGION = "eu-west-1"
OF_ALL = ("ec2:Describe", "ssm:UpdateInstanceInformation", "ssmmessages:")  # AWS cannot restrict them to some resources


@pytest.fixture
def aws(monkeypatch):
    """An account with the stack of the docs and a key pair; gives the stack's outputs."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        boto3.client("ec2").create_key_pair(KeyName="irnet-ray")
        formation = boto3.client("cloudformation")
        template = (ROOT / "docs" / "aws-stack.yaml").read_text()
        formation.create_stack(
            StackName="irnet-ray",
            TemplateBody=template,
            Parameters=[{"ParameterKey": "Zone", "ParameterValue": f"{REGION}a"}],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        (stack,) = formation.describe_stacks(StackName="irnet-ray")["Stacks"]
        yield {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@pytest.fixture
def filled(aws, tmp_path):
    """cluster.yaml with the outputs of the stack filled in."""
    image = boto3.client("ec2").describe_images()["Images"][0]["ImageId"]
    content = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    content["metadata"]["storage"] = aws["Storage"]
    content["provider"]["region"] = aws["Region"]
    for each in content["available_node_types"].values():
        each["node_config"]["ImageId"] = image
        (interface,) = each["node_config"]["NetworkInterfaces"]
        interface |= {"SubnetId": aws["Subnet"], "Groups": [aws["Group"]]}
    path = tmp_path / "cluster.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def everything():
    """What an account has of the things that Ray makes on its own."""
    ec2, iam = boto3.client("ec2"), boto3.client("iam")
    return (
        ec2.describe_security_groups()["SecurityGroups"],
        ec2.describe_key_pairs()["KeyPairs"],
        iam.list_roles()["Roles"],
        iam.list_instance_profiles()["InstanceProfiles"],
    )


def test_cloudformation_would_take_the_stack():
    """cfn-lint knows what AWS refuses and the stand-in takes, such as aliases of YAML."""
    problems = lint_file(ROOT / "docs" / "aws-stack.yaml")
    assert [str(each) for each in problems] == []


def test_with_the_outputs_of_the_stack_the_file_is_complete(filled):
    assert check_cluster_file(filled) == []


def test_machines_start_as_the_file_says_and_ray_makes_nothing_of_its_own(filled, aws):
    before = everything()
    config = prepare_config(yaml.safe_load(filled.read_text()))
    validate_config(config)
    config = bootstrap_aws(config)
    provider = AWSNodeProvider(config["provider"], config["cluster_name"])
    for name, kind in config["available_node_types"].items():
        provider.create_node(kind["node_config"], {"ray-node-type": "worker", "ray-user-node-type": name}, 1)
    assert everything() == before
    machines = list(boto3.resource("ec2").instances.all())
    assert len(machines) == 3
    for machine in machines:
        tags = {tag["Key"]: tag["Value"] for tag in machine.tags}
        is_head = tags["ray-user-node-type"] == "head"
        assert tags["ray-cluster-name"] == "irnet-ray"
        assert machine.subnet_id == aws["Subnet"]
        (interface,) = machine.network_interfaces
        assert [group["GroupId"] for group in interface.groups] == [aws["Group"]]
        assert machine.public_ip_address is None
        assert machine.iam_instance_profile["Arn"].endswith("/irnet-ray-head" if is_head else "/irnet-ray-worker")
        assert (machine.instance_lifecycle == "spot") == (tags["ray-user-node-type"] == "worker_spot")


@pytest.mark.parametrize(
    ("had", "kind"),
    [({}, "worker_spot"), ({"worker_spot": 0.0}, "worker_on_demand"), ({"worker_spot": 1.0}, "worker_spot")],
)
def test_spot_machines_come_first_and_others_while_there_are_none(filled, tmp_path, had, kind):
    (tmp_path / "key.pem").write_text("a key")
    config = prepare_config(yaml.safe_load(filled.read_text()))
    config["auth"]["ssh_private_key"] = str(tmp_path / "key.pem")
    kinds = AutoscalingConfig(config, skip_content_hash=True).get_node_type_configs()
    demand = ResourceRequestUtil.group_by_count([ResourceRequestUtil.make({"CPU": 1, "GPU": 1})] * 3)
    request = SchedulingRequest(
        node_type_configs=kinds,
        max_num_nodes=9,
        resource_requests=demand,
        disable_launch_config_check=True,
        recoverable_resource_availabilities=had,
    )
    (launched,) = ResourceDemandScheduler().schedule(request).to_launch
    assert (launched.instance_type, launched.count) == (kind, 3)


def test_nobody_outside_reaches_the_machines(aws):
    (group,) = boto3.client("ec2").describe_security_groups(GroupIds=[aws["Group"]])["SecurityGroups"]
    assert group["IpPermissions"]
    for rule in group["IpPermissions"]:
        assert not rule["IpRanges"]
        assert not rule.get("Ipv6Ranges")
        assert {pair["GroupId"] for pair in rule["UserIdGroupPairs"]} == {aws["Group"]}


def as_list(value):
    return value if isinstance(value, list) else [value]


def documents_of(role):
    iam = boto3.client("iam")
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
        yield iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]


@pytest.mark.parametrize(("role", "may_start"), [("irnet-ray-head", True), ("irnet-ray-worker", False)])
@pytest.mark.usefixtures("aws")
def test_roles_have_few_rights(role, may_start):
    documents = [json.loads(each) if isinstance(each, str) else each for each in documents_of(role)]
    statements = list(itertools.chain.from_iterable(each["Statement"] for each in documents))
    actions = {action for each in statements for action in as_list(each["Action"])}
    assert not any(action.endswith(":*") or action == "*" for action in actions)
    assert ("ec2:RunInstances" in actions) == may_start
    for each in statements:
        if each["Resource"] == "*":
            assert all(action.startswith(OF_ALL) for action in as_list(each["Action"]))


@pytest.mark.usefixtures("aws")
def test_the_head_starts_machines_of_the_workers_type_alone():
    documents = [json.loads(each) if isinstance(each, str) else each for each in documents_of("irnet-ray-head")]
    statements = list(itertools.chain.from_iterable(each["Statement"] for each in documents))
    (starting,) = (
        each["Condition"]["StringEquals"]
        for each in statements
        if "ec2:RunInstances" in as_list(each["Action"]) and "instance/*" in str(each["Resource"])
    )
    content = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    workers = [each["node_config"] for name, each in content["available_node_types"].items() if name != "head"]
    assert {each["InstanceType"] for each in workers} == {starting["ec2:InstanceType"]}
    assert {each["MetadataOptions"]["HttpTokens"] for each in workers} == {starting["ec2:MetadataHttpTokens"]}
    assert starting["aws:RequestTag/ray-cluster-name"] == content["cluster_name"]
