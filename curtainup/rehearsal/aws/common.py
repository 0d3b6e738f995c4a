"""What the stand-ins of AWS services have in common: the account, regions, ARNs and how errors read."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from curtainup.config.aws_regions import BEANSTALK_REGIONS
from curtainup.rehearsal.kind import Cloud, CloudError, Properties

ACCOUNT = "123456789012"
USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/rehearsal"
KEY_PAIRS = frozenset({"aws-eb", "rehearsal"})
REGIONS = frozenset(BEANSTALK_REGIONS)


class AwsError(Exception):
    """A service refuses.

    Args:
        code: the service's own, such as `InvalidParameterValue`.
        message: the service's own.
        status: HTTP status of the answer.

    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@contextmanager
def told(doing: str, service: str, operation: str) -> Iterator[None]:
    """Turn what a service refuses into the words of the real provider, which calls it with AWS's SDK for Go.

    Args:
        doing: as the provider begins, such as `creating S3 Bucket (name)`.
        service: as the SDK names it, such as `S3`.
        operation: such as `CreateBucket`.

    """
    try:
        yield
    except AwsError as error:
        raise CloudError(
            f"{doing}: operation error {service}: {operation}, https response error StatusCode: "
            f"{error.status}, RequestID: {uuid.uuid4()}, api error {error.code}: {error.message}"
        ) from error


def region_of(cloud: Cloud, inputs: Properties) -> str:
    """Return the region that a resource is in: its own, the provider's, else that of this process.

    Raises:
        CloudError: there is none, or no such region.

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
    """Return a resource's ARN; some services' have no region."""
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


def tags_of(cloud: Cloud, inputs: Properties) -> dict[str, str]:
    """Return a resource's tags, the provider's default ones included."""
    given = cloud.config.get("defaultTags") or {}
    default = json.loads(given) if isinstance(given, str) else given
    return {**(default.get("tags") or {}), **(inputs.get("tags") or {})}
