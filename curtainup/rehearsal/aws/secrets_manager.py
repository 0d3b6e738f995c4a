"""The stand-ins of Secrets Manager and of Systems Manager's Parameter Store."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from curtainup.rehearsal.aws.common import AwsError, arn, region_of, tags_of
from curtainup.rehearsal.aws.stored import Stored, records
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Properties


def value(home: Home, resource: str) -> str | None:
    """Return the value of a secret or parameter, by ARN, or None if it does not exist."""
    for parameter in records(home, Parameter.token).values():
        if parameter["arn"] == resource:
            return str(parameter["value"])
    held = [one for one in records(home, SecretVersion.token).values() if one["arn"] == resource]
    return str(max(held, key=lambda one: one["order"])["secretString"]) if held else None


class Secret(Stored):
    """`aws:secretsmanager/secret:Secret`."""

    token = "aws:secretsmanager/secret:Secret"  # noqa: S105
    service = "Secrets Manager"
    noun = "Secrets Manager Secret"
    operation = "CreateSecret"
    named_by = "name"
    replaced_by = frozenset({"name", "namePrefix", "region"})
    computed = ("arn", "tagsAll", "policy", "replicas")

    def identify(self, inputs: Properties) -> str:
        """Return a new ARN, which ends with six more characters than the name."""
        return arn("secretsmanager", region_of(self.cloud, inputs), f"secret:{inputs['name']}-{_end()}")

    def refuse(self, inputs: Properties) -> None:
        """Refuse a name that is invalid or taken."""
        if not re.fullmatch(r"[\w/+=.@-]{1,512}", inputs["name"]):
            message = (
                "Invalid name. Must be a valid name containing alphanumeric characters, or any of the "
                "following: -/_+=.@!"
            )
            raise AwsError("ValidationException", message)

    def facts(self, id: str, inputs: Properties) -> Mapping[str, Any]:  # noqa: A002
        """Return its ARN."""
        return {"arn": id, "tagsAll": tags_of(self.cloud, inputs), "policy": "", "replicas": []}


class SecretVersion(Stored):
    """`aws:secretsmanager/secretVersion:SecretVersion`."""

    token = "aws:secretsmanager/secretVersion:SecretVersion"  # noqa: S105
    service = "Secrets Manager"
    noun = "Secrets Manager Secret Version"
    operation = "PutSecretValue"
    replaced_by = frozenset({"secretId", "secretString", "secretBinary", "region"})
    computed = ("arn", "versionId", "versionStages")

    def identify(self, inputs: Properties) -> str:
        """Return the secret's ARN and the version's id."""
        return f"{inputs['secretId']}|{uuid.uuid4()}"

    def refuse(self, inputs: Properties) -> None:
        """Refuse a secret that does not exist."""
        if _secret(self.cloud.home, inputs["secretId"]) is None:
            raise AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")

    def facts(self, id: str, inputs: Properties) -> Mapping[str, Any]:  # noqa: A002
        """Return the secret's ARN, the version's id, and the version's place in the order of versions."""
        found = _secret(self.cloud.home, inputs["secretId"])
        known = {"arn": found, "versionId": id.rpartition("|")[2], "versionStages": ["AWSCURRENT"]}
        return {**known, "order": len(records(self.cloud.home, self.token))}


class Parameter(Stored):
    """`aws:ssm/parameter:Parameter`."""

    token = "aws:ssm/parameter:Parameter"  # noqa: S105
    service = "SSM"
    noun = "SSM Parameter"
    operation = "PutParameter"
    named_by = "name"
    replaced_by = frozenset({"name", "region"})
    taken = (
        "ParameterAlreadyExists",
        (
            "The parameter already exists. To overwrite this value, set the overwrite option in the request "
            "to true."
        ),
    )
    computed = ("arn", "version", "tagsAll", "insecureValue", "tier", "dataType")
    changing = ("version",)

    def refuse(self, inputs: Properties) -> None:
        """Refuse an unknown type."""
        if inputs["type"] not in ("String", "StringList", "SecureString"):
            raise AwsError("ValidationException", f"{inputs['type']} is not a valid parameter type.")

    def facts(self, id: str, inputs: Properties) -> Mapping[str, Any]:  # noqa: A002
        """Return its ARN."""
        resource = arn("ssm", region_of(self.cloud, inputs), f"parameter/{id.lstrip('/')}")
        return {"arn": resource, "version": 1, "tagsAll": tags_of(self.cloud, inputs), "tier": "Standard"}


def _secret(home: Home, named: str) -> str | None:
    known = records(home, Secret.token)
    return next((one for one, record in known.items() if named in (one, record["name"])), None)


def _end() -> str:
    return uuid.uuid4().hex[:6]


KINDS = (Secret, SecretVersion, Parameter)
