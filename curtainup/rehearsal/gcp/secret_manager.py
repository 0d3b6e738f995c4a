"""Stand-in of Secret Manager. It keeps values in the rehearsal's folder, readable only by its owner."""

from __future__ import annotations

import re

from curtainup.engine.provider.protocol import UNKNOWN
from curtainup.rehearsal.gcp.common import (
    REGIONS,
    Binding,
    Document,
    GoogleKind,
    conflict,
    enforced_from,
    now,
    number,
)
from curtainup.rehearsal.kind import CloudError, Failure, Found, Made, Properties

API = "secretmanager.googleapis.com"
ACCESSORS = frozenset({"roles/secretmanager.secretAccessor", "roles/secretmanager.admin", "roles/owner"})
LARGEST = 65536
"""Bytes of one version's value. Source: https://cloud.google.com/secret-manager/quotas"""

_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_SECRET = re.compile(r"projects/([^/]+)/secrets/([^/]+)")


class Secret(GoogleKind):
    """A secret: a name for versions."""

    token = "gcp:secretmanager/secret:Secret"  # noqa: S105
    api = API
    replaced_by = frozenset({"secretId", "project", "replication"})
    computed = ("createTime", "name")

    def check(self, inputs: Properties) -> list[Failure]:
        """Refuse ids and replications that Secret Manager does not support."""
        found = []
        if inputs["secretId"] != UNKNOWN and not _ID.fullmatch(inputs["secretId"]):
            found.append(
                Failure(
                    "secretId", f"Resource id [{inputs['secretId']}] does not match [[a-zA-Z_0-9-]{{1,255}}]"
                )
            )
        replication = inputs["replication"]
        if replication != UNKNOWN and len([one for one in replication.values() if one is not None]) != 1:
            found.append(
                Failure(
                    "replication",
                    "exactly one of `replication.auto,replication.user_managed` must be specified",
                )
            )
        managed = (replication.get("userManaged") or {}) if replication != UNKNOWN else {}
        for index, replica in enumerate(managed.get("replicas", [])):
            if replica["location"] not in REGIONS | {UNKNOWN}:
                path = f"replication.userManaged.replicas[{index}].location"
                found.append(Failure(path, f"'{replica['location']}' is not a valid location"))
        return found

    def create(self, inputs: Properties) -> Made:
        """Create the secret, without a version."""
        project, secret = self.project(inputs), inputs["secretId"]
        self.throttled(secret)
        with self.opened(project) as part:
            secrets = part.setdefault("secrets", {})
            if secret in secrets:
                raise conflict(f"Secret [projects/{number(project)}/secrets/{secret}] already exists.")
            secrets[secret] = {"versions": {}, "next": 1}
        id_ = f"projects/{project}/secrets/{secret}"
        name = f"projects/{number(project)}/secrets/{secret}"
        return Made(id_, {"createTime": now(), "name": name, "project": project})

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Change the labels."""
        return {name: outputs[name] for name in (*self.computed, "project")}

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002, ARG002
        """Return the resource, or None if it is gone."""
        with self.opened(outputs["project"]) as part:
            return Found() if outputs["secretId"] in part.get("secrets", {}) else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Remove the secret with its versions."""
        if outputs.get("deletionProtection"):
            raise CloudError(
                "cannot destroy secret without setting deletion_protection=false and running `pulumi up`"
            )
        with self.opened(outputs["project"]) as part:
            part.get("secrets", {}).pop(outputs["secretId"], None)
            part.get("policies", {}).pop(id, None)


class SecretVersion(GoogleKind):
    """One value of a secret, which never changes."""

    token = "gcp:secretmanager/secretVersion:SecretVersion"  # noqa: S105
    api = API
    replaced_by = frozenset(
        {"secret", "secretData", "isSecretDataBase64", "secretDataWo", "secretDataWoVersion"}
    )
    computed = ("createTime", "destroyTime", "name", "version")

    def create(self, inputs: Properties) -> Made:
        """Add the value."""
        found = _SECRET.fullmatch(inputs["secret"])
        if not found:
            raise CloudError(
                f"googleapi: Error 400: Invalid resource field value in the request: {inputs['secret']}"
            )
        project, value = found[1], inputs.get("secretData") or ""
        if not value:
            raise CloudError(
                "Error creating SecretVersion: googleapi: Error 400: Field [payload] is required."
            )
        if len(value.encode()) > LARGEST:
            raise CloudError(
                f"googleapi: Error 400: Secret Payload exceeds the limit of {LARGEST} bytes., badRequest"
            )
        with self.opened(project) as part:
            secret = part.get("secrets", {}).get(found[2])
            if secret is None:
                raise CloudError(f"googleapi: Error 404: Secret [{inputs['secret']}] not found., notFound")
            version = str(secret["next"])
            secret["next"] += 1
            secret["versions"][version] = value if inputs.get("enabled", True) else None
        name = f"projects/{number(project)}/secrets/{found[2]}/versions/{version}"
        return Made(
            name, {"createTime": now(), "destroyTime": "", "name": name, "version": version, "enabled": True}
        )

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Change what happens when the resource is deleted."""
        return {name: outputs[name] for name in self.computed}

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002, ARG002
        """Return the resource, or None if it is gone."""
        found = _SECRET.fullmatch(outputs["secret"])
        if not found:
            return None
        with self.opened(found[1]) as part:
            secret = part.get("secrets", {}).get(found[2], {"versions": {}})
            return Found() if outputs["version"] in secret["versions"] else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002, ARG002
        """Destroy the value."""
        found = _SECRET.fullmatch(outputs["secret"])
        if not found or outputs.get("deletionPolicy") == "ABANDON":
            return
        with self.opened(found[1]) as part:
            part.get("secrets", {}).get(found[2], {"versions": {}})["versions"].pop(outputs["version"], None)


class SecretIamMember(Binding):
    """A role that is granted on one secret."""

    token = "gcp:secretmanager/secretIamMember:SecretIamMember"  # noqa: S105
    api = API
    replaced_by = frozenset({"secretId", "project", "role", "member", "condition"})

    def resource(self, inputs: Properties, project: str) -> str:
        """Return the secret's name."""
        return f"projects/{project}/secrets/{inputs['secretId'].rpartition('/')[2]}"

    def exists(self, part: Document, resource: str) -> bool:
        """Return whether the secret exists."""
        return resource.rpartition("/")[2] in part.get("secrets", {})


def value_of(part: Document, secret: str, version: str) -> str | None:
    """Return a version's value, or None if the version does not exist.

    Args:
        part: the project's part of the state.
        secret: the secret's id, alone or with its project.
        version: a number, or `latest`.

    """
    versions = part.get("secrets", {}).get(secret.rpartition("/")[2], {}).get("versions", {})
    wanted = max(versions, key=int, default="") if version == "latest" else version
    value: str | None = versions.get(wanted)
    return value


def may_read(part: Document, project: str, secret: str, email: str, now: float) -> bool:
    """Whether a service account may read a secret's values now, by a role on the secret or on the project."""
    member = f"serviceAccount:{email}"
    places = (f"projects/{project}/secrets/{secret.rpartition('/')[2]}", f"projects/{project}")
    enforced = (enforced_from(part, place, role, member) for place in places for role in ACCESSORS)
    return any(since is not None and since <= now for since in enforced)
