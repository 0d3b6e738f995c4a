"""A gate whose pytest starts and collects while what it tests is still being brought up.

What such a start has found out is only used where it cannot differ from a start after the go: pytest must
have collected without an error, without asking the service or anything else, and not long ago. Otherwise
the gate starts once more, and that run alone counts. See `curtainup_acceptance.go` for the other side.
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
from curtainup.util.process import Ended, Running

FRESH = 30.0
"""Seconds after which what a suite made when it was imported, such as a token, may be too old."""


def prepare_gate(request: GateRequest) -> PreparedGate:
    """Start a gate's pytest, which then waits before its first test, if it is to run on this machine."""
    return PreparedGate(request, _start(request))


class PreparedGate:
    """A gate that is run once, or abandoned; as a context manager it is abandoned if it was not run."""

    def __init__(self, request: GateRequest, waiting: _Waiting | None) -> None:
        self._request = request
        self._waiting = waiting

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()

    def run(self, *, on_line: OnLine | None = None, cancel: threading.Event | None = None) -> GateResult:
        """Give the go and run the tests to their end; `timeout` and `seconds` count from now.

        Args and errors are those of `run_gate`. Lines that were printed before the go come after it.
        """
        if self._waiting is not None and self._waiting.is_old:
            self.abandon()
        result = None
        if self._waiting is not None:
            result = self._run_warm(self._waiting, on_line, cancel or threading.Event())
        return result or run_gate(self._request, on_line=on_line, cancel=cancel)

    def abandon(self) -> None:
        """End the process if it waits: with SIGINT, and if that does not help in `GRACE` seconds, SIGKILL."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.go.close()
            waiting.running.stop()

    def _run_warm(
        self, waiting: _Waiting, on_line: OnLine | None, cancel: threading.Event
    ) -> GateResult | None:
        """Run the tests, or return None if pytest has ended without taking the go."""
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
        return judge(self._request, finished, log.end, time.monotonic() - started)


@dataclass(frozen=True)
class _Waiting:
    """A process that waits for its go, or is about to."""

    running: Running
    go: Go
    since: float

    @property
    def is_old(self) -> bool:
        return time.monotonic() - self.since > FRESH


def _start(request: GateRequest) -> _Waiting | None:
    """Nothing waits where nothing can be started: running the gate then says why."""
    if not isinstance(request.interpreter, LocalInterpreter):
        return None
    go = Go()
    try:
        return _Waiting(start(request, request.interpreter.python, go), go, time.monotonic())
    except OSError:
        go.close()
        return None


class _Held:
    """Holds lines back until the go is taken: a gate that starts again has said nothing."""

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
        """Pass on what was held back."""
        for line in self._lines:
            self._on_line(line)
        self._lines.clear()
