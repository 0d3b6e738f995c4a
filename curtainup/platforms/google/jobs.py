"""Starts, inspects and cancels executions of a Cloud Run job through the v2 API.

Follows `projects.locations.jobs.run` and `….jobs.executions` of the Cloud Run Admin API.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from curtainup.platforms.google.api import Api, Endpoints

PAGE = 100
"""Executions that are asked for at once."""
TOKEN_SECONDS = 1800.0
"""Seconds for which an access token is used; a token is valid for an hour."""


@dataclass(frozen=True)
class Execution:
    """One execution of a job.

    Attributes:
        name: the full name, `projects/…/jobs/JOB/executions/NAME`.
        log_uri: the URL where people read the output.
        completed: whether the execution has ended.
        succeeded: whether it has ended successfully.
        seconds: how long it ran; None if it has not started or not ended.
        said: Cloud Run's explanation of the end.
        creator: the address of who asked for it.
        created: when that was.
        ended: when it ended; None if it has not.
        timeout: seconds that it may take; None if Cloud Run does not say.

    """

    name: str
    log_uri: str
    completed: bool
    succeeded: bool
    seconds: float | None
    said: str
    creator: str = ""
    created: datetime | None = None
    ended: datetime | None = None
    timeout: float | None = None


class Jobs:
    """The jobs of a project; every method raises the errors of `api.Api`."""

    def __init__(
        self,
        token: Callable[[], str],
        endpoints: Endpoints,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        """Use these endpoints, and get a new token before the old one expires.

        Args:
            token: gives one.
            endpoints: where the APIs are.
            wait: how calls that are one too many wait; see `api.Api`. A cancellation waits in any case.

        """
        self._wait = wait
        self._token = token
        self._endpoints = endpoints
        self._headers: dict[str, str] = {}
        self._since = 0.0

    def run(self, job: str, arguments: Sequence[str], timeout: int) -> str:
        """Start an execution, and return its full name.

        Args:
            job: the full name of the job.
            arguments: the arguments that replace the image's CMD.
            timeout: seconds that the execution may take.

        """
        overrides = {"containerOverrides": [{"args": list(arguments)}], "timeout": f"{timeout}s"}
        operation = self._ask("POST", f"{job}:run", {"overrides": overrides})
        return str(operation["metadata"]["name"])

    def execution(self, name: str) -> Execution:
        """Return the current state of an execution."""
        return parsed(self._ask("GET", name))

    def executions(self, job: str) -> list[Execution]:
        """Return the executions of a job that Cloud Run remembers, in no order: 1,000 at most."""
        found: list[Execution] = []
        token = ""
        while True:
            rest = f"&pageToken={quote(token)}" if token else ""
            page = self._ask("GET", f"{job}/executions?pageSize={PAGE}{rest}")
            found += [parsed(one) for one in page.get("executions", ())]
            token = page.get("nextPageToken", "")
            if not token:
                return found

    def exit_code(self, execution: str) -> int | None:
        """Return the exit code of an execution that has ended; None if Cloud Run knows none."""
        tasks = self._ask("GET", f"{execution}/tasks").get("tasks") or [{}]
        result = tasks[0].get("lastAttemptResult") or {}
        signal = result.get("termSignal")
        return 128 + int(signal) if signal else result.get("exitCode")

    def cancel(self, execution: str) -> None:
        """Request the cancellation of an execution, which ends soon afterwards."""
        self._known(time.sleep).run("POST", f"{execution}:cancel", {})

    def scheduler_job(self, name: str) -> dict[str, Any]:
        """Return a job of Cloud Scheduler by its full name."""
        return self._known().scheduler_job(name)

    def entries(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return a page of log entries (Cloud Logging v2, entries.list)."""
        return self._known().entries(asked)

    def _ask(self, method: str, name: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._known().run(method, name, body)

    def _known(self, wait: Callable[[float], object] | None = None) -> Api:
        """Return the API with a valid token."""
        now = time.monotonic()
        if not self._headers or now - self._since > TOKEN_SECONDS:
            self._headers, self._since = {"Authorization": f"Bearer {self._token()}"}, now
        return Api(self._headers, self._endpoints, wait or self._wait)


def parsed(found: Mapping[str, Any]) -> Execution:
    """Read an execution from the API's JSON."""
    conditions = {one["type"]: one for one in found.get("conditions", ())}
    completed = conditions.get("Completed", {})
    begun, ended, made = found.get("startTime"), found.get("completionTime"), found.get("createTime")
    timeout = (found.get("template") or {}).get("timeout")
    return Execution(
        name=found["name"],
        log_uri=found.get("logUri", ""),
        completed=bool(ended),
        succeeded=completed.get("state") == "CONDITION_SUCCEEDED",
        seconds=(_time(ended) - _time(begun)).total_seconds() if begun and ended else None,
        said=completed.get("message", ""),
        creator=found.get("creator", ""),
        created=_time(made) if made else None,
        ended=_time(ended) if ended else None,
        timeout=float(timeout.removesuffix("s")) if timeout else None,
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
