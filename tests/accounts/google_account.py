"""A Google Cloud project with a service account, on loopback."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from curtainup.platforms.google.api import Endpoints
from curtainup.targets.cloud_run.checks import permissions
from tests.accounts.servers import Answer, Request, serving

EMAIL = "deployer@my-project.iam.gserviceaccount.com"
TOKEN = "ya29.token"
SCHEDULER = "/scheduler"
"""Where Cloud Scheduler's API is, beside the others."""


def refusal(status: int, code: str, message: str, reason: str | None = None) -> Answer:
    """Return an error as google.rpc.Status stands in JSON."""
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
    return Answer.of(
        {"error": {"code": status, "message": message, "status": code, "details": details}}, status
    )


DENIED = refusal(403, "PERMISSION_DENIED", "The caller does not have permission")
DISABLED = refusal(
    403, "PERMISSION_DENIED", "The API has not been used in project 1 before", "SERVICE_DISABLED"
)
UNKNOWN = refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")


@dataclass
class Project:
    """What the APIs say; each field may be changed.

    Attributes:
        token: answer of the token endpoint; None gives tokens.
        project: that of projects.get.
        regions: those of Cloud Run, a page each.
        scheduling: those of Cloud Scheduler, likewise.
        granted: permissions of the caller; more than the role's do no harm.
        on_accounts: permissions of the caller on each service account.
        refusals: answers in place of those, by the end of the path.
        asked: requests so far, that for tokens left out.

    """

    token: Answer | None = None
    project: dict[str, Any] = field(
        default_factory=lambda: {
            "projectId": "my-project",
            "projectNumber": "123",
            "lifecycleState": "ACTIVE",
        }
    )
    regions: list[str] = field(default_factory=lambda: ["europe-west1", "us-east1"])
    scheduling: list[str] = field(default_factory=lambda: ["europe-west1"])
    granted: set[str] = field(default_factory=lambda: set(permissions()))
    on_accounts: set[str] = field(default_factory=set)
    refusals: dict[str, Answer] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        path, _, query = request.path.partition("?")
        if path == "/token":
            return self.token or Answer.of(
                {"access_token": TOKEN, "expires_in": 3600, "id_token": _identity()}
            )
        self.asked.append(request)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return UNKNOWN
        for end, refused in self.refusals.items():
            if path.endswith(end):
                return refused
        if path.endswith(":testIamPermissions"):
            wanted = json.loads(request.body)["permissions"]
            assert len(wanted) <= 100
            granted = self.on_accounts if "/serviceAccounts/" in path else self.granted
            return Answer.of({"permissions": [one for one in wanted if one in granted]})
        if path.endswith("/locations"):
            regions = self.scheduling if path.startswith(SCHEDULER) else self.regions
            page = int(query.partition("=")[2] or 0)
            further = {"nextPageToken": str(page + 1)} if page + 1 < len(regions) else {}
            return Answer.of({"locations": [{"locationId": regions[page]}], **further})
        return Answer.of(self.project)


@contextmanager
def account(file: Path, project: Project) -> Iterator[Endpoints]:
    """Serve a project, and write the key of a service account whose tokens come from there."""
    with serving(project.answer) as url:
        file.write_text(
            json.dumps(
                {
                    "type": "service_account",
                    "project_id": "my-project",
                    "private_key": _key(),
                    "private_key_id": "1",
                    "client_email": EMAIL,
                    "token_uri": f"{url}/token",
                }
            )
        )
        yield Endpoints(url, url, iam=url, scheduler=f"{url}{SCHEDULER}")


@cache
def _key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _identity() -> str:
    """Return a token that has the form of one; only who is called looks at its signature."""
    parts = ({"alg": "RS256", "typ": "JWT"}, {"iat": 0, "exp": 4102444800, "email": EMAIL}, "signature")
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )
