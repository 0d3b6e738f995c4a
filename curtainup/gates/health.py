"""Waiting for a release to answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Protocol, runtime_checkable

from curtainup.errors import Interrupted, ReleaseUnhealthy
from curtainup.gates.asking import Asking, too_slow, trouble_of_answer, trouble_of_error
from curtainup.gates.http import Answer, FetchError, explain, get_once
from curtainup.model.trouble import Trouble

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.1
"""Seconds between two requests: short at first, because most services start fast."""
INSPECT_EVERY = 0.25
"""Seconds between two inspections of the container; each costs the Docker engine a few ms."""
SHORTEST_REQUEST = 1.0
"""Seconds that the last request gets, even if the deadline passes meanwhile: people see how it ended."""
LASTING = 10.0
"""Seconds for which a release has to give the same wrong answer until nobody waits for another one.

Some services answer 404 for a moment while they start, behind a server that starts faster.
"""


@dataclass(frozen=True)
class Look:
    """The result of one request: the release that the answer names, and how the request failed, if it did."""

    release: str | None
    trouble: str | None


class Suspect(Protocol):
    """Something to inspect when a release does not answer, such as a `container.Container`."""

    @property
    def answers_itself(self) -> bool:
        """Whether nothing else answers in its place while it starts, as the front of a cloud does."""

    def raise_if_down(self) -> None:
        """Raise ReleaseUnhealthy when it has stopped or restarted."""

    def lacks(self) -> Trouble | None:
        """Return what is missing although an answer came: a release may be several copies."""

    def unhealthy(self, url: str, seconds: float, trouble: Trouble) -> ReleaseUnhealthy:
        """Return the error after `seconds` of waiting."""


@runtime_checkable
class Delayed(Protocol):
    """A suspect that may wait for room, such as a node that is added for it: that is not its own slowness."""

    def delay(self) -> float:
        """Return for how many seconds it has waited for room, which do not count."""


def wait_until_healthy(
    url: str,
    asking: Asking,
    suspect: Suspect | None,
    *,
    timeout: float,
    cancelled: Event,
    lasting: float = LASTING,
) -> float:
    """Wait until a release answers 2xx, and all of it is there; return how many seconds that took.

    Args:
        url: where the release answers.
        asking: how it is asked.
        suspect: what to inspect when it does not answer.
        timeout: seconds that it may take in all, once it has room.
        cancelled: ends the wait.
        lasting: seconds after which the same wrong answer of the release itself ends the wait.

    Raises:
        ReleaseUnhealthy: `timeout` seconds have passed, or the same wrong answer came for `lasting` seconds.
            When the container has exited, has restarted or is gone, this is raised at once.
        Interrupted: `cancelled` was set.

    """
    wait = _Wait(url, asking, suspect, time.monotonic(), timeout, cancelled)
    pause, since = FIRST_PAUSE, wait.started
    last: Trouble | None = None
    while (trouble := wait.ask(last)) is not None:
        now = time.monotonic()
        if last is None or trouble.what != last.what:
            since, last = now, trouble
        wait.look()
        if now >= wait.deadline:
            raise wait.failed(replace(trouble, lasting=False))
        if trouble.lasting and suspect is not None and suspect.answers_itself and now - since >= lasting:
            raise wait.failed(trouble)
        wait.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
    return time.monotonic() - wait.started


def answers(url: str, asking: Asking) -> bool:
    """Return whether a release answers 2xx now."""
    return look(url, asking).trouble is None


def trouble_after(url: str, asking: Asking, seconds: float) -> str | None:
    """Ask until a release answers 2xx, for `seconds` at most; return how it fails in the end."""
    deadline = time.monotonic() + seconds
    while (how := look(url, asking).trouble) is not None and time.monotonic() < deadline:
        time.sleep(LONGEST_PAUSE)
    return how


def look(url: str, asking: Asking) -> Look:
    """Send one request, and return what came of it."""
    try:
        answer = _get(url, asking)
    except FetchError as error:
        return Look(None, explain(error))
    return Look(answer.release, None if 200 <= answer.status < 300 else f"HTTP {answer.status}")


def _get(url: str, asking: Asking) -> Answer:
    return get_once(url, asking.path, asking.timeout, asking.headers)


@dataclass
class _Wait:
    """One wait for one release."""

    url: str
    asking: Asking
    suspect: Suspect | None
    started: float
    timeout: float
    cancelled: Event
    inspect_at: float = 0.0

    @property
    def deadline(self) -> float:
        return self.started + self.patience

    @property
    def patience(self) -> float:
        return self.timeout + (self.suspect.delay() if isinstance(self.suspect, Delayed) else 0.0)

    def ask(self, last: Trouble | None) -> Trouble | None:
        """Send one request; return what is wrong with the release, if anything.

        Without an answer at the deadline, that is what the last answer said.

        The request has a thread of its own, so that a slow answer delays neither Ctrl-C, nor the news that
        the container is down, nor the deadline.
        """
        came: SimpleQueue[Answer | Exception] = SimpleQueue()
        Thread(target=_send, args=(self.url, self.asking, came), name="health check", daemon=True).start()
        sent = time.monotonic()
        while True:
            try:
                answer = came.get(timeout=INSPECT_EVERY)
            except Empty:
                self.look()
                self.sleep(0)
                if time.monotonic() >= max(self.deadline, sent + SHORTEST_REQUEST):
                    return last or too_slow(self.asking, time.monotonic() - sent)
                continue
            if isinstance(answer, Answer):
                return trouble_of_answer(self.asking, self.url, answer) or self.lacks()
            if isinstance(answer, FetchError):
                return trouble_of_error(self.asking, answer)
            raise answer

    def look(self) -> None:
        """Inspect the suspect, unless somebody has just done so."""
        if self.suspect and time.monotonic() >= max(self.inspect_at, self.started + FIRST_PAUSE):
            self.suspect.raise_if_down()
            self.inspect_at = time.monotonic() + INSPECT_EVERY

    def lacks(self) -> Trouble | None:
        return self.suspect.lacks() if self.suspect is not None else None

    def sleep(self, seconds: float) -> None:
        if self.cancelled.wait(max(0.0, min(seconds, self.deadline - time.monotonic()))):
            raise Interrupted("interrupted while waiting for the release to answer", where=self.url)

    def failed(self, trouble: Trouble) -> ReleaseUnhealthy:
        seconds = min(self.patience, time.monotonic() - self.started) if trouble.lasting else self.patience
        if self.suspect is not None:
            return self.suspect.unhealthy(self.url, seconds, trouble)
        return ReleaseUnhealthy(
            trouble.headline(seconds),
            where=self.url,
            consequence="the release gets no traffic",
            fix=trouble.fix,
        )


def _send(url: str, asking: Asking, came: SimpleQueue[Answer | Exception]) -> None:
    try:
        came.put(_get(url, asking))
    except Exception as error:
        came.put(error)
