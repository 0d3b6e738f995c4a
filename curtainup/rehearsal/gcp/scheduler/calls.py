"""The call that a stand-in Cloud Scheduler job makes when it is due, judged as Cloud Run judges it."""

from __future__ import annotations

import re
import time
from typing import Any

from curtainup.rehearsal.gcp.cloud_run import executions
from curtainup.rehearsal.gcp.common import STATE as CLOUD
from curtainup.rehearsal.gcp.common import Document, enforced_from, now
from curtainup.rehearsal.gcp.scheduler.job import API, SCOPE, STATE
from curtainup.rehearsal.kind import Cloud, CloudError

INVOKERS = frozenset({"roles/run.invoker", "roles/run.jobsExecutor", "roles/run.admin", "roles/owner"})
"""The roles that hold `run.jobs.run`. Source: https://cloud.google.com/run/docs/reference/iam/roles"""
OK, NOT_FOUND, PERMISSION_DENIED, UNAUTHENTICATED = 0, 5, 7, 16
"""Codes of google.rpc that the last attempt can have."""
_RUN = re.compile(r"https://run\.googleapis\.com/v2/(projects/[^/:]+/locations/[^/:]+/jobs/[^/:]+):run")


def make(cloud: Cloud, name: str) -> int:
    """Make the call of a job now, and return the code of google.rpc with which it ended.

    A job that is paused is called too, as by `jobs.run` of the v1 API; who makes the due calls leaves it out.

    Args:
        cloud: the cloud that has the job.
        name: the full name of the job.

    Raises:
        CloudError: there is no such job, its API is disabled, or it calls what a rehearsal does not have.

    """
    with cloud.home.cloud(CLOUD) as state:
        part: Document = state.get("projects", {}).get(name.split("/")[1], {})
    if name not in part.get(STATE, {}) or API not in part.get("apis", []):
        raise CloudError(f"a rehearsal has no job {name} of Cloud Scheduler")
    code = _called(cloud, part, part[STATE][name]["httpTarget"])
    with cloud.home.cloud(CLOUD) as state:
        found = state["projects"][name.split("/")[1]][STATE][name]
        found |= {"lastAttemptTime": now(), "status": {"code": code} if code else {}}
    return code


def _called(cloud: Cloud, part: Document, target: dict[str, Any]) -> int:
    found = _RUN.fullmatch(target["uri"])
    if found is None or target.get("httpMethod") != "POST":
        raise CloudError(f"a rehearsal has nothing to call at {target.get('httpMethod')} {target['uri']}")
    token = target.get("oauthToken") or {}
    if token.get("scope") != SCOPE:
        return UNAUTHENTICATED
    job, email = found[1], token["serviceAccountEmail"]
    if email not in part.get("accounts", {}) or not _may_run(part, job, email):
        return PERMISSION_DENIED
    try:
        executions.begin(cloud, job, creator=email)
    except executions.Missing:
        return NOT_FOUND
    return OK


def _may_run(part: Document, job: str, email: str) -> bool:
    """Whether a service account may run a job, by a role on the job or on the project."""
    member, places = f"serviceAccount:{email}", (job, "/".join(job.split("/")[:2]))
    since = [enforced_from(part, place, role, member) for place in places for role in INVOKERS]
    return any(one is not None and one <= time.time() for one in since)
