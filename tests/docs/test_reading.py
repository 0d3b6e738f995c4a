"""The rights of a preview: enough for what it asks, by IAM's rules, and for nothing that changes anything.

moto's judge of policies stands for IAM: it does not share our beliefs about how a policy is read.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from moto.iam.access_control import IAMPolicy, PermissionResult

DOCS = Path(__file__).parents[2] / "docs"
POLICY = json.loads((DOCS / "beanstalk-preview-policy.json").read_text(encoding="utf-8"))
ROLE = yaml.safe_load((DOCS / "cloud-run-preview-role.yaml").read_text(encoding="utf-8"))
DEPLOYER = yaml.safe_load((DOCS / "cloud-run-role.yaml").read_text(encoding="utf-8"))
REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/shop"
CALLS = {
    "acm:DescribeCertificate": "arn:aws:acm:eu-west-1:123456789012:certificate/0f3a",
    "ec2:DescribeKeyPairs": "*",
    "ecr:BatchGetImage": REPOSITORY,
    "ecr:GetAuthorizationToken": "*",
    "elasticbeanstalk:CheckDNSAvailability": "*",
    "elasticbeanstalk:DescribeEnvironments": "*",
    "elasticbeanstalk:DescribeEvents": "*",
    "elasticbeanstalk:ListAvailableSolutionStacks": "*",
    "iam:GetServerCertificate": "arn:aws:iam::123456789012:server-certificate/shop",
}
"""What `doctor --read-only` and `preview` ask of AWS, each with what it is asked about."""
READS = re.compile(r"(BatchCheck|BatchGet|Check|Describe|Get|List)[A-Z]\w*")


def decided(action: str, resource: str) -> Any:
    """What IAM decides of a call by the policy alone."""
    return IAMPolicy(json.dumps(POLICY)).is_action_permitted(action, resource)


@pytest.mark.parametrize("action", CALLS)
def test_a_preview_on_aws_may_ask_what_it_asks(action: str) -> None:
    assert decided(action, CALLS[action]) is PermissionResult.PERMITTED


def test_the_policy_of_previews_only_reads() -> None:
    for statement in POLICY["Statement"]:
        named = statement["Action"]
        for action in [named] if isinstance(named, str) else named:
            assert READS.fullmatch(action.partition(":")[2]), action


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("ecr:PutImage", REPOSITORY),
        ("elasticbeanstalk:CreateEnvironment", "*"),
        ("elasticbeanstalk:SwapEnvironmentCNAMEs", "*"),
        ("elasticbeanstalk:TerminateEnvironment", "*"),
        ("iam:PassRole", "arn:aws:iam::123456789012:role/curtainup/shop-live-machines"),
        ("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/curtainup/shop-live-machines"),
        ("s3:PutObject", "arn:aws:s3:::shop-curtainup-123456789012/.pulumi/stacks/shop-live.json"),
        (
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-live-r1",
        ),
        ("sts:AssumeRole", "arn:aws:iam::123456789012:role/deployer"),
    ],
)
def test_a_preview_on_aws_may_change_nothing_and_read_no_secret(action: str, resource: str) -> None:
    assert decided(action, resource) is PermissionResult.NEUTRAL


def test_a_preview_on_google_may_only_read_what_a_deployer_may() -> None:
    """Whether a permission reads is in its last word; `gcloud iam roles create --file` takes these keys."""
    assert set(ROLE) == {"title", "description", "stage", "includedPermissions"}
    permissions = ROLE["includedPermissions"]
    assert len(set(permissions)) == len(permissions)
    assert set(permissions) <= set(DEPLOYER["includedPermissions"])
    verbs = {one.rpartition(".")[2] for one in permissions}
    assert verbs == {"get", "getIamPolicy", "list", "downloadArtifacts"}
    assert not any("versions.access" in one or "actAs" in one for one in permissions)
