"""Logs of releases on Cloud Run: what their containers write, and what Cloud Run says of them.

Follows `entries.list` of the Cloud Logging API v2 and its query language. As documented there, a page may be
empty and yet not the last, and a project may ask 60 times a minute.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from curtainup.errors import SetupError
from curtainup.model.environment import Environment
from curtainup.model.targets.cloud_run import CloudRunEnvironment
from curtainup.platforms.google.api import Api, Endpoints, Refused
from curtainup.session import Session
from curtainup.targets import log_polling
from curtainup.targets.log_lines import Asked, Line, Lines
from curtainup.targets.log_polling import Entry

PERMISSION = "logging.logEntries.list"
LOGS = ("stdout", "stderr", "varlog/system")
"""Of Cloud Run; without the one of requests."""
MOST = 1000
"""Entries in a page."""
PAUSE = 3.0
"""Seconds between two times of asking."""
TOKEN_SECONDS = 600.0
"""After which another token is taken; one is good for an hour at most."""


class CloudRunLogs:
    """The logs of an environment's Cloud Run service."""

    outlives = True

    def __init__(self, session: Session, environment: Environment, _look: object = None) -> None:
        if not isinstance(environment.settings, CloudRunEnvironment):
            raise TypeError("these are not the settings of an environment on Cloud Run")
        self._session = session
        self._place = environment.settings
        self._service = environment.stack
        self._token: tuple[str, float] | None = None

    def lines(self, asked: Asked) -> Lines:
        """Give the lines that Cloud Logging holds."""
        return log_polling.lines(self._read, asked)

    def follow(self, asked: Asked) -> Lines:
        """Give the lines, and ask for new ones every few seconds; of new releases, too."""
        return log_polling.follow(self._read, asked, partial(self._session.run.cancelled.wait, PAUSE))

    def _read(self, asked: Asked) -> Iterator[Entry]:
        found = self._entries(query(self._place, self._service, asked), asked.tail)
        yield from (entry(one) for one in found)

    def _entries(self, filtered: str, tail: int | None) -> Iterator[Mapping[str, Any]]:
        """Give entries, oldest first: all, or the last so many."""
        body = {
            "resourceNames": [f"projects/{self._place.project}"],
            "filter": filtered,
            "orderBy": "timestamp asc" if tail is None else "timestamp desc",
            "pageSize": MOST if tail is None else min(tail, MOST),
        }
        if tail is None:
            yield from self._pages(body)
            return
        found = self._pages(body)
        newest_first = [one for _, one in zip(range(tail), found, strict=False)]
        yield from reversed(newest_first)

    def _pages(self, body: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Give the entries of all pages; one may be empty and yet not the last."""
        token = ""
        while True:
            page = self._page({**body, **({"pageToken": token} if token else {})})
            yield from page.get("entries", ())
            token = page.get("nextPageToken", "")
            if not token:
                return

    def _page(self, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._api().entries(body)
        except Refused as error:
            raise self._refused(error) from error

    def _api(self) -> Api:
        google = self._session.accounts.google
        if self._token is None or time.monotonic() > self._token[1]:
            self._token = google.access_token(), time.monotonic() + TOKEN_SECONDS
        headers = {"Authorization": f"Bearer {self._token[0]}"}
        return Api(headers, Endpoints(logging=google.logging_api), self._session.run.cancelled.wait)

    def _refused(self, error: Refused) -> SetupError:
        project = self._place.project
        if error.reason == "SERVICE_DISABLED":
            what = "the Cloud Logging API is not enabled"
            fix = f"gcloud services enable logging.googleapis.com --project {project}"
        elif error.status == 403:
            what = "the deployer may not read logs"
            fix = f"grant {PERMISSION}: roles/logging.viewer, or docs/cloud-run-role.yaml as it is now"
        else:
            what, fix = f"Cloud Logging refuses: HTTP {error.status}", "try again, or look at the console"
        return SetupError(
            what,
            where=f"project {project}",
            consequence="nothing more is shown; what serves is as it was",
            fix=fix,
            detail=error.message,
        )


def query(place: CloudRunEnvironment, service: str, asked: Asked) -> str:
    """Return the filter for the lines that are wanted."""
    parts = [
        'resource.type="cloud_run_revision"',
        f'resource.labels.service_name="{service}"',
        f'resource.labels.location="{place.region}"',
        _any(f'log_id("run.googleapis.com/{one}")' for one in LOGS),
    ]
    if asked.releases is not None:
        parts.append(_any(f'resource.labels.revision_name="{service}-{one}"' for one in asked.releases))
    if asked.since is not None:
        parts.append(f'timestamp>="{asked.since.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"')
    return " AND ".join(parts)


def entry(told: Mapping[str, Any]) -> Entry:
    """Return a LogEntry as a line: its text, the `message` of its JSON, or what an audit says."""
    labels = told.get("resource", {}).get("labels", {})
    at = datetime.fromisoformat(told["timestamp"])
    release = str(labels.get("revision_name", "")).rpartition("-")[2]
    return Entry(f"{told['timestamp']} {told['insertId']}", Line(at, release, _text(told).rstrip("\r\n")))


def _text(told: Mapping[str, Any]) -> str:
    if "textPayload" in told:
        return str(told["textPayload"])
    payload = told.get("jsonPayload") or told.get("protoPayload") or {}
    message = payload.get("message") or (payload.get("status") or {}).get("message")
    return str(message) if message else json.dumps(payload, ensure_ascii=False)


def _any(comparisons: Iterator[str]) -> str:
    return f"({' OR '.join(comparisons)})"
