"""A gate whose pytest starts and collects its tests while the release under test is still starting.

An early start counts only if a start after the go signal would give the same result: pytest must have
collected without an error, without a request to the service or anything else, and not long ago. Otherwise
the gate starts again, and only that run counts. `curtainup_acceptance.go` is the other side.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from curtainup.gates.go import Go
from curtainup.gates.log import OnLine, log_of
from curtainup.gates.models import GateRequest, GateResult, LocalInterpreter
from curtainup.gates.suite import judge, run_gate, start
from curtainup.util.process import Cancel, Ended, Running

FRESH = 30.0
"""Seconds after which a value that a suite created at import, such as a token, may be too old."""


def prepare_gate(request: GateRequest) -> PreparedGate:
    """Start a gate's pytest, if it runs on this machine; it waits before its first test."""
    return PreparedGate(request, _start(request))


class PreparedGate:
    """A gate that the caller runs once or abandons; leaving its context abandons a gate that was not run."""

    def __init__(self, request: GateRequest, waiting: _Waiting | None) -> None:
        self._request = request
        self._waiting = waiting

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()

    def run(self, *, on_line: OnLine | None = None, cancel: Cancel | None = None) -> GateResult:
        """Send the go signal and run the tests to their end; `timeout` and `seconds` count from now.

        Args and errors are those of `run_gate`. `on_line` gets lines from before the go signal after it.
        """
        if self._waiting is not None and self._waiting.is_old:
            self.abandon()
        result = None
        if self._waiting is not None:
            result = self._run_warm(self._waiting, on_line, cancel or threading.Event())
        return result or run_gate(self._request, on_line=on_line, cancel=cancel)

    def abandon(self) -> None:
        """End a waiting process with SIGINT, and with SIGKILL if it has not ended after `GRACE` seconds."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.go.close()
            waiting.running.stop()

    def _run_warm(self, waiting: _Waiting, on_line: OnLine | None, cancel: Cancel) -> GateResult | None:
        """Run the tests; return None if pytest ended before it took the go signal."""
        started = time.monotonic()
        self._request.folder.mkdir(parents=True, exist_ok=True)
        with log_of(self._request, on_line) as log, waiting.go as go:
            self._waiting = None
            go.give()
            held = _Held(log.add, lambda: go.taken)
            timeout = self._request.timeout
            finished = waiting.running.follow(on_line=held.add, timeout=timeout, cancel=cancel)
            if finished.ended is Ended.BY_ITSELF and not go.taken:
                return None
            held.release()
        return judge(self._request, finished, log, time.monotonic() - started)


@dataclass(frozen=True)
class _Waiting:
    """A process that waits for its go signal, or soon will."""

    running: Running
    go: Go
    since: float

    @property
    def is_old(self) -> bool:
        return time.monotonic() - self.since > FRESH


def _start(request: GateRequest) -> _Waiting | None:
    """Start pytest; return None if it cannot start here: `run` then raises the error."""
    if not isinstance(request.interpreter, LocalInterpreter):
        return None
    go = Go()
    try:
        return _Waiting(start(request, request.interpreter, go), go, time.monotonic())
    except OSError:
        go.close()
        return None


class _Held:
    """Holds lines back until pytest takes the go signal; an early start that does not count prints none."""

    def __init__(self, on_line: OnLine, is_open: Callable[[], bool]) -> None:
        self._on_line = on_line
        self._is_open = is_open
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        """Take one line."""
        self._lines.append(line)
        if self._is_open():
            self.release()

    def release(self) -> None:
        """Pass on the lines held back."""
        for line in self._lines:
            self._on_line(line)
        self._lines.clear()
