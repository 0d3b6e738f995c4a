"""The common parts of the stand-ins of Google's services: projects, APIs, regions, bindings and refusals."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

from curtainup.config.regions.gcp import CLOUD_RUN_REGIONS
from curtainup.engine.provider.protocol import UNKNOWN
from curtainup.rehearsal.kind import CloudError, Failure, Found, Kind, Made, Properties

REGIONS = frozenset(CLOUD_RUN_REGIONS)

STATE = "gcp"
GRANT_MINUTES = 2.0
SLOW_GRANT_MINUTES = 7.0
"""After how many minutes a grant is enforced: typically 2, potentially 7 or longer.

Source: https://cloud.google.com/iam/docs/access-change-propagation
"""
SLOW_API_MINUTES = 5.0
"""After how many minutes an API that was enabled answers, if it is slow.

In Google Cloud the API may refuse although enabling it has ended: "service activation is not guaranteed by
the time the google_project_service resource is done". Source: terraform-provider-google,
website/docs/guides/google_project_service.html.markdown
"""
RETRY_SECONDS = 0.3
"""How long the provider waits before it tries again what was one call too many."""

_PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_MEMBER = re.compile(r"allUsers|allAuthenticatedUsers|(user|serviceAccount|group|domain|principal\w*):.+")

_TITLES: Mapping[str, str] = {
    "run.googleapis.com": "Cloud Run Admin API",
    "cloudscheduler.googleapis.com": "Cloud Scheduler API",
    "iam.googleapis.com": "Identity and Access Management (IAM) API",
    "secretmanager.googleapis.com": "Secret Manager API",
    "artifactregistry.googleapis.com": "Artifact Registry API",
    "cloudresourcemanager.googleapis.com": "Cloud Resource Manager API",
}

Document = dict[str, Any]


class GoogleKind(Kind):
    """A resource type of a Google service.

    Attributes:
        api: the API that must be enabled in the project; empty if it needs none.
        location: the input that names the region; empty if it has none.

    """

    api: ClassVar[str] = ""
    location: ClassVar[str] = ""

    def project(self, inputs: Properties) -> str:
        """Return the project of a resource: its own, or the provider's.

        Raises:
            CloudError: no project is set, or its name is invalid.

        """
        project = inputs.get("project") or self.cloud.config.get("project")
        if not project:
            raise CloudError("project: required field is not set")
        if not _PROJECT.fullmatch(project):
            raise CloudError(
                f"googleapi: Error 403: Permission denied on resource project {project}., forbidden"
            )
        return str(project)

    @contextmanager
    def opened(self, project: str, *, enabled: bool = True) -> Iterator[Document]:
        """Yield the project's part of the state, to read and change.

        Raises:
            CloudError: the API of this kind is not enabled in the project.

        """
        with self.cloud.home.cloud(STATE) as state:
            part: Document = state.setdefault("projects", {}).setdefault(project, {})
            if enabled and self.api and not self._answers(part):
                raise CloudError(disabled(self.api, project))
            yield part

    def _answers(self, part: Document) -> bool:
        since, clock = part.get("apisSince", {}).get(self.api, 0), self.cloud.faults.clock
        slow = clock.seconds(SLOW_API_MINUTES) if self.cloud.faults.asked_for("slow-api") else 0
        return self.api in part.get("apis", []) and clock.now() >= since + slow

    def throttled(self, name: str) -> None:
        """Wait while a call is one too many: the real provider tries again what is answered with 429.

        Source: `isCommonRetryableErrorCode` in terraform-provider-google, google/transport.
        """
        while self.cloud.faults.throttles(name) and not self.cloud.cancelled.wait(RETRY_SECONDS):
            pass

    def check(self, inputs: Properties) -> list[Failure]:
        """Refuse a region that Google does not have."""
        region = inputs.get(self.location) if self.location else None
        if region in {None, UNKNOWN} or region in REGIONS:
            return []
        return [Failure(self.location, f"Permission denied on 'locations/{region}' (or it may not exist)")]


class Binding(GoogleKind):
    """A member that has a role on one resource: `…IamMember`."""

    computed = ("etag",)

    def resource(self, inputs: Properties, project: str) -> str:
        """Return the full name of the resource that the role is granted on."""
        raise NotImplementedError(self.token)

    def exists(self, part: Document, resource: str) -> bool:
        """Return whether that resource exists."""
        raise NotImplementedError(self.token)

    def check(self, inputs: Properties) -> list[Failure]:
        """Refuse invalid members."""
        member = inputs["member"]
        if member == UNKNOWN or _MEMBER.fullmatch(member):
            return super().check(inputs)
        reason = (
            f'invalid value "{member}" for member (IAM members must have one of the values outlined here: '
            "https://cloud.google.com/billing/docs/reference/rest/v1/Policy#Binding)"
        )
        return [*super().check(inputs), Failure("member", reason)]

    def create(self, inputs: Properties) -> Made:
        """Grant the role."""
        project = self.project(inputs)
        resource = self.resource(inputs, project)
        self.throttled(resource)
        with self.opened(project) as part:
            if not self.exists(part, resource):
                raise CloudError(
                    f"Error retrieving IAM policy for {resource}: googleapi: Error 404: "
                    f"Resource '{resource.rpartition('/')[2]}' was not found., notFound"
                )
            self._require_account(part, inputs["member"])
            bindings = part.setdefault("policies", {}).setdefault(resource, [])
            binding = [inputs["role"], inputs["member"]]
            if binding not in bindings:
                bindings.append(binding)
                slow = self.cloud.faults.strikes("slow-grant", resource)
                minutes = SLOW_GRANT_MINUTES if slow else GRANT_MINUTES
                enforced = part.setdefault("enforced", {})
                enforced[_grant(resource, *binding)] = self.cloud.faults.clock.after(minutes)
        self.changed(resource)
        return Made(f"{resource}/{inputs['role']}/{inputs['member']}", self._outputs(project))

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002, ARG002
        """Return the binding, or None if the role is no longer granted."""
        project = self.project(outputs)
        with self.opened(project, enabled=False) as part:
            bindings = part.get("policies", {}).get(self.resource(outputs, project), [])
        there = [outputs["role"], outputs["member"]] in bindings
        return Found({}, self._outputs(project)) if there else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002, ARG002
        """Revoke the role."""
        project = self.project(outputs)
        resource = self.resource(outputs, project)
        with self.opened(project, enabled=False) as part:
            bindings = part.get("policies", {}).get(resource, [])
            binding = [outputs["role"], outputs["member"]]
            if binding in bindings:
                bindings.remove(binding)
            part.get("enforced", {}).pop(_grant(resource, *binding), None)
        self.changed(resource)

    def changed(self, resource: str) -> None:
        """Apply a changed policy."""

    def _outputs(self, project: str) -> Document:
        return {"etag": "BwYAAAAAAAA=", "project": project}

    def _require_account(self, part: Document, member: str) -> None:
        kind, _, email = member.partition(":")
        if kind == "serviceAccount" and not is_account(part, email):
            raise CloudError(f"googleapi: Error 400: Service account {email} does not exist., badRequest")


def enforced_from(part: Document, resource: str, role: str, member: str) -> float | None:
    """Return from when a grant is enforced, in seconds since 1970; None if nobody granted it.

    Args:
        part: the project's part of the state.
        resource: the full name of what the role is granted on.
        role: the role.
        member: who has it.

    """
    if [role, member] not in part.get("policies", {}).get(resource, []):
        return None
    return float(part.get("enforced", {}).get(_grant(resource, role, member), 0))


def _grant(resource: str, role: str, member: str) -> str:
    return f"{resource} {role} {member}"


def is_account(part: Document, email: str) -> bool:
    """Whether a service account exists: one of the project, or one of Google's own."""
    return email in part.get("accounts", {}) or not email.endswith(".iam.gserviceaccount.com")


def number(project: str) -> str:
    """Return the project's number."""
    return str(10**11 + int(hashlib.sha256(project.encode()).hexdigest()[:9], 16))


def now() -> str:
    """Return the time as the APIs write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def conflict(what: str) -> CloudError:
    """Return the error for a resource that already exists."""
    return CloudError(f"googleapi: Error 409: {what}, alreadyExists")


def disabled(api: str, project: str) -> str:
    """Return what is said of an API that is not enabled, or was enabled only just now."""
    title = _TITLES.get(api, api)
    return (
        f"googleapi: Error 403: {title} has not been used in project {project} before or it is disabled. "
        "Enable it by visiting "
        f"https://console.developers.google.com/apis/api/{api}/overview?project={project} then retry. "
        "If you enabled this API recently, wait a few minutes for the action to propagate to our systems "
        "and retry., accessNotConfigured"
    )
