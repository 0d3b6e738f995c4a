"""What a Beanstalk environment's machines, and Beanstalk for it, may do: least rights, as pure functions.

The statements are what AWS's managed policies AWSElasticBeanstalkWebTier, AmazonEC2ContainerRegistryPullOnly,
AWSElasticBeanstalkEnhancedHealth and AmazonSSMManagedInstanceCore grant, narrowed to what a web environment
uses: of the last, what Run Command does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

# All roles stand below it, so that one who deploys may be allowed to make these and no others.
PATH = "/curtainup/"

_ECR = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<name>[^@:]+)"
)
_HEALTH = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeNotificationConfigurations",
    "autoscaling:DescribeScalingActivities",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstances",
    "ec2:DescribeSecurityGroups",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTargetHealth",
)


_MANAGED_INSTANCE = (
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
    "ssm:ListAssociations",
    "ssm:ListInstanceAssociations",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)


def partition(region: str) -> str:
    """Return the part of AWS that a region is in, as its ARNs begin."""
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next((name for prefix, name in prefixes.items() if region.startswith(prefix)), "aws")


def machines_trust(region: str) -> str:
    """Return who may act as the machines' role: EC2."""
    service = "ec2.amazonaws.com.cn" if partition(region) == "aws-cn" else "ec2.amazonaws.com"
    return _document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


def service_trust() -> str:
    """Return who may act as the service role: Beanstalk, for its own purposes."""
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "elasticbeanstalk.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "elasticbeanstalk"}},
        }
    )


def service_policy() -> str:
    """Return what Beanstalk needs to judge an environment's health."""
    return _document({"Effect": "Allow", "Action": list(_HEALTH), "Resource": "*"})


def machines_policy(region: str, application: str, bucket_arn: str, *, tasks: bool = False) -> str:
    """Return what every machine of an environment needs: its bundle, a place for logs, to tell its health.

    Args:
        region: where the environment is.
        application: the Beanstalk application's name.
        bucket_arn: of the bucket that holds the bundles.
        tasks: whether tasks are run on it, which Systems Manager's agent is told of.

    """
    aws = f"arn:{partition(region)}"
    own = f"{aws}:s3:::elasticbeanstalk-{region}-*"
    beanstalk = f"{aws}:elasticbeanstalk:{region}:*"
    return _document(
        _allow(["s3:GetObject"], f"{bucket_arn}/*", f"{own}/resources/*"),
        _allow(["s3:PutObject"], f"{own}/resources/environments/logs/*"),
        _allow(
            ["elasticbeanstalk:PutInstanceStatistics"],
            f"{beanstalk}:application/{application}",
            f"{beanstalk}:environment/{application}/*",
        ),
        _allow(
            [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogGroups",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
                "logs:PutRetentionPolicy",
            ],
            f"{aws}:logs:{region}:*:log-group:/aws/elasticbeanstalk/*",
        ),
        *([_allow(list(_MANAGED_INSTANCE), "*")] if tasks else []),
    )


def release_policy(image: str, secret_arns: Sequence[str]) -> str | None:
    """Return what a release's machines need for it alone: its image and its secrets; None if that is nothing.

    Args:
        image: `repository@sha256:…`; only one in ECR asks for rights.
        secret_arns: of its secrets in Secrets Manager.

    """
    statements = [*_pull(image)]
    if secret_arns:
        statements.append(_allow(["secretsmanager:GetSecretValue"], *sorted(secret_arns)))
    return _document(*statements) if statements else None


def _pull(image: str) -> list[dict[str, Any]]:
    found = _ECR.match(image)
    if found is None:
        return []
    region = found["region"]
    repository = f"arn:{partition(region)}:ecr:{region}:{found['account']}:repository/{found['name']}"
    actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    return [_allow(["ecr:GetAuthorizationToken"], "*"), _allow(actions, repository)]


def _allow(actions: list[str], *resources: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources)}


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
