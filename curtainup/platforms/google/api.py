"""Google's APIs as plain HTTP, for the few questions that need no client library."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from curtainup.errors import SetupError
from curtainup.platforms.google.account import LOG_IN
from curtainup.util.deadlines import whole

TIMEOUT = 20
"""Seconds of each wait for a part of an answer."""
LONGEST = 60
"""Seconds of a whole call."""
PATIENCE = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each new try of a call that was one too many: Google counts the calls of a minute.

The status is 429, and ErrorInfo has RATE_LIMIT_EXCEEDED (DefangLabs/defang#1268, of Cloud Logging).
"""
TOO_MANY = 429
MOST_PERMISSIONS = 100
"""How many permissions projects.testIamPermissions accepts in one call."""


@dataclass(frozen=True)
class Endpoints:
    """The URLs of the APIs."""

    projects: str = "https://cloudresourcemanager.googleapis.com"
    run: str = "https://run.googleapis.com"
    logging: str = "https://logging.googleapis.com"
    secrets: str = "https://secretmanager.googleapis.com"
    container: str = "https://container.googleapis.com"
    certificates: str = "https://certificatemanager.googleapis.com"
    iam: str = "https://iam.googleapis.com"
    scheduler: str = "https://cloudscheduler.googleapis.com"


class Refused(Exception):
    """An API refused a call.

    Args:
        status: the HTTP status.
        reason: the reason in ErrorInfo (`SERVICE_DISABLED`), else the status (`PERMISSION_DENIED`), or empty.
        message: the API's own words.

    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message


class Api:
    """Calls about a project, made with the headers of some credentials.

    Every method raises Refused if the API refuses the call, and SetupError if the API cannot be reached or
    does not accept the credentials. A call that is one too many is made again later.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        endpoints: Endpoints | None = None,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        """Call with these headers.

        Args:
            headers: of the credentials.
            endpoints: where the APIs are; None is Google.
            wait: waits so many seconds before a new try; what it returns, if true, ends the tries.

        """
        self._headers = dict(headers)
        self._endpoints = endpoints or Endpoints()
        self._wait = wait

    def project(self, name: str) -> dict[str, Any]:
        """Return a project by its id or number (Resource Manager v1, projects.get)."""
        return self._ask("GET", f"{self._endpoints.projects}/v1/projects/{quote(name, safe='')}")

    def granted(self, project: str, permissions: list[str]) -> set[str]:
        """Return which of the permissions the caller has (v1, projects.testIamPermissions)."""
        url = f"{self._endpoints.projects}/v1/projects/{quote(project, safe='')}:testIamPermissions"
        found: set[str] = set()
        for first in range(0, len(permissions), MOST_PERMISSIONS):
            some = permissions[first : first + MOST_PERMISSIONS]
            found |= set(self._ask("POST", url, {"permissions": some}).get("permissions", ()))
        return found

    def granted_on_account(self, project: str, email: str, permission: str) -> bool:
        """Return whether the caller has a permission on one service account (IAM v1, testIamPermissions)."""
        account = f"projects/{quote(project, safe='')}/serviceAccounts/{quote(email, safe='@')}"
        url = f"{self._endpoints.iam}/v1/{account}:testIamPermissions"
        return permission in self._ask("POST", url, {"permissions": [permission]}).get("permissions", ())

    def regions(self, project: str) -> set[str]:
        """Return the regions that Cloud Run offers the project (Cloud Run v1, projects.locations.list)."""
        return self._locations(f"{self._endpoints.run}/v1/projects/{quote(project, safe='')}/locations")

    def scheduler_regions(self, project: str) -> set[str]:
        """Return the regions that Cloud Scheduler offers (Cloud Scheduler v1, projects.locations.list)."""
        return self._locations(f"{self._endpoints.scheduler}/v1/projects/{quote(project, safe='')}/locations")

    def scheduler_job(self, name: str) -> dict[str, Any]:
        """Return a job of Cloud Scheduler by its full name (v1, projects.locations.jobs.get)."""
        return self._ask("GET", f"{self._endpoints.scheduler}/v1/{name}")

    def _locations(self, url: str) -> set[str]:
        found: set[str] = set()
        page = ""
        while True:
            answer = self._ask("GET", f"{url}?pageToken={quote(page)}" if page else url)
            found |= {one["locationId"] for one in answer.get("locations", ())}
            page = answer.get("nextPageToken", "")
            if not page:
                return found

    def run(self, method: str, name: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call a method of the Cloud Run v2 API on a resource or a collection below it."""
        return self._ask(method, f"{self._endpoints.run}/v2/{name}", body)

    def cluster(self, path: str) -> dict[str, Any]:
        """Return a cluster (GKE v1, projects.locations.clusters.get)."""
        return self._ask("GET", f"{self._endpoints.container}/v1/{path}")

    def certificate(self, path: str) -> dict[str, Any]:
        """Return a certificate (Certificate Manager v1, projects.locations.certificates.get)."""
        return self._ask("GET", f"{self._endpoints.certificates}/v1/{path}")

    def entries(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return a page of log entries (Cloud Logging v2, entries.list)."""
        return self._ask("POST", f"{self._endpoints.logging}/v2/entries:list", asked)

    def secret(self, version: str) -> dict[str, Any]:
        """Return a version of a secret (Secret Manager v1, projects.secrets.versions.access)."""
        return self._ask("GET", f"{self._endpoints.secrets}/v1/{version}:access")

    def _ask(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        for pause in PATIENCE:
            try:
                return self._once(method, url, body)
            except Refused as refused:
                if refused.status != TOO_MANY or self._wait(pause):
                    raise
        return self._once(method, url, body)

    def _once(self, method: str, url: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        try:
            answer = whole(
                lambda: requests.request(
                    method, url, json=body, headers=self._headers, timeout=TIMEOUT, stream=True
                ),
                seconds=LONGEST,
            )
            said = answer.json()
        except (requests.RequestException, RecursionError) as error:
            raise SetupError(
                "cannot reach Google Cloud",
                where=url,
                fix="check the network and the proxy (HTTPS_PROXY)",
                detail=str(error),
            ) from error
        if answer.ok and isinstance(said, dict):
            return said
        refused = _refused(answer.status_code, said)
        if refused.status == 401:
            raise SetupError(
                "Google does not accept the credentials", where=url, fix=LOG_IN, detail=refused.message
            ) from refused
        raise refused


def _refused(status: int, said: Any) -> Refused:
    """Read an error from the JSON form of google.rpc.Status."""
    error = said.get("error", {}) if isinstance(said, dict) else {}
    reasons = [one["reason"] for one in error.get("details", ()) if "reason" in one]
    reason = reasons[0] if reasons else error.get("status", "")
    return Refused(status, reason, error.get("message", f"HTTP {status}"))
