"""Runs a process in its own session, reads its output line by line, and can stop it with its children."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from curtainup.util import descendants
from curtainup.util.child import Child, Lost, Started

TICK = 0.1  # seconds between looks at the clock and at `cancel`
GRACE = 5.0  # seconds that a process has to end after SIGINT
LONGEST_LINE = 1 << 16
"""Bytes of a line of output that are kept."""
MOST_REPORT = 32 << 20
"""Bytes of a report; of a larger one the rest is lost, so that nothing can read it."""


class Cancel(Protocol):
    """Something that can be set, such as a `threading.Event`."""

    def is_set(self) -> bool:
        """Return whether it is set."""


class Ended(Enum):
    """Why a process ended."""

    BY_ITSELF = "by itself"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Finished:
    """The end of a process: its `returncode` as in `subprocess`, and its `report` from the second pipe."""

    returncode: int
    ended: Ended
    report: bytes


class Lines:
    """Splits bytes into lines of text, without the line ends; of a line too long it keeps the beginning."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._line = bytearray()
        self._left_out = 0

    def feed(self, data: bytes) -> None:
        """Pass on each complete line."""
        first, *others = data.split(b"\n")
        self._add(first)
        for piece in others:
            self._end()
            self._add(piece)

    def close(self) -> None:
        """Pass on a last line that has no line end."""
        if self._line:
            self._end()

    def _add(self, piece: bytes) -> None:
        room = LONGEST_LINE - len(self._line)
        self._line += piece[:room]
        self._left_out += max(0, len(piece) - room)

    def _end(self) -> None:
        text = self._line.decode("utf-8", "replace").rstrip("\r")
        if self._left_out:
            text += f"… ({self._left_out} bytes more)"
        self._line.clear()
        self._left_out = 0
        self._on_line(text)


class Running:
    """A started process; the caller must follow it to its end, or stop it.

    It has its own session, so it gets no Ctrl-C from the terminal: the driver decides what stops.
    """

    def __init__(self, child: Child, report: int, mark: str) -> None:
        self._child = child
        self._report = report
        self._mark = mark

    def follow(self, *, on_line: Callable[[str], None], timeout: float, cancel: Cancel) -> Finished:
        """Read the output until the process ends; if necessary stop its group with SIGINT, then SIGKILL.

        Args:
            on_line: receives each line of standard output and standard error.
            timeout: seconds from now, after which the process is stopped.
            cancel: stops the process when set.

        Raises:
            Lost: nobody can tell any more how it ended; everything that it has started is ended.

        """
        with (
            contextlib.closing(self._child),
            open(self._report, "rb", buffering=0) as report,  # noqa: PTH123 - a descriptor
        ):
            try:
                supervisor = _Supervisor(self._child, self._end_all, on_line, timeout, cancel)
                return supervisor.run(report.fileno())
            except BaseException:
                self._end_all()
                raise

    def stop(self) -> None:
        """End the process and its children, and discard the output."""
        at_once = threading.Event()
        at_once.set()
        with contextlib.suppress(Lost):
            self.follow(on_line=lambda _: None, timeout=GRACE, cancel=at_once)

    def _end_all(self) -> None:
        """Kill the process and everything that it has started."""
        self._child.signal(signal.SIGKILL)
        descendants.end(self._mark)


def start(argv: Callable[[str], Sequence[str]], *, cwd: Path, env: Mapping[str, str]) -> Running:
    """Start a process. Its output waits in pipes until `follow` reads it.

    When it has ended, whatever it has started is ended too, in whatever session that runs.

    Args:
        argv: builds the command from the path of a pipe. The process may write a report to that pipe; as it
            is no file, nothing of the report reaches a disk before it is redacted.
        cwd: the folder in which the process runs.
        env: all variables of the process.

    Raises:
        OSError: the process does not start.

    """
    source, sink = os.pipe()
    mark = descendants.new_mark()
    try:
        process = subprocess.Popen(
            argv(f"/dev/fd/{sink}"),
            cwd=cwd,
            env={**env, descendants.VARIABLE: mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(sink,),
        )
    except OSError:
        os.close(source)
        raise
    finally:
        os.close(sink)
    return Running(Started(process), source, mark)


class _Supervisor:
    """Reads a process's pipes and watches the clock, all in one thread."""

    def __init__(
        self,
        child: Child,
        end_all: Callable[[], None],
        on_line: Callable[[str], None],
        timeout: float,
        cancel: Cancel,
    ) -> None:
        self._child = child
        self._end_all = end_all
        self._lines = Lines(on_line)
        self._report = bytearray()
        self._deadline = time.monotonic() + timeout
        self._cancel = cancel
        self._ended = Ended.BY_ITSELF

    def run(self, report: int) -> Finished:
        """Read both pipes until the process has ended, and then the rest of their content."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._child.output, selectors.EVENT_READ, self._lines.feed)
            selector.register(report, selectors.EVENT_READ, self._keep)
            while not self._child.has_ended():
                self._read(selector, TICK)
                self._watch()
            self._end_all()
            until = time.monotonic() + GRACE
            while self._read(selector, 0) and time.monotonic() < until:
                pass
        self._lines.close()
        return Finished(self._child.wait(), self._ended, bytes(self._report))

    def _keep(self, data: bytes) -> None:
        self._report += data[: MOST_REPORT - len(self._report)]

    def _read(self, selector: selectors.BaseSelector, wait: float) -> bool:
        """Wait up to `wait` seconds for data and pass it on; return whether there was any."""
        if not selector.get_map():
            time.sleep(min(wait, TICK / 10))  # both pipes are closed, so the process ends in a moment
            return False
        ready = selector.select(wait)
        for key, _ in ready:
            data = os.read(key.fd, 65536)
            if data:
                key.data(data)
            else:
                selector.unregister(key.fd)
        return bool(ready)

    def _watch(self) -> None:
        """Send SIGINT on time-out or cancellation, and SIGKILL if the process does not end."""
        if self._ended is Ended.BY_ITSELF and self._cancel.is_set():
            self._interrupt(Ended.STOPPED)
        elif time.monotonic() < self._deadline:
            return
        elif self._ended is Ended.BY_ITSELF:
            self._interrupt(Ended.TIMED_OUT)
        else:
            self._child.signal(signal.SIGKILL)

    def _interrupt(self, why: Ended) -> None:
        self._ended = why
        self._deadline = time.monotonic() + GRACE
        self._child.signal(signal.SIGINT)


LOOK = 0.5
"""Seconds of one wait: Python handles a signal that arrives just before a wait only when that wait ends."""
