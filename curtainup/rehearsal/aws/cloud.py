"""The stand-in of AWS, for `curtainup.rehearsal.server`: its resource types and functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curtainup.rehearsal.aws import ecr, iam, route53, s3, secrets_manager
from curtainup.rehearsal.aws.beanstalk import kinds
from curtainup.rehearsal.aws.common import ACCOUNT, USER_ARN, region_of
from curtainup.rehearsal.kind import Cloud, Function, Kind, Properties


def _caller(cloud: Cloud, arguments: Properties) -> Mapping[str, Any]:  # noqa: ARG001
    return {"accountId": ACCOUNT, "arn": USER_ARN, "id": ACCOUNT, "userId": "AIDAREHEARSAL0000000"}


def _region(cloud: Cloud, arguments: Properties) -> Mapping[str, Any]:
    name = region_of(cloud, arguments)
    return {
        "description": name,
        "endpoint": f"ec2.{name}.amazonaws.com",
        "id": name,
        "name": name,
        "region": name,
    }


def _partition(cloud: Cloud, arguments: Properties) -> Mapping[str, Any]:  # noqa: ARG001
    return {
        "dnsSuffix": "amazonaws.com",
        "id": "aws",
        "partition": "aws",
        "reverseDnsPrefix": "com.amazonaws",
    }


KINDS: tuple[type[Kind], ...] = (
    *kinds.KINDS,
    *ecr.KINDS,
    *iam.KINDS,
    *route53.KINDS,
    *s3.KINDS,
    *secrets_manager.KINDS,
)

FUNCTIONS: Mapping[str, Function] = {
    **kinds.FUNCTIONS,
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getRegion:getRegion": _region,
}
