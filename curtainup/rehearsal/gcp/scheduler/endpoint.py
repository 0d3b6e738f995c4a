"""Cloud Scheduler's v1 API on this machine's loopback interface: where it is, how a job is, and running one.

Follows `projects.locations.list`, `projects.locations.jobs.get` and `….jobs.run` of the Cloud Scheduler API.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.gcp import http
from curtainup.rehearsal.gcp.common import REGIONS, disabled
from curtainup.rehearsal.gcp.common import STATE as CLOUD
from curtainup.rehearsal.gcp.http import Refusal, invalid
from curtainup.rehearsal.gcp.scheduler import calls
from curtainup.rehearsal.gcp.scheduler.job import API, STATE, WITHOUT
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud

_JOB = r"projects/[^/:]+/locations/[^/:]+/jobs/[^/:]+"


@dataclass(frozen=True)
class Endpoint:
    """Answers calls."""

    home: Home

    def answer(self, method: str, path: str, asked: Any) -> Mapping[str, Any]:
        """Answer one call.

        Raises:
            Refusal: the call is refused.

        """
        methods: list[tuple[str, str, Callable[[str, Any], Mapping[str, Any]]]] = [
            ("GET", r"(projects/[^/:]+)/locations(?:\?.*)?", self._regions),
            ("GET", f"({_JOB})", lambda name, _: self._job(name)),
            ("POST", f"({_JOB}):run", self._run),
        ]
        for wanted, pattern, work in methods:
            found = re.fullmatch(f"/v1/{pattern}", path)
            if wanted == method and found:
                return work(found[1], asked)
        raise Refusal(404, "NOT_FOUND", f"a rehearsal has no method {method} {path}")

    def _regions(self, project: str, _: Any) -> Mapping[str, Any]:
        without = self._part(project).get(WITHOUT, [])
        found = [{"name": f"{project}/locations/{one}", "locationId": one} for one in sorted(REGIONS)]
        return {"locations": [one for one in found if one["locationId"] not in without]}

    def _job(self, name: str) -> Mapping[str, Any]:
        found = self._part(name).get(STATE, {}).get(name)
        if found is None:
            raise Refusal(404, "NOT_FOUND", "Job not found.")
        return {"name": name, **found}

    def _run(self, name: str, asked: Any) -> Mapping[str, Any]:
        if asked:
            raise invalid(
                f'Invalid JSON payload received. Unknown name "{next(iter(asked))}": Cannot find field.'
            )
        self._job(name)
        calls.make(Cloud(self.home, Faults()), name)
        return self._job(name)

    def _part(self, name: str) -> dict[str, Any]:
        project = name.split("/")[1]
        with self.home.cloud(CLOUD) as state:
            part: dict[str, Any] = state.get("projects", {}).get(project, {})
        if API not in part.get("apis", []):
            raise Refusal(403, "PERMISSION_DENIED", disabled(API, project))
        return part


def serve(home: Home) -> str:
    """Serve a rehearsal's Cloud Scheduler on a free loopback port until the process ends; return its URL."""
    return http.serve("cloud-scheduler", Endpoint(home).answer)
