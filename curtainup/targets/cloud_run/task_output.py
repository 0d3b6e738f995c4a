"""What an execution of a Cloud Run job prints, as Cloud Logging tells it: some seconds later.

Follows `entries.list` of the Cloud Logging API v2 and the labels of the monitored resource `cloud_run_job`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from curtainup.errors import SetupError
from curtainup.platforms.google.api import Refused
from curtainup.platforms.google.jobs import Jobs
from curtainup.targets.cloud_run.logs import entry

OVERLAP = timedelta(seconds=20)
"""How far before the newest line is asked again: entries do not arrive in order."""
ENDED = "Container called exit("
"""How the last entry of an execution begins."""
MOST = 1000
"""Entries in a page."""


class Output:
    """The lines of one execution, each told once."""

    def __init__(self, jobs: Jobs, execution: str, on_line: Callable[[str], None]) -> None:
        """Read an execution's lines.

        Args:
            jobs: of the account.
            execution: its full name.
            on_line: takes each line.

        """
        self._jobs = jobs
        self._execution = execution
        self._on_line = on_line
        self._newest: datetime | None = None
        self._seen: set[str] = set()
        self.is_whole = False
        """Whether nothing more is to come, or nothing can be read."""

    def tell(self) -> None:
        """Tell the lines that have come since; once it cannot be read, that alone."""
        if self.is_whole:
            return
        try:
            found = [(entry(one), _is_end(one)) for one in self._entries()]
        except Refused as refused:
            self.is_whole = True
            self._on_line(f"its output cannot be read from Cloud Logging: {refused.message}")
            return
        except SetupError:
            return  # it is asked again
        for one, is_end in found:
            if one.id in self._seen:
                continue
            self._seen.add(one.id)
            self._newest = max(self._newest or one.line.at, one.line.at)
            self.is_whole = self.is_whole or is_end
            if not is_end:
                self._on_line(one.line.text)

    def _entries(self) -> Iterator[Mapping[str, Any]]:
        token = ""
        body = {
            "resourceNames": [f"projects/{self._execution.split('/')[1]}"],
            "filter": query(self._execution, self._newest),
            "orderBy": "timestamp asc",
            "pageSize": MOST,
        }
        while True:
            page = self._jobs.entries({**body, **({"pageToken": token} if token else {})})
            yield from page.get("entries", ())
            token = page.get("nextPageToken", "")
            if not token:
                return


def _is_end(told: Mapping[str, Any]) -> bool:
    by_cloud_run = str(told.get("logName", "")).endswith("%2Fsystem")
    return by_cloud_run and str(told.get("textPayload", "")).startswith(ENDED)


def query(execution: str, newest: datetime | None) -> str:
    """Return the filter for an execution's lines, from a while before the newest that is known."""
    parts = execution.split("/")
    names = ("stdout", "stderr", "varlog/system")
    logs = " OR ".join(f'log_id("run.googleapis.com/{one}")' for one in names)
    found = [
        'resource.type="cloud_run_job"',
        f'resource.labels.job_name="{parts[5]}"',
        f'resource.labels.location="{parts[3]}"',
        f'labels."run.googleapis.com/execution_name"="{parts[7]}"',
        f"({logs})",
    ]
    if newest is not None:
        found.append(f'timestamp>="{(newest - OVERLAP).astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"')
    return " AND ".join(found)
