"""What an AWS account still has of a service; only reading calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from curtainup.platforms import amazon

Client = Callable[[str], Any]
"""Gives boto3's client of a service of AWS."""


@dataclass(frozen=True)
class Listed:
    """A list that AWS gives.

    Attributes:
        api: boto3's name of the service.
        operation: that lists.
        items: the key of the items in an answer.
        name: the key of an item's name.
        words: what an item is.
        state: the key of its state; an item without it is there.
        gone: the states of what is no longer there or billed; None: any state.
        asked: parameters of the operation.

    """

    api: str
    operation: str
    items: str
    name: str
    words: str
    state: str = ""
    gone: frozenset[str] | None = frozenset()
    asked: dict[str, str] = field(default_factory=dict)

    def is_there(self, item: dict[str, Any]) -> bool:
        """Return whether an item still is something."""
        if self.state not in item:
            return True
        return self.gone is not None and item[self.state] not in self.gone


LISTS = (
    Listed(
        "elasticbeanstalk",
        "describe_environments",
        "Environments",
        "EnvironmentName",
        "Beanstalk environment {}, billed by its machines and load balancer",
        "Status",
        frozenset({"Terminated"}),
    ),
    Listed(
        "elasticbeanstalk",
        "describe_applications",
        "Applications",
        "ApplicationName",
        "Beanstalk application {}",
    ),
    Listed(
        "ecr",
        "describe_repositories",
        "repositories",
        "repositoryName",
        "ECR repository {}, billed by its images",
    ),
    Listed("s3", "list_buckets", "Buckets", "Name", "S3 bucket {}, billed by what it holds"),
    Listed("secretsmanager", "list_secrets", "SecretList", "Name", "secret {}, billed", "DeletedDate", None),
    Listed("iam", "list_roles", "Roles", "RoleName", "role {}", asked={"PathPrefix": "/curtainup/"}),
)


def left(service: str, client: Client) -> list[str]:
    """Return what there is whose name begins with the service's, in words.

    Args:
        service: its name.
        client: of the region.

    Raises:
        SetupError: AWS cannot be reached, or refuses a question.

    """
    with amazon.said_clearly("what is left"):
        return sorted([*_listed(service, client), *_machines(service, client("ec2"))])


def _listed(service: str, client: Client) -> Iterator[str]:
    for one in LISTS:
        for item in _items(client(one.api), one):
            name = str(item[one.name])
            if name.startswith(service) and one.is_there(item):
                yield one.words.format(name)


def _items(client: Any, one: Listed) -> Iterator[dict[str, Any]]:
    if client.can_paginate(one.operation):
        pages = client.get_paginator(one.operation).paginate(**one.asked)
    else:
        pages = [getattr(client, one.operation)(**one.asked)]
    for page in pages:
        yield from page[one.items]


def _machines(service: str, client: Any) -> Iterator[str]:
    """Give the machines that Beanstalk has marked with an environment of the service."""
    asked = [{"Name": "tag:elasticbeanstalk:environment-name", "Values": [f"{service}*"]}]
    for page in client.get_paginator("describe_instances").paginate(Filters=asked):
        for reservation in page["Reservations"]:
            for one in reservation["Instances"]:
                if one["State"]["Name"] not in {"terminated", "shutting-down"}:
                    yield f"machine {one['InstanceId']}, billed"
