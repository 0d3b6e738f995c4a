"""IAM's stand-in: roles, their policies and instance profiles, which decide what machines may do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from curtainup.rehearsal.aws.common import AwsError, arn, tags_of
from curtainup.rehearsal.aws.stored import Stored, records
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Properties

_NAME = re.compile(r"[\w+=,.@-]{1,64}")
MANAGED: Mapping[str, tuple[str, ...]] = {
    "AmazonEC2ContainerRegistryReadOnly": ("ecr:*",),
    "AmazonEC2ContainerRegistryPullOnly": ("ecr:*",),
    "AmazonSSMReadOnlyAccess": ("ssm:Get*", "ssm:Describe*"),
    "SecretsManagerReadWrite": ("secretsmanager:*",),
    "AWSElasticBeanstalkWebTier": ("s3:*", "logs:*", "elasticbeanstalk:PutInstanceStatistics"),
    "AWSElasticBeanstalkMulticontainerDocker": ("ecs:*",),
    "service-role/AWSElasticBeanstalkEnhancedHealth": ("elasticloadbalancing:*", "autoscaling:*"),
    "AWSElasticBeanstalkManagedUpdatesCustomerRolePolicy": ("elasticbeanstalk:*",),
    "AdministratorAccess": ("*",),
}
"""The actions that the managed policies of a Beanstalk environment allow, on every resource."""


def has_instance_profile(home: Home, named: str) -> bool:
    """Return whether an instance profile of that name or ARN exists."""
    return _find(home, InstanceProfile.token, named) is not None


def has_role(home: Home, named: str) -> bool:
    """Return whether a role of that name or ARN exists."""
    return _find(home, Role.token, named) is not None


def allows(home: Home, profile: str, action: str, resource: str) -> bool:
    """Return whether machines with that instance profile, by name or ARN, may do something."""
    found = _find(home, InstanceProfile.token, profile)
    role = found.get("role") if found else None
    return role is not None and any(
        _matches(statement, action, resource) for statement in _statements(home, str(role))
    )


def _find(home: Home, token: str, named: str) -> dict[str, Any] | None:
    for name, record in records(home, token).items():
        if named in (name, record["arn"]):
            return dict(record)
    return None


def _statements(home: Home, role: str) -> Iterator[Mapping[str, Any]]:
    for policy in records(home, RolePolicy.token).values():
        if policy["role"] == role:
            found = json.loads(policy["policy"])["Statement"]
            yield from found if isinstance(found, list) else [found]
    for attached in records(home, RolePolicyAttachment.token).values():
        if attached["role"] == role:
            name = attached["policyArn"].partition(":policy/")[2]
            yield {"Effect": "Allow", "Action": list(MANAGED[name]), "Resource": "*"}


def _matches(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    return (
        statement["Effect"] == "Allow"
        and any(fnmatchcase(action.lower(), one.lower()) for one in _list(statement.get("Action")))
        and any(fnmatchcase(resource, one) for one in _list(statement.get("Resource")))
    )


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _require_document(text: str) -> None:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not document.get("Statement"):
        raise AwsError("MalformedPolicyDocument", "Syntax errors in policy.")


class _Named(Stored):
    """A resource with a name and a path.

    Attributes:
        resource: its type in its ARN.
        unique_id: as IAM makes them, by kind (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).

    """

    service = "IAM"
    named_by = "name"
    replaced_by = frozenset({"name", "namePrefix", "path"})
    computed = ("arn", "createDate", "uniqueId", "tagsAll")
    resource: ClassVar[str]
    unique_id: ClassVar[str]

    def refuse(self, inputs: Properties) -> None:
        """Refuse an invalid name."""
        if not _NAME.fullmatch(inputs["name"]):
            raise AwsError(
                "ValidationError",
                "The specified value for roleName is invalid. It must contain only alphanumeric characters "
                "and/or the following: +=,.@_-",
            )

    def facts(self, id: str, inputs: Properties) -> Mapping[str, Any]:  # noqa: A002
        """Return its ARN."""
        path = inputs.get("path") or "/"
        return {
            "arn": arn("iam", "", f"{self.resource}{path}{id}"),
            "createDate": "2026-01-01T00:00:00Z",
            "uniqueId": self.unique_id,
            "tagsAll": tags_of(self.cloud, inputs),
        }


class Role(_Named):
    """`aws:iam/role:Role`."""

    token = "aws:iam/role:Role"  # noqa: S105
    noun = "IAM Role"
    operation = "CreateRole"
    taken = ("EntityAlreadyExists", "Role with name {name} already exists.")
    resource = "role"
    unique_id = "AROAREHEARSAL0000000"

    def refuse(self, inputs: Properties) -> None:
        """Refuse an invalid trust policy."""
        super().refuse(inputs)
        _require_document(inputs["assumeRolePolicy"])


class InstanceProfile(_Named):
    """`aws:iam/instanceProfile:InstanceProfile`."""

    token = "aws:iam/instanceProfile:InstanceProfile"  # noqa: S105
    noun = "IAM Instance Profile"
    operation = "CreateInstanceProfile"
    taken = ("EntityAlreadyExists", "Instance Profile {name} already exists.")
    resource = "instance-profile"
    unique_id = "AIPAREHEARSAL0000000"

    def refuse(self, inputs: Properties) -> None:
        """Refuse a role that does not exist."""
        super().refuse(inputs)
        if inputs.get("role"):
            _require_role(self, inputs["role"])


class RolePolicy(Stored):
    """`aws:iam/rolePolicy:RolePolicy`."""

    token = "aws:iam/rolePolicy:RolePolicy"  # noqa: S105
    service = "IAM"
    noun = "IAM Role Policy"
    operation = "PutRolePolicy"
    named_by = "name"
    replaced_by = frozenset({"name", "namePrefix", "role"})

    def identify(self, inputs: Properties) -> str:
        """Return role and name."""
        return f"{inputs['role']}:{inputs['name']}"

    def refuse(self, inputs: Properties) -> None:
        """Refuse a role that does not exist, and an invalid policy."""
        _require_role(self, inputs["role"])
        _require_document(inputs["policy"])


class RolePolicyAttachment(Stored):
    """`aws:iam/rolePolicyAttachment:RolePolicyAttachment`."""

    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"  # noqa: S105
    service = "IAM"
    noun = "IAM Role Policy Attachment"
    operation = "AttachRolePolicy"
    replaced_by = frozenset({"policyArn", "role"})

    def identify(self, inputs: Properties) -> str:
        """Return role and policy."""
        return f"{inputs['role']}/{inputs['policyArn']}"

    def refuse(self, inputs: Properties) -> None:
        """Refuse a role or a policy that does not exist."""
        _require_role(self, inputs["role"])
        policy = inputs["policyArn"]
        if (
            not policy.startswith("arn:aws:iam::aws:policy/")
            or policy.partition(":policy/")[2] not in MANAGED
        ):
            raise AwsError("NoSuchEntity", f"Policy {policy} does not exist or is not attachable.", 404)


def _require_role(kind: Stored, name: str) -> None:
    if name not in records(kind.cloud.home, Role.token):
        raise AwsError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)


KINDS = (Role, InstanceProfile, RolePolicy, RolePolicyAttachment)
