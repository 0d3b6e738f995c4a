"""Logs of releases on Elastic Beanstalk: what their containers write, streamed to CloudWatch Logs.

The group is that of the Docker platform's containers, and holds a stream per machine ("Using Elastic
Beanstalk with Amazon CloudWatch Logs"). Follows FilterLogEvents: a page may be empty and yet not the last.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any

from curtainup.errors import SetupError
from curtainup.model.environment import Environment
from curtainup.model.targets.beanstalk import BeanstalkEnvironment
from curtainup.platforms import amazon
from curtainup.session import Session
from curtainup.targets import log_polling
from curtainup.targets.log_lines import Asked, Line, Lines
from curtainup.targets.log_polling import Entry
from curtainup.util import moments

FILE = "/var/log/eb-docker/containers/eb-current-app/stdouterr.log"
ACTION = "logs:FilterLogEvents"
KEPT = timedelta(days=14)
"""How long lines are kept: the environments' own `RetentionInDays`."""
MOST = 10_000
"""Events in a page."""
PAUSE = 3.0
"""Seconds between two times of asking."""
ABSENT = "ResourceNotFoundException"
DENIED = frozenset({"AccessDeniedException", "AccessDenied"})


class BeanstalkLogs:
    """The logs of the Beanstalk environments of one environment: a log group each."""

    outlives = True

    def __init__(self, session: Session, environment: Environment, look: Callable[[], Environment]) -> None:
        if not isinstance(environment.settings, BeanstalkEnvironment):
            raise TypeError("these are not the settings of an environment on Elastic Beanstalk")
        self._session = session
        self._place = environment.settings
        self._environment = environment
        self._look = look
        self._told: set[str] = set()

    def lines(self, asked: Asked) -> Lines:
        """Give the lines of all environments in the order in which they were written."""
        return log_polling.lines(self._read, asked)

    def follow(self, asked: Asked) -> Lines:
        """Give the lines, and ask for new ones every few seconds; of releases that come meanwhile, too."""
        return log_polling.follow(self._read_anew, asked, partial(self._session.run.cancelled.wait, PAUSE))

    @cached_property
    def _client(self) -> Any:
        return amazon.client("logs", self._place.region, self._place.profile)

    def _read_anew(self, asked: Asked) -> Iterator[Entry]:
        if asked.releases is None:
            self._environment = self._look()
        return self._read(asked)

    def _read(self, asked: Asked) -> Iterator[Entry]:
        there = [one.id for one in self._environment.deployment.releases]
        wanted = there if asked.releases is None else asked.releases
        streams = [self._entries(one, asked) for one in wanted]
        merged = heapq.merge(*streams, key=lambda one: one.line.at)
        if asked.tail is None:
            yield from merged
        else:
            yield from list(merged)[-asked.tail :]

    def _entries(self, release: str, asked: Asked) -> Iterator[Entry]:
        """Give the entries of a release, oldest first: all, or the last so many."""
        found = (_entry(release, one) for one in self._events(self._group(release), asked))
        if asked.tail is None:
            yield from found
        else:
            last = [one for _, one in zip(range(asked.tail), found, strict=False)]
            last.reverse()  # of two at the same moment the one that was written first comes first
            last.sort(key=lambda one: one.line.at)
            yield from last

    def _events(self, group: str, asked: Asked) -> Iterator[Mapping[str, Any]]:
        request = {"logGroupName": group, **window(asked, datetime.now(UTC))}
        while True:
            page = self._page(request)
            yield from page.get("events", ())
            token = page.get("nextToken")
            if not token:
                return
            request["nextToken"] = token

    def _page(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            with amazon.said_clearly("logs"):
                found: Mapping[str, Any] = self._client.filter_log_events(**request)
        except SetupError as error:
            code = amazon.code_of(error.__cause__)
            if code == ABSENT:
                self._tell_absent(request["logGroupName"])
                return {}
            if code in DENIED:
                raise _denied(request["logGroupName"], error) from error
            raise
        return found

    def _tell_absent(self, group: str) -> None:
        """Say once that a machine has not sent anything yet."""
        if group not in self._told:
            self._told.add(group)
            self._session.run.report.warn(f"no log yet: CloudWatch Logs has no group {group}")

    def _group(self, release: str) -> str:
        """Return the log group of a release; environments' names differ only in the release's id."""
        names: Mapping[str, str] = self._environment.outputs.get("environments") or {}
        stem = next((name.removesuffix(one) for one, name in names.items()), f"{self._environment.stack}-")
        return f"/aws/elasticbeanstalk/{names.get(release) or stem + release}{FILE}"


def window(asked: Asked, now: datetime) -> dict[str, Any]:
    """Return the part of the request that says which events, and in which order."""
    since = asked.since or now - KEPT
    limits = (
        {"limit": MOST} if asked.tail is None else {"limit": min(asked.tail, MOST), "startFromHead": False}
    )
    return {"startTime": int(since.timestamp() * 1000), **limits}


def _entry(release: str, event: Mapping[str, Any]) -> Entry:
    at = moments.utc(event["timestamp"] / 1000)
    return Entry(str(event["eventId"]), Line(at, release, str(event["message"]).rstrip("\r\n")))


def _denied(group: str, error: SetupError) -> SetupError:
    return SetupError(
        "the deployer may not read logs",
        where=group,
        consequence="nothing is shown; what serves is as it was",
        fix=f"grant {ACTION}, as docs/beanstalk-policy.json has it; docs/beanstalk.md says how",
        detail=error.detail,
    )
