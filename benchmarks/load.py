"""Load for the switches: kept connections by wrk, new connections and slow requests by threads.

It goes to loopback only. Every failure is kept with who failed, when, and during which switch.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from curtainup.gates.http import FetchError, connect, explain, get

TIMEOUT = 10.0
"""Seconds after which a request has failed."""
KEPT, NEW, SLOW = 16, 2, 6
"""How many connections are kept, how many users open new ones, and how many slow requests are under way."""
SLOW_SECONDS = 3
PAUSE = 0.005
"""Seconds between two requests of a user with new connections: the cores are needed for the rest too."""
LONGEST = 300
"""Seconds after which wrk ends by itself."""

_REQUESTS = re.compile(r"(\d+) requests in")
_SOCKET = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
_STATUS = re.compile(r"Non-2xx or 3xx responses: (\d+)")


@dataclass(frozen=True)
class Failure:
    """Failed requests: whose, during which switch, when the request (or wrk) began, and what was wrong."""

    who: str
    switch: int
    at: str
    what: str
    count: int = 1


@dataclass(frozen=True)
class Span:
    """One slow request that was answered: when it began and ended (`time.time`), and by which release."""

    began: float
    ended: float
    release: str | None


@dataclass
class Seen:
    """What all users have seen.

    Attributes:
        requests: how many have ended, well or not, by kind of user.
        failures: those that failed.
        slow: the slow requests that were answered.
        first: by switch, when a new connection was first answered by a release, by release.
        switch: the number of the switch under way.

    """

    requests: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    slow: list[Span] = field(default_factory=list)
    first: dict[tuple[int, str | None], float] = field(default_factory=dict)
    switch: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def failed(self) -> int:
        """How many requests failed."""
        return sum(failure.count for failure in self.failures)

    def fail(self, who: str, at: float, what: str, count: int = 1) -> None:
        """Note failed requests; they are in `requests` already."""
        moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        self.failures.append(Failure(who, self.switch, moment, what, count))


class Users:
    """Users with new connections and with slow requests, from entering to leaving.

    `host` is for whom they ask, where the URL's own host does not say it.
    """

    def __init__(self, url: str, seen: Seen, host: str | None = None) -> None:
        self._url = url
        self._seen = seen
        self._headers = {"Connection": "close"} | ({"Host": host} if host else {})
        self._done = threading.Event()
        works: list[Callable[[], None]] = [self._new] * NEW + [self._slow] * SLOW
        self._threads = [threading.Thread(target=work, daemon=True) for work in works]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
            self._done.wait(SLOW_SECONDS / SLOW)  # so that the slow ones do not all end at once
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _new(self) -> None:
        while not self._done.wait(PAUSE):
            self._ask("new connections", "/ping")

    def _slow(self) -> None:
        while not self._done.is_set():
            began = time.time()
            release = self._ask("slow requests", f"/slow?seconds={SLOW_SECONDS}")
            with self._seen.lock:
                self._seen.slow.append(Span(began, time.time(), release))

    def _ask(self, who: str, path: str) -> str | None:
        """Send one request on a connection of its own, count it, and return the release that answered."""
        began = time.time()
        trouble, release = None, None
        connection = connect(self._url, TIMEOUT)
        try:
            answer = get(connection, path, time.monotonic() + TIMEOUT, self._headers)
            release = answer.release
            trouble = None if answer.status == 200 else f"HTTP {answer.status}"
        except FetchError as error:
            trouble = explain(error)
        finally:
            connection.close()
        with self._seen.lock:
            self._seen.requests[who] = self._seen.requests.get(who, 0) + 1
            self._seen.first.setdefault((self._seen.switch, release), time.time())
            if trouble:
                self._seen.fail(who, began, trouble)
        return release


class KeptConnections:
    """Requests on kept connections as fast as they are answered, by wrk, for one switch."""

    WHO = "kept connections"

    def __init__(self, url: str, seen: Seen, host: str | None = None) -> None:
        self._seen = seen
        self._began = time.time()
        named = ["-H", f"Host: {host}"] if host else []
        command = ["wrk", "-t1", f"-c{KEPT}", f"-d{LONGEST}s", f"--timeout={TIMEOUT:.0f}s", *named]
        self._process = subprocess.Popen([*command, f"{url}/ping"], stdout=subprocess.PIPE, text=True)

    def stop(self) -> None:
        """End it and count what it has seen."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        said, _ = self._process.communicate()
        requests, failures = parse(said)
        with self._seen.lock:
            total = requests + sum(count for what, count in failures.items() if what.startswith("socket"))
            self._seen.requests[self.WHO] = self._seen.requests.get(self.WHO, 0) + total
            for what, count in failures.items():
                self._seen.fail(self.WHO, self._began, what, count)


def wrk_is_there() -> bool:
    """Whether kept connections can be driven by wrk (Debian's package of that name)."""
    return shutil.which("wrk") is not None


def parse(said: str) -> tuple[int, dict[str, int]]:
    """Return from wrk's summary how many requests were answered, and by kind how many failed.

    Raises:
        ValueError: it is no summary of wrk's.

    """
    answered = _REQUESTS.search(said)
    if answered is None:
        raise ValueError(f"wrk said no count of requests: {said[-500:]!r}")
    failures: dict[str, int] = {}
    if found := _SOCKET.search(said):
        kinds = ("socket: connect", "socket: read", "socket: write", "socket: timeout")
        failures |= {
            kind: int(count) for kind, count in zip(kinds, found.groups(), strict=True) if int(count)
        }
    if found := _STATUS.search(said):
        failures["HTTP status"] = int(found[1])
    return int(answered[1]), failures
