"""The common parts of the stand-ins of AWS services: the account, regions, ARNs and error texts."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from curtainup.config.regions.aws import BEANSTALK_REGIONS
from curtainup.rehearsal.kind import Cloud, CloudError, Properties

ACCOUNT = "123456789012"
USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/rehearsal"
KEY_PAIRS = frozenset({"aws-eb", "rehearsal"})
REGIONS = frozenset(BEANSTALK_REGIONS)


class AwsError(Exception):
    """A service refuses.

    Args:
        code: the service's error code, such as `InvalidParameterValue`.
        message: the service's message.
        status: the HTTP status of the answer.

    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class NoAnswer(Exception):
    """A call was made real, and its answer never comes."""


@contextmanager
def told(doing: str, service: str, operation: str) -> Iterator[None]:
    """Turn a service's refusal into the words of the real provider, which uses AWS's SDK for Go.

    Args:
        doing: the beginning of the provider's message, such as `creating S3 Bucket (name)`.
        service: the SDK's name of the service, such as `S3`.
        operation: the operation, such as `CreateBucket`.

    """
    try:
        yield
    except AwsError as error:
        raise CloudError(
            f"{doing}: operation error {service}: {operation}, https response error StatusCode: "
            f"{error.status}, RequestID: {uuid.uuid4()}, api error {error.code}: {error.message}"
        ) from error


def region_of(cloud: Cloud, inputs: Properties) -> str:
    """Return the region of a resource: its own, the provider's, or that of this process.

    Raises:
        CloudError: no region is set, or it does not exist.

    """
    named = (
        inputs.get("region")
        or cloud.config.get("region")
        or os.environ.get("AWS_REGION")
        or os.environ.get("AWS_DEFAULT_REGION")
    )
    if not named:
        raise CloudError("invalid AWS Region: ")
    if named not in REGIONS:
        raise CloudError(f"invalid AWS Region: {named}")
    return str(named)


def arn(service: str, region: str, resource: str) -> str:
    """Return a resource's ARN; the ARNs of some services have no region."""
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


def tags_of(cloud: Cloud, inputs: Properties) -> dict[str, str]:
    """Return a resource's tags, including the provider's default tags."""
    given = cloud.config.get("defaultTags") or {}
    default = json.loads(given) if isinstance(given, str) else given
    return {**(default.get("tags") or {}), **(inputs.get("tags") or {})}
