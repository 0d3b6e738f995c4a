"""One process in a session of its own, read as it speaks, and stopped with all it started."""

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

TICK = 0.1  # seconds between looks at the clock and at `cancel`
GRACE = 5.0  # seconds that a process has to end after SIGINT


class Ended(Enum):
    """How a process came to its end."""

    BY_ITSELF = "by itself"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Finished:
    """`returncode` is as in `subprocess`: negative for a signal. `report` came by the second pipe."""

    returncode: int
    ended: Ended
    report: bytes


class Lines:
    """Cuts bytes into lines of text, without their ends."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Pass on each line that is whole."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._on_line(line.decode("utf-8", "replace").rstrip("\r"))

    def close(self) -> None:
        """Pass on a last line without an end."""
        if self._rest:
            self.feed(b"\n")


class Running:
    """A process that was started; it must be followed to its end, or stopped.

    Being in its own session it gets no Ctrl-C from the terminal: the driver decides what is stopped.
    """

    def __init__(self, process: subprocess.Popen[bytes], report: int) -> None:
        self._process = process
        self._report = report

    def follow(self, *, on_line: Callable[[str], None], timeout: float, cancel: threading.Event) -> Finished:
        """Read what it says until it ends, or stop it with SIGINT and then SIGKILL to its whole group.

        Args:
            on_line: takes each line of its output and errors.
            timeout: seconds, from now.
            cancel: stops it when set.

        """
        with self._process, open(self._report, "rb", buffering=0) as report:  # noqa: PTH123 - a descriptor
            try:
                return _Supervisor(self._process, on_line, timeout, cancel).run(report.fileno())
            finally:
                _signal_group(self._process, signal.SIGKILL)

    def stop(self) -> None:
        """End it, with what it has started, and drop what it says."""
        at_once = threading.Event()
        at_once.set()
        self.follow(on_line=lambda _: None, timeout=GRACE, cancel=at_once)


def start(
    argv: Callable[[str], Sequence[str]], *, cwd: Path, env: Mapping[str, str], pass_fds: Sequence[int] = ()
) -> Running:
    """Start a process. What it says waits in its pipes until it is followed.

    Args:
        argv: builds the command from the path of a pipe, which the process may write a report to. A pipe,
            so that what the report shows reaches no disk before it is redacted.
        cwd: where it runs.
        env: all of its variables.
        pass_fds: further descriptors that it gets.

    Raises:
        OSError: it cannot be started.

    """
    source, sink = os.pipe()
    try:
        process = subprocess.Popen(
            argv(f"/dev/fd/{sink}"),
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(sink, *pass_fds),
        )
    except OSError:
        os.close(source)
        raise
    finally:
        os.close(sink)
    return Running(process, source)


class _Supervisor:
    """Reads a process's pipes and watches the clock, all in one thread."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        on_line: Callable[[str], None],
        timeout: float,
        cancel: threading.Event,
    ) -> None:
        self._process = process
        self._lines = Lines(on_line)
        self._report = bytearray()
        self._deadline = time.monotonic() + timeout
        self._cancel = cancel
        self._ended = Ended.BY_ITSELF

    def run(self, report: int) -> Finished:
        """Read both pipes until the process has ended, and then what is left in them."""
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout.fileno(), selectors.EVENT_READ, self._lines.feed)
            selector.register(report, selectors.EVENT_READ, self._report.extend)
            while not _has_exited(self._process):
                self._read(selector, TICK)
                self._watch()
            _signal_group(self._process, signal.SIGKILL)
            while self._read(selector, 0) and time.monotonic() < self._deadline:
                pass
        self._lines.close()
        return Finished(self._process.wait(), self._ended, bytes(self._report))

    def _read(self, selector: selectors.BaseSelector, wait: float) -> bool:
        """Pass on what there is, waiting `wait` seconds at most; whether anything came."""
        if not selector.get_map():
            time.sleep(min(wait, TICK / 10))  # both pipes are closed, and its end is a moment away
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
        """Send SIGINT when the time is over or someone cancels, and SIGKILL if that does not help."""
        if self._ended is Ended.BY_ITSELF and self._cancel.is_set():
            self._interrupt(Ended.STOPPED)
        elif time.monotonic() < self._deadline:
            return
        elif self._ended is Ended.BY_ITSELF:
            self._interrupt(Ended.TIMED_OUT)
        else:
            _signal_group(self._process, signal.SIGKILL)

    def _interrupt(self, why: Ended) -> None:
        self._ended = why
        self._deadline = time.monotonic() + GRACE
        _signal_group(self._process, signal.SIGINT)


def _has_exited(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended, without reaping it: until then its group's number is nobody else's."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal it and what it has started, while the group's number is still its own."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # only its zombie is left
            os.killpg(process.pid, number)


LOOK = 0.5
"""Seconds of one wait: a signal that comes just before Python begins to wait is only heard when it ends."""
