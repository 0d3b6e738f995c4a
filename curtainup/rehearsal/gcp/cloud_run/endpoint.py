"""Cloud Run's v2 API on this machine's loopback interface: executions of jobs, and questions about services.

Follows `projects.locations.jobs.run`, `….jobs.executions` and `….services` of the Cloud Run Admin API.
Like the real API, it refuses unknown fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.gcp import http
from curtainup.rehearsal.gcp.cloud_run import executions
from curtainup.rehearsal.gcp.cloud_run.services import API, Services
from curtainup.rehearsal.gcp.http import Refusal, exhausted, invalid
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud

LONGEST = 604800
"""Seconds that a task may take: seven days."""
LARGEST_PAGE = 5
"""Executions in a page of the stand-in, however many are asked for: a reader has to follow the tokens."""

_SERVICES = r"projects/[^/:]+/locations/[^/:]+/services"
_JOB = r"projects/[^/:]+/locations/[^/:]+/jobs/[^/:]+"
_EXECUTION = rf"{_JOB}/executions/[^/:]+"
_NAMED = re.compile(r"projects/([^/:]+)/.*(?:jobs/|services/|serviceId=)([^/:?&]+)")
_SECONDS = re.compile(r"(\d+)(\.\d+)?s")
_REQUEST: Mapping[str, Any] = {
    "validateOnly": bool,
    "etag": str,
    "overrides": {
        "containerOverrides": [{"name": str, "args": [str], "env": [{}], "clearArgs": bool}],
        "taskCount": int,
        "timeout": str,
    },
}
"""The message `RunJobRequest`: the type of each field; a list field has its type as the only element."""


@dataclass(frozen=True)
class Account:
    """Answers calls.

    Attributes:
        home: the rehearsal's.
        faults: what is to go wrong.

    """

    home: Home
    faults: Faults

    def answer(self, method: str, path: str, asked: Any) -> Mapping[str, Any]:
        """Answer one call.

        Raises:
            Refusal: the call is refused.

        """
        self._require_few(method, path)
        for wanted, pattern, work in self._methods():
            found = re.fullmatch(f"/v2/{pattern}", path)
            if wanted == method and found:
                try:
                    return work(found[1], asked)
                except executions.Missing as error:
                    raise Refusal(404, "NOT_FOUND", f"Resource '{error}' was not found.") from error
        raise Refusal(404, "NOT_FOUND", f"a rehearsal has no method {method} {path}")

    def _methods(self) -> list[tuple[str, str, Callable[[str, Any], Mapping[str, Any]]]]:
        return [
            ("POST", f"({_JOB}):run", self._run),
            ("GET", rf"({_JOB}/executions(?:\?[^/:]*)?)", self._listed),
            ("GET", f"({_EXECUTION})", lambda name, _: executions.look(self.home, name)),
            ("GET", f"({_EXECUTION})/tasks", lambda name, _: {"tasks": executions.tasks(self.home, name)}),
            ("POST", f"({_EXECUTION}):cancel", self._cancel),
            ("GET", f"({_SERVICES}/[^/:?]+)", lambda name, _: self._services.look(name)),
            ("DELETE", f"({_SERVICES}/[^/:?]+)", lambda name, _: self._services.remove(name)),
            ("POST", rf"({_SERVICES}\?serviceId=[^&]+)&validateOnly=true", self._would_create),
            ("PATCH", rf"({_SERVICES}/[^/:?]+)\?validateOnly=true", self._services.would_take),
        ]

    def _require_few(self, method: str, path: str) -> None:
        """Raise `Refusal` for a call that is one too many."""
        named = _NAMED.search(path)
        if named and self.faults.throttles(named[2]):
            kind = "Read" if method == "GET" else "Write"
            raise exhausted(f"{kind} requests", f"{kind} requests per minute per region", API, named[1])

    @property
    def _services(self) -> Services:
        return Services(Cloud(self.home, self.faults))

    def _would_create(self, place: str, asked: Any) -> Mapping[str, Any]:
        return self._services.would_take(place.replace("?serviceId=", "/"), asked)

    def _run(self, job: str, asked: Any) -> Mapping[str, Any]:
        _require_known(_REQUEST, asked, "")
        overrides = asked.get("overrides") or {}
        containers = overrides.get("containerOverrides") or [{}]
        cloud = Cloud(self.home, self.faults)
        name = executions.begin(cloud, job, containers[0].get("args"), _timeout(overrides.get("timeout")))
        return _operation(name, executions.look(self.home, name), done=False)

    def _listed(self, asked: str, _: Any) -> Mapping[str, Any]:
        """Return a page of a job's executions, the newest first."""
        job, _, query = asked.partition("/executions")
        known = dict(parse_qsl(query.removeprefix("?"), strict_parsing=bool(query)))
        if unknown := sorted(set(known) - {"pageSize", "pageToken", "showDeleted"}):
            raise invalid(f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.')
        found = [executions.look(self.home, name) for name in executions.names(self.home, job)]
        found.sort(key=lambda one: str(one["createTime"]), reverse=True)
        first = int(known.get("pageToken") or 0)
        last = first + min(int(known.get("pageSize") or LARGEST_PAGE), LARGEST_PAGE)
        page: dict[str, Any] = {"executions": found[first:last]} if found else {}
        return {**page, **({"nextPageToken": str(last)} if last < len(found) else {})}

    def _cancel(self, name: str, asked: Any) -> Mapping[str, Any]:
        _require_known({"validateOnly": bool, "etag": str}, asked, "")
        executions.cancel(self.home, name)
        return _operation(name, executions.look(self.home, name), done=True)


def serve(home: Home, faults: Faults) -> str:
    """Serve a rehearsal's Cloud Run on a free loopback port until the process ends; return its URL."""
    return http.serve("cloud-run", Account(home, faults).answer)


def _operation(name: str, execution: Mapping[str, Any], *, done: bool) -> Mapping[str, Any]:
    place = "/".join(name.split("/")[:4])
    return {
        "name": f"{place}/operations/{name.rpartition('/')[2]}",
        "metadata": {"@type": "type.googleapis.com/google.cloud.run.v2.Execution", **execution},
        "done": done,
    }


def _timeout(text: str | None) -> int | None:
    if text is None:
        return None
    found = _SECONDS.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= LONGEST:
        raise invalid(f"overrides.timeout: must be from 1s to {LONGEST}s: {text}")
    return int(found[1])


def _require_known(shape: Any, found: Any, path: str) -> None:
    """Check a part of a request against the message's shape."""
    if shape == {}:
        return
    if isinstance(shape, Mapping) and isinstance(found, Mapping):
        for name, one in found.items():
            where = f"{path}.{name}".lstrip(".")
            if name not in shape:
                raise invalid(
                    f"Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field."
                )
            _require_known(shape[name], one, where)
    elif isinstance(shape, list) and isinstance(found, list):
        for index, one in enumerate(found):
            _require_known(shape[0], one, f"{path}[{index}]")
    elif not isinstance(shape, type) or not isinstance(found, shape):
        raise invalid(f"Invalid value at '{path}'")
