"""Waiting for a release to answer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from curtainup.errors import Interrupted, ReleaseUnhealthy
from curtainup.gates.http import FetchError, explain, get_once

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.1
"""Seconds between two requests: short at first, because most services start fast."""
INSPECT_EVERY = 0.25
"""Seconds between two inspections of the container; each costs the Docker engine a few ms."""
LONGEST_REQUEST = 2.0
"""Time limit of one request, in seconds: short, so that the wait soon notices Ctrl-C and a dead container.

The last request gets as long as the others, because people see how it ended.
"""


@dataclass(frozen=True)
class Look:
    """The result of one request: the release that the answer names, and how the request failed, if it did."""

    release: str | None
    trouble: str | None


class Suspect(Protocol):
    """Something to inspect when a release does not answer, such as a `container.Container`."""

    def raise_if_down(self) -> None:
        """Raise ReleaseUnhealthy when it has stopped or restarted."""

    def timed_out(self, url: str, path: str, timeout: float, trouble: str) -> ReleaseUnhealthy:
        """Return the error after `timeout` seconds; `trouble` says how the last request failed."""


def wait_until_healthy(
    url: str, path: str, suspect: Suspect | None, *, timeout: float, cancelled: Event
) -> float:
    """Wait until GET `path` below `url` answers 2xx; return how many seconds that took.

    Raises:
        ReleaseUnhealthy: `timeout` seconds have passed. When the container has exited, has restarted or is
            gone, this is raised at once.
        Interrupted: `cancelled` was set.

    """
    started = time.monotonic()
    deadline, inspect_at, pause = started + timeout, started + FIRST_PAUSE, FIRST_PAUSE
    while (how := trouble(url, path)) is not None:
        if suspect and time.monotonic() >= inspect_at:
            suspect.raise_if_down()
            inspect_at = time.monotonic() + INSPECT_EVERY
        left = deadline - time.monotonic()
        if left <= 0:
            raise _timed_out(suspect, url, path, timeout, how)
        if cancelled.wait(min(pause, left)):
            raise Interrupted("interrupted while waiting for the release to answer", where=url)
        pause = min(pause * 1.5, LONGEST_PAUSE)
    return time.monotonic() - started


def answers(url: str, path: str) -> bool:
    """Return whether GET `path` below `url` answers 2xx now."""
    return trouble(url, path) is None


def trouble_after(url: str, path: str, seconds: float) -> str | None:
    """Ask until GET `path` below `url` answers 2xx, for `seconds` at most; return how it fails in the end."""
    deadline = time.monotonic() + seconds
    while (how := trouble(url, path)) is not None and time.monotonic() < deadline:
        time.sleep(LONGEST_PAUSE)
    return how


def look(url: str, path: str, timeout: float = LONGEST_REQUEST) -> Look:
    """Send one GET to `path` below `url`, and return what came of it; it gets `timeout` seconds."""
    try:
        answer = get_once(url, path, timeout)
    except FetchError as error:
        return Look(None, explain(error))
    return Look(answer.release, None if 200 <= answer.status < 300 else f"HTTP {answer.status}")


def trouble(url: str, path: str) -> str | None:
    """Return how GET `path` below `url` fails now; None if it answers 2xx."""
    return look(url, path).trouble


def _timed_out(
    suspect: Suspect | None, url: str, path: str, timeout: float, trouble: str
) -> ReleaseUnhealthy:
    if suspect is not None:
        return suspect.timed_out(url, path, timeout, trouble)
    return ReleaseUnhealthy(
        f"the release did not answer within {timeout:g} s: GET {path}: {trouble}",
        where=url,
        consequence="the release gets no traffic",
        fix=f"make GET {path} answer 200, or give it more time to start",
    )
