"""Executions of a Cloud Run job, by the v2 API: begun, looked at and cancelled.

Follows `projects.locations.jobs.run` and `….jobs.executions` of the Cloud Run Admin API.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from curtainup.platforms.google.api import Api, Endpoints

TOKEN_SECONDS = 1800.0
"""For how long an access token is used: one is good for an hour."""


@dataclass(frozen=True)
class Execution:
    """One execution of a job.

    Attributes:
        name: its full name, `projects/…/jobs/JOB/executions/NAME`.
        log_uri: where a person reads its output.
        completed: whether it has come to its end.
        succeeded: whether that was a good one.
        seconds: for how long it ran; None before it has begun or ended.
        said: what Cloud Run says of its end.

    """

    name: str
    log_uri: str
    completed: bool
    succeeded: bool
    seconds: float | None
    said: str


class Jobs:
    """Jobs of a project; every method raises as `google_api.Api`'s do."""

    def __init__(self, token: Callable[[], str], endpoints: Endpoints) -> None:
        """Ask at these endpoints, with tokens that are renewed in time."""
        self._token = token
        self._endpoints = endpoints
        self._api: Api | None = None
        self._since = 0.0

    def run(self, job: str, arguments: Sequence[str], timeout: int) -> str:
        """Begin an execution, and return its full name.

        Args:
            job: its full name.
            arguments: in place of the image's CMD.
            timeout: seconds that it may take.

        """
        overrides = {"containerOverrides": [{"args": list(arguments)}], "timeout": f"{timeout}s"}
        operation = self._ask("POST", f"{job}:run", {"overrides": overrides})
        return str(operation["metadata"]["name"])

    def execution(self, name: str) -> Execution:
        """Return how an execution stands."""
        return parsed(self._ask("GET", name))

    def exit_code(self, execution: str) -> int | None:
        """Return the exit code of an execution that has ended; None where Cloud Run knows none."""
        tasks = self._ask("GET", f"{execution}/tasks").get("tasks") or [{}]
        result = tasks[0].get("lastAttemptResult") or {}
        signal = result.get("termSignal")
        return 128 + int(signal) if signal else result.get("exitCode")

    def cancel(self, execution: str) -> None:
        """Have an execution cancelled; it ends soon after."""
        self._ask("POST", f"{execution}:cancel", {})

    def entries(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return a page of log entries (Cloud Logging v2, entries.list)."""
        return self._known().entries(asked)

    def _ask(self, method: str, name: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._known().run(method, name, body)

    def _known(self) -> Api:
        """Return the API with a token that is still good."""
        now = time.monotonic()
        if self._api is None or now - self._since > TOKEN_SECONDS:
            headers = {"Authorization": f"Bearer {self._token()}"}
            self._api, self._since = Api(headers, self._endpoints), now
        return self._api


def parsed(found: Mapping[str, Any]) -> Execution:
    """Read an execution as the API gives it."""
    conditions = {one["type"]: one for one in found.get("conditions", ())}
    completed = conditions.get("Completed", {})
    begun, ended = found.get("startTime"), found.get("completionTime")
    return Execution(
        name=found["name"],
        log_uri=found.get("logUri", ""),
        completed=bool(ended),
        succeeded=completed.get("state") == "CONDITION_SUCCEEDED",
        seconds=(_time(ended) - _time(begun)).total_seconds() if begun and ended else None,
        said=completed.get("message", ""),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
