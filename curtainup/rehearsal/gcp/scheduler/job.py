"""Stand-in of Cloud Scheduler's jobs. A job calls nobody by itself: somebody has `calls` make the call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curtainup.rehearsal.gcp.common import Document, GoogleKind, is_account, now
from curtainup.rehearsal.gcp.scheduler import rules
from curtainup.rehearsal.kind import CloudError, Failure, Found, Made, Properties

API = "cloudscheduler.googleapis.com"
STATE = "schedulerJobs"
"""Where a project keeps them."""
WITHOUT = "withoutScheduler"
"""Where a project keeps the regions in which it has none, if somebody has written them into the state."""
CREATE = "cloudscheduler.jobs.create"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_TOLD = ("schedule", "timeZone", "attemptDeadline", "retryConfig", "httpTarget", "description")
_RETRIES = {
    "maxBackoffDuration": "3600s",
    "maxDoublings": 5,
    "maxRetryDuration": "0s",
    "minBackoffDuration": "5s",
}
"""What Cloud Scheduler fills in."""


class Job(GoogleKind):
    """A job: when to call, and whom."""

    token = "gcp:cloudscheduler/job:Job"  # noqa: S105
    api = API
    location = "region"
    named_by = "name"
    replaced_by = frozenset({"name", "region", "project"})
    computed = ("state",)
    filled = frozenset(
        [
            "paused",
            "region",
            "httpTarget.oauthToken.scope",
            *(f"retryConfig.{name}" for name in ("retryCount", *_RETRIES)),
        ]
    )

    def told(self, inputs: Properties) -> Properties:
        """Return the inputs as Cloud Scheduler tells them, if the fault is asked for."""
        return _told(inputs) if self.cloud.faults.strikes("normalise", inputs["name"]) else inputs

    def check(self, inputs: Properties) -> list[Failure]:
        """Refuse what the provider refuses."""
        return [*super().check(inputs), *rules.complaints(inputs)]

    def create(self, inputs: Properties) -> Made:
        """Create the job; it is enabled."""
        project = self.project(inputs)
        region = inputs.get("region") or self.cloud.config.get("region")
        name = f"projects/{project}/locations/{region}/jobs/{inputs['name']}"
        with self.opened(project) as part:
            if region in part.get(WITHOUT, []):
                place = f"projects/{project}/locations/{region}"
                raise CloudError(f"Error creating Job: googleapi: Error 403: {lacks(CREATE, place)}")
            _require_allowed(part, inputs, "creating Job")
            if name in part.get(STATE, {}):
                raise CloudError(f"Error creating Job: googleapi: Error 409: Job {name} already exists.")
            part.setdefault(STATE, {})[name] = {**_kept(inputs), "state": "ENABLED"}
        return Made(name, {"project": project, "region": region, "state": "ENABLED"})

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002
        """Change when it calls, or whom."""
        with self.opened(outputs["project"]) as part:
            found = part.get(STATE, {}).get(id)
            if found is None:
                raise CloudError(f"Error updating Job {id!r}: googleapi: Error 404: Job not found.")
            _require_allowed(part, inputs, f'updating Job "{id}"')
            found.update(_kept(inputs))
        return {name: outputs[name] for name in ("project", "region")} | {"state": found["state"]}

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return the job as it is, or None if it is gone."""
        with self.opened(outputs["project"], enabled=False) as part:
            found = part.get(STATE, {}).get(id)
        if found is None:
            return None
        drifted = {name: found[name] for name in ("schedule", "timeZone") if found[name] != outputs.get(name)}
        return Found(drifted, {"state": found["state"]})

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Remove the job."""
        with self.opened(outputs["project"]) as part:
            part.get(STATE, {}).pop(id, None)


def lacks(permission: str, resource: str) -> str:
    """Return what Cloud Scheduler says to whom may not do something, or where there is nothing."""
    return (
        f'The principal (user or service account) lacks IAM permission "{permission}" for the resource '
        f'"{resource}" (or the resource may not exist).'
    )


def _require_allowed(part: Document, inputs: Properties, doing: str) -> None:
    refused = rules.refusal(inputs)
    if refused:
        raise CloudError(f"Error {doing}: googleapi: Error 400: {refused}")
    token = inputs["httpTarget"].get("oauthToken") or inputs["httpTarget"].get("oidcToken") or {}
    email = token.get("serviceAccountEmail")
    if email and not is_account(part, email):
        raise CloudError(f"Error {doing}: googleapi: Error 403: {lacks('iam.serviceAccounts.actAs', email)}")


def _kept(inputs: Properties) -> Document:
    told = _told(inputs)
    return {**{name: told[name] for name in _TOLD if name in told}, "userUpdateTime": now()}


def _told(inputs: Mapping[str, Any]) -> Document:
    """Return the inputs as Cloud Scheduler tells them: what is left out filled in, and no zeros."""
    target = dict(inputs["httpTarget"])
    if target.get("oauthToken"):
        target["oauthToken"] = {"scope": SCOPE, **target["oauthToken"]}
    retries = {**_RETRIES, **(inputs.get("retryConfig") or {})}
    return {
        **{name: one for name, one in inputs.items() if one not in (None, "")},
        "attemptDeadline": inputs.get("attemptDeadline") or "180s",
        "timeZone": inputs.get("timeZone") or "Etc/UTC",
        "retryConfig": {name: one for name, one in retries.items() if one not in (None, 0)},
        "httpTarget": target,
    }
