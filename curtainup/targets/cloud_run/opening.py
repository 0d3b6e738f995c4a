"""Waiting until a service that has become public can really be called by the public.

A grant to `allUsers` is enforced after "typically 2 minutes, potentially 7 minutes or longer"
(https://cloud.google.com/iam/docs/access-change-propagation). Until then Cloud Run's front answers 403
itself. The service's own setting needs no grant; nothing says how long it takes, so curtainup waits for both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event

from curtainup.errors import Interrupted, ReleaseUnhealthy
from curtainup.gates.http import FetchError, get_once

PATIENCE = 600.0
PAUSE = 1.0
STEADY = 3
"""How many answers in a row must let the public in: not all of the fronts learn of it at the same time."""
CLOSED = frozenset({401, 403})
TIMEOUT = 10.0


def wait(
    url: str,
    path: str,
    say: Callable[[str], None],
    cancelled: Event,
    now: Callable[[], float] = time.monotonic,
) -> None:
    """Wait until a caller without an identity gets another answer than 401 or 403, several times in a row.

    Args:
        url: the service's URL.
        path: what is asked for; a healthy release answers 2xx there.
        say: gets what is waited for.
        cancelled: ends the wait.
        now: the clock, in seconds.

    Raises:
        ReleaseUnhealthy: `PATIENCE` seconds have passed.
        Interrupted: `cancelled` was set.

    """
    deadline, passed = now() + PATIENCE, 0
    while (status := _status(url, path)) in CLOSED or (passed := passed + 1) < STEADY:
        if status in CLOSED:
            passed = 0
            say(f"waiting until the public may call it: HTTP {status}")
        if now() > deadline:
            raise _still_closed(url, status)
        if cancelled.wait(PAUSE if status in CLOSED else PAUSE / 4):
            raise Interrupted("interrupted while waiting until the public may call it", where=url)


def _status(url: str, path: str) -> int | None:
    """Return the status of an answer; None if there is none, which is not for this wait to judge."""
    try:
        return get_once(url, path, TIMEOUT).status
    except FetchError:
        return None


def _still_closed(url: str, status: int | None) -> ReleaseUnhealthy:
    return ReleaseUnhealthy(
        f"the public may still not call it after {PATIENCE / 60:.0f} min: HTTP {status}",
        where=url,
        consequence="the release gets no traffic",
        fix="see whether an organisation policy or somebody else closes the service, then deploy again; "
        "`gcp_public_grant` chooses the other way to make it public (docs/cloud-run.md)",
    )
