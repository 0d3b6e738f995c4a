"""What the probe counts: requests by phase and by the release that answered."""

from __future__ import annotations

import math
import threading
import time
from array import array
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

MOST_FAILURES = 20
"""How many failures the result describes; it counts all of them."""


@dataclass(frozen=True)
class Failure:
    """One failed request: when it started (UTC, ISO 8601), in which phase, and how it failed.

    `release` is the release that gave the answer; None if no answer came, or if the answer names none.
    """

    at: str
    phase: str
    what: str
    release: str | None = None


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


@dataclass(frozen=True)
class Count:
    """How many requests ended, and how many of them failed."""

    total: int = 0
    failed: int = 0

    def __add__(self, other: Count) -> Count:
        """Return both together."""
        return Count(self.total + other.total, self.failed + other.failed)

    @property
    def rate(self) -> float:
        """The share of failed requests, from 0 to 1; 0 without requests."""
        return self.failed / self.total if self.total else 0.0


@dataclass(frozen=True, eq=False)
class Request:
    """A request under way: its phase, and when it started by the calendar and by the monotonic clock."""

    phase: str
    at: float
    started: float


class Tally:
    """The counts of all workers; needs 4 bytes a request."""

    def __init__(self) -> None:
        self.phase = "before"
        self.total = 0
        self.failed = 0
        self._ended = threading.Condition()
        self._started = time.time()
        self._closed = False
        self._under_way: set[Request] = set()
        self._latencies: dict[str, array[float]] = {}
        self._counts: dict[tuple[str, str | None], Count] = {}
        self._failures: list[Failure] = []
        self._segments: dict[tuple[str, str | None], Segment] = {}

    def begin(self) -> Request:
        """Note that a request starts in the present phase."""
        with self._ended:
            request = Request(self.phase, time.time(), time.monotonic())
            self._under_way.add(request)
            return request

    def end(self, request: Request, release: str | None, trouble: str | None) -> None:
        """Note that a request ended.

        Args:
            request: the request.
            release: the release that the answer names; None if there is no answer, or it names none.
            trouble: how the request failed; None if it did not.

        """
        seconds = time.monotonic() - request.started
        with self._ended:
            self._under_way.discard(request)
            if self._closed:
                return
            phase = request.phase
            self.total += 1
            self._counts[phase, release] = self.count(phase, release) + Count(1, int(trouble is not None))
            latencies = self._latencies.setdefault(phase, array("f"))
            if trouble:
                self._fail(request, release, trouble)
            else:
                latencies.append(seconds * 1000)
                self._saw(phase, release, _iso(request.at + seconds))
            self._ended.notify_all()

    def count(self, phase: str, release: str | None) -> Count:
        """Return the requests of a phase that a release answered; None is for those of an unknown release."""
        return self._counts.get((phase, release), Count())

    def count_of_phase(self, phase: str) -> Count:
        """Return all requests of a phase, whoever answered."""
        with self._ended:
            return sum((count for (name, _), count in self._counts.items() if name == phase), Count())

    def unanswered(self, phase: str, seconds: float) -> int:
        """Return how many requests of a phase are still under way after that many seconds."""
        limit = time.monotonic() - seconds
        with self._ended:
            return sum(one.phase == phase and one.started < limit for one in self._under_way)

    def wait_for(self, count: int, timeout: float) -> bool:
        """Wait until `count` more requests have ended; return False if that takes over `timeout` seconds."""
        with self._ended:
            wanted = self.total + count
            return self._ended.wait_for(lambda: self.total >= wanted, timeout)

    def close(self, url: str) -> ProbeResult:
        """Stop counting and return the result; requests that have not ended count as failed."""
        ended = time.time()
        with self._ended:
            for request in tuple(self._under_way):
                self.end(request, None, "no answer before the probe stopped")
            self._closed = True
            return ProbeResult(
                url=url,
                started=_iso(self._started),
                seconds=round(ended - self._started, 3),
                total=self.total,
                failed=self.failed,
                failures=tuple(self._failures),
                phases=tuple(
                    _phase(phase, values, self.count_of_phase(phase).failed)
                    for phase, values in self._latencies.items()
                ),
                releases=tuple(self._segments.values()),
            )

    def _fail(self, request: Request, release: str | None, what: str) -> None:
        self.failed += 1
        if len(self._failures) < MOST_FAILURES:
            self._failures.append(Failure(_iso(request.at), request.phase, what, release))

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
