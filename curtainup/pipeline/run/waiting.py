"""Waiting for another run of the service to end, for as long as the user allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from curtainup.errors import Busy, Interrupted
from curtainup.util import durations

POLL = 1.0
"""Seconds between two attempts to get the lock."""


@contextmanager
def patiently(
    hold: Callable[[], AbstractContextManager[None]], seconds: float | None, tell: Callable[[str], None]
) -> Iterator[None]:
    """Hold a lock, and wait for it while another run holds it.

    Args:
        hold: returns the lock, which raises Busy when another run holds it.
        seconds: how long to wait in all; 0 does not wait. None does not either, for want of an option.
        tell: receives a line that says for whom this run waits, each time that it is another one.

    Raises:
        Busy: another run still holds the lock.
        Interrupted: Ctrl-C ended the wait.

    """
    with ExitStack() as stack:
        _enter(stack, hold, seconds, tell)
        yield


def _enter(
    stack: ExitStack,
    hold: Callable[[], AbstractContextManager[None]],
    seconds: float | None,
    tell: Callable[[str], None],
) -> None:
    until = time.monotonic() + (seconds or 0)
    told: str | None = None
    while True:
        try:
            stack.enter_context(hold())
        except Busy as busy:
            left = until - time.monotonic()
            if left <= 0:
                raise _still(busy, seconds) from busy
            if busy.where != told:
                told = busy.where
                tell(f"{busy.what}: waiting for it for up to {durations.render(left)} ({told})")
            _sleep(min(POLL, left), busy)
        else:
            return


def _sleep(seconds: float, busy: Busy) -> None:
    try:
        time.sleep(seconds)
    except KeyboardInterrupt:
        raise Interrupted(
            "interrupted while waiting for another run to end",
            where=busy.where,
            consequence="this run did not start",
        ) from None


def _still(busy: Busy, seconds: float | None) -> Busy:
    """Return the error with what waiting had to do with it."""
    waited = f", after {durations.render(seconds)} of waiting" if seconds else ""
    fix = f"{busy.fix}; `--wait 10m` waits for up to 10 minutes" if seconds == 0 else busy.fix
    return Busy(
        busy.what, where=busy.where, consequence=f"{busy.consequence}{waited}", fix=fix, detail=busy.detail
    )
