"""ECR's stand-in: repositories of the rehearsal's own registry."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from curtainup.rehearsal.aws.common import ACCOUNT, AwsError, arn, region_of, tags_of
from curtainup.rehearsal.aws.stored import Stored, records
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Found, Properties
from curtainup.rehearsal.registry import address

_NAME = re.compile(r"(?=.{2,256}$)(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")


def authorization(home: Home) -> dict[str, Any]:
    """Return the answer of GetAuthorizationToken; the registry needs no login and accepts any."""
    expires = datetime.now(UTC) + timedelta(hours=12)
    one = {
        "authorizationToken": base64.b64encode(b"AWS:rehearsal").decode(),
        "expiresAt": expires.timestamp(),
        "proxyEndpoint": f"http://{address(home)}",
    }
    return {"authorizationData": [one]}


class Repository(Stored):
    """`aws:ecr/repository:Repository`."""

    token = "aws:ecr/repository:Repository"  # noqa: S105
    service = "ECR"
    noun = "ECR Repository"
    operation = "CreateRepository"
    named_by = "name"
    replaced_by = frozenset({"name", "encryptionConfigurations", "region"})
    computed = ("arn", "registryId", "repositoryUrl", "tagsAll")
    taken = (
        "RepositoryAlreadyExistsException",
        f"The repository with name '{{name}}' already exists in the registry with id '{ACCOUNT}'",
    )

    def refuse(self, inputs: Properties) -> None:
        """Refuse an invalid name."""
        if not _NAME.fullmatch(inputs["name"]):
            raise AwsError(
                "InvalidParameterException",
                "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular "
                "expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''",
            )

    def facts(self, id: str, inputs: Properties) -> Mapping[str, Any]:  # noqa: A002
        """Return the URL that images are pushed to."""
        return {
            "arn": arn("ecr", region_of(self.cloud, inputs), f"repository/{id}"),
            "registryId": ACCOUNT,
            "repositoryUrl": f"{address(self.cloud.home)}/{id}",
            "tagsAll": tags_of(self.cloud, inputs),
        }

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Start the registry, and return the repository, or None if it is gone."""
        found = super().read(id, outputs)
        if found:
            address(self.cloud.home)
        return found


class LifecyclePolicy(Stored):
    """`aws:ecr/lifecyclePolicy:LifecyclePolicy`."""

    token = "aws:ecr/lifecyclePolicy:LifecyclePolicy"  # noqa: S105
    service = "ECR"
    noun = "ECR Lifecycle Policy"
    operation = "PutLifecyclePolicy"
    replaced_by = frozenset({"repository", "policy", "region"})
    computed = ("registryId",)

    def identify(self, inputs: Properties) -> str:
        """Return the repository."""
        return str(inputs["repository"])

    def refuse(self, inputs: Properties) -> None:
        """Refuse a repository that does not exist, and a policy without rules."""
        if inputs["repository"] not in records(self.cloud.home, Repository.token):
            raise AwsError(
                "RepositoryNotFoundException",
                f"The repository with name '{inputs['repository']}' does not exist in the registry with id "
                f"'{ACCOUNT}'",
            )
        policy = inputs["policy"]
        document = json.loads(policy) if isinstance(policy, str) else policy
        if not document.get("rules"):
            message = (
                "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy "
            )
            raise AwsError(
                "InvalidParameterException", f"{message}validation failure: rules must not be empty'"
            )

    def facts(self, id: str, inputs: Properties) -> Mapping[str, Any]:  # noqa: A002, ARG002
        """Return the account."""
        return {"registryId": ACCOUNT}


KINDS = (Repository, LifecyclePolicy)
