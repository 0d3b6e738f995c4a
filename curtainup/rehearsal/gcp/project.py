"""Stand-ins of the parts of a Google Cloud project: enabled APIs, service accounts and granted roles."""

from __future__ import annotations

import hashlib
import re

from curtainup.engine.provider.protocol import UNKNOWN
from curtainup.rehearsal.gcp.common import Binding, Document, GoogleKind, conflict, number
from curtainup.rehearsal.kind import Failure, Found, Made, Properties

_ACCOUNT = re.compile(r"[a-z]([-a-z0-9]{4,28}[a-z0-9])")
_API = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.googleapis\.com")


class Service(GoogleKind):
    """An API that is enabled in a project."""

    token = "gcp:projects/service:Service"  # noqa: S105
    replaced_by = frozenset({"project", "service"})

    def check(self, inputs: Properties) -> list[Failure]:
        """Refuse an invalid name of an API."""
        service = inputs["service"]
        if service == UNKNOWN or _API.fullmatch(service):
            return []
        return [Failure("service", f"{service!r} is not the name of a service")]

    def create(self, inputs: Properties) -> Made:
        """Enable the API; it may already be enabled."""
        project = self.project(inputs)
        with self.opened(project) as part:
            apis = part.setdefault("apis", [])
            if inputs["service"] not in apis:
                apis.append(inputs["service"])
                if self.cloud.faults.asked_for("slow-api"):
                    part.setdefault("apisSince", {})[inputs["service"]] = self.cloud.faults.clock.now()
        return Made(f"{project}/{inputs['service']}", {"project": project})

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Change what happens when the resource is deleted."""
        return {"project": outputs["project"]}

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002, ARG002
        """Return the API, or None if it is no longer enabled."""
        with self.opened(outputs["project"]) as part:
            return Found() if outputs["service"] in part.get("apis", []) else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002, ARG002
        """Disable the API, if the inputs ask for it."""
        if not outputs.get("disableOnDestroy", False):
            return
        with self.opened(outputs["project"]) as part:
            part["apis"] = [api for api in part.get("apis", []) if api != outputs["service"]]


class Account(GoogleKind):
    """A service account."""

    token = "gcp:serviceaccount/account:Account"  # noqa: S105
    api = "iam.googleapis.com"
    replaced_by = frozenset({"accountId", "project"})
    computed = ("email", "member", "name", "uniqueId")

    def check(self, inputs: Properties) -> list[Failure]:
        """Refuse an invalid id."""
        account = inputs["accountId"]
        if account == UNKNOWN or _ACCOUNT.fullmatch(account):
            return []
        reason = f'"account_id" ("{account}") doesn\'t match regexp "^[a-z](?:[-a-z0-9]{{4,28}}[a-z0-9])$"'
        return [Failure("accountId", reason)]

    def create(self, inputs: Properties) -> Made:
        """Create the resource."""
        project = self.project(inputs)
        email = f"{inputs['accountId']}@{project}.iam.gserviceaccount.com"
        name = f"projects/{project}/serviceAccounts/{email}"
        with self.opened(project) as part:
            if email in part.get("accounts", {}) and not inputs.get("createIgnoreAlreadyExists"):
                raise conflict(
                    f"Service account {inputs['accountId']} already exists within project projects/{project}."
                )
            part.setdefault("accounts", {})[email] = {}
        unique = str(10**20 + int(hashlib.sha256(email.encode()).hexdigest()[:15], 16))
        return Made(
            name,
            {
                "email": email,
                "member": f"serviceAccount:{email}",
                "name": name,
                "project": project,
                "uniqueId": unique,
            },
        )

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Change the display name or description."""
        return {name: outputs[name] for name in (*self.computed, "project")}

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002, ARG002
        """Return the resource, or None if it is gone."""
        with self.opened(outputs["project"]) as part:
            return Found() if outputs["email"] in part.get("accounts", {}) else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002, ARG002
        """Remove the account, and the roles that it was granted."""
        with self.opened(outputs["project"]) as part:
            part.get("accounts", {}).pop(outputs["email"], None)


class Member(Binding):
    """A role that is granted on the whole project."""

    token = "gcp:projects/iAMMember:IAMMember"  # noqa: S105
    api = "cloudresourcemanager.googleapis.com"
    replaced_by = frozenset({"project", "role", "member", "condition"})

    def resource(self, inputs: Properties, project: str) -> str:  # noqa: ARG002
        """Return the project's name."""
        return f"projects/{project}"

    def exists(self, part: Document, resource: str) -> bool:  # noqa: ARG002
        """Return True, because a rehearsal's projects always exist."""
        return True


def project_facts(project: str) -> Document:
    """Return the result of `getProject`."""
    return {"id": f"projects/{project}", "projectId": project, "name": project, "number": number(project)}
