"""The probe: a steady stream of requests to one URL while traffic moves, as evidence of a clean switch.

Half of the workers keep their connection, as browsers and load balancers do; the other half open a
new connection for each request. Requests start at a fixed rate. A worker that waits for a slow answer skips
the beats that it missed, and sends no burst afterwards.
"""

from __future__ import annotations

import math
import threading
import time
from array import array
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from curtainup.gates.http import FetchError, connect, explain, get, target

MOST_FAILURES = 20
"""How many failures the result describes; it counts all of them."""


@dataclass(frozen=True)
class Failure:
    """One failed request: when it started (UTC, ISO 8601), in which phase, and how it failed."""

    at: str
    phase: str
    what: str


@dataclass(frozen=True)
class Phase:
    """The requests that started in one phase, with the latencies in ms of the successful ones, if any."""

    phase: str
    total: int
    failed: int
    min_ms: float | None
    median_ms: float | None
    p95_ms: float | None
    max_ms: float | None


@dataclass(frozen=True)
class Segment:
    """The answers of one release in one phase, from the first to the last (UTC, ISO 8601).

    `release` is None for answers that name no release.
    """

    phase: str
    release: str | None
    first_seen: str
    last_seen: str
    count: int


@dataclass(frozen=True)
class ProbeResult:
    """The result of a probe. `failures` holds the first 20 failures; `failed` counts all of them."""

    url: str
    started: str
    seconds: float
    total: int
    failed: int
    failures: tuple[Failure, ...]
    phases: tuple[Phase, ...]
    releases: tuple[Segment, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the result in plain JSON types."""
        return asdict(self)


class Probe:
    """Sends `rate` requests a second to `path` below `url`, from `start` to `stop`.

    A request fails when the connection fails or closes without an answer, when the answer takes more than
    `timeout` seconds, or when its status is 500 or higher. The probe retries nothing, not even on kept
    connections, because a client would not repeat a POST either.

    Raises ValueError when `url` is not http(s)://host….
    """

    def __init__(
        self, url: str, path: str = "/ping", *, rate: float = 50.0, timeout: float = 5.0, workers: int = 4
    ) -> None:
        connect(url, timeout)
        self._url = url
        self._path = target(url, path)
        self._timeout = timeout
        self._interval = 1.0 / rate
        self._stopping = threading.Event()
        self._tally = _Tally()
        self._threads = [
            threading.Thread(target=self._run, args=(number,), name=f"probe-{number}", daemon=True)
            for number in range(workers)
        ]

    @property
    def failed_so_far(self) -> int:
        """How many requests have failed so far."""
        return self._tally.failed

    @property
    def total_so_far(self) -> int:
        """How many requests have ended so far, failed or not."""
        return self._tally.total

    def start(self) -> None:
        """Start to send requests, in the phase `before`."""
        for thread in self._threads:
            thread.start()

    def mark(self, phase: str) -> None:
        """Count requests from now on in `phase`: `before`, `during` or `after`."""
        self._tally.phase = phase

    def wait_for(self, count: int, timeout: float) -> bool:
        """Wait until `count` more requests have ended; return False if that takes over `timeout` seconds."""
        return self._tally.wait_for(count, timeout)

    def stop(self) -> ProbeResult:
        """Stop sending, wait for outstanding answers up to their time-out, and return the result."""
        self._stopping.set()
        deadline = time.monotonic() + self._timeout + 1.0
        started = [thread for thread in self._threads if thread.ident]
        for thread in started:
            thread.join(max(0.0, deadline - time.monotonic()))
        stuck = sum(thread.is_alive() for thread in started)
        return self._tally.close(self._url, stuck)

    def _run(self, number: int) -> None:
        """Send a request at this worker's beats, every n-th of n workers, until the probe stops."""
        keep_alive = number % 2 == 0
        headers = {"User-Agent": "curtainup-probe"} | ({} if keep_alive else {"Connection": "close"})
        connection = connect(self._url, self._timeout)
        period = self._interval * len(self._threads)
        beat = time.monotonic() + number * self._interval
        while not self._stopping.wait(max(0.0, beat - time.monotonic())):
            phase, at, start = self._tally.phase, time.time(), time.monotonic()
            release, trouble = None, None
            try:
                answer = get(connection, self._path, start + self._timeout, headers)
            except FetchError as error:
                trouble = explain(error)
            else:
                release, trouble = answer.release, f"HTTP {answer.status}" if answer.status >= 500 else None
            self._tally.add(phase, at, time.monotonic() - start, release, trouble)
            if not keep_alive:
                connection.close()
            beat += period * max(1, math.ceil((time.monotonic() - beat) / period))
        connection.close()


class _Tally:
    """The counts of all workers; needs 4 bytes a request."""

    def __init__(self) -> None:
        self.phase = "before"
        self.total = 0
        self.failed = 0
        self._ended = threading.Condition()
        self._started = time.time()
        self._closed = False
        self._latencies: dict[str, array[float]] = {}
        self._failed_in: Counter[str] = Counter()
        self._failures: list[Failure] = []
        self._segments: dict[tuple[str, str | None], Segment] = {}

    def add(self, phase: str, at: float, seconds: float, release: str | None, trouble: str | None) -> None:
        with self._ended:
            if self._closed:
                return
            self.total += 1
            latencies = self._latencies.setdefault(phase, array("f"))
            if trouble:
                self._fail(phase, at, trouble)
            else:
                latencies.append(seconds * 1000)
                self._saw(phase, release, _iso(at + seconds))
            self._ended.notify_all()

    def wait_for(self, count: int, timeout: float) -> bool:
        with self._ended:
            wanted = self.total + count
            return self._ended.wait_for(lambda: self.total >= wanted, timeout)

    def close(self, url: str, stuck: int) -> ProbeResult:
        """Stop counting and return the result; the `stuck` requests that never ended count as failed."""
        ended = time.time()
        for _ in range(stuck):
            self.add(self.phase, ended, 0.0, None, "no answer before the probe stopped")
        with self._ended:
            self._closed = True
            return ProbeResult(
                url=url,
                started=_iso(self._started),
                seconds=round(ended - self._started, 3),
                total=self.total,
                failed=self.failed,
                failures=tuple(self._failures),
                phases=tuple(
                    _phase(phase, values, self._failed_in[phase]) for phase, values in self._latencies.items()
                ),
                releases=tuple(self._segments.values()),
            )

    def _fail(self, phase: str, at: float, what: str) -> None:
        self.failed += 1
        self._failed_in[phase] += 1
        if len(self._failures) < MOST_FAILURES:
            self._failures.append(Failure(_iso(at), phase, what))

    def _saw(self, phase: str, release: str | None, at: str) -> None:
        seen = self._segments.get((phase, release))
        first, count = (seen.first_seen, seen.count) if seen else (at, 0)
        self._segments[phase, release] = Segment(phase, release, first, at, count + 1)


def _phase(phase: str, latencies: array[float], failed: int) -> Phase:
    """Return the figures of one phase; the p-th percentile is the smallest value that p % do not exceed."""
    ordered = sorted(latencies)

    def rank(share: float) -> float | None:
        return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 2) if ordered else None

    return Phase(phase, len(ordered) + failed, failed, rank(0.0), rank(0.5), rank(0.95), rank(1.0))


def _iso(at: float) -> str:
    """Format seconds since the epoch as UTC, ISO 8601 with milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
