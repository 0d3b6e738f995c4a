"""A run of a schedule: a process group that ends in time, whatever it does."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress

from curtainup.scheduler.memory import CUT_OFF, FAILED, OK, TIMED_OUT, Run
from curtainup.scheduler.place import GRACE
from curtainup.scheduler.plan import Planned

NOT_FOUND, NOT_EXECUTABLE = 127, 126


class Running:
    """A command that has been started."""

    def __init__(self, planned: Planned, run: Run, streams: Sequence[int]) -> None:
        """Start it in a session of its own.

        Args:
            planned: the schedule.
            run: what is remembered of it.
            streams: file descriptors that take what it writes, and its errors.

        Raises:
            OSError: its program cannot be started.

        """
        self.planned, self.run = planned, run
        self._outcome = self._why_ended = ""
        self._is_bounded = False
        self._deadline = time.monotonic() + planned.time_limit
        self._process = _started(planned.command, streams)

    @property
    def deadline(self) -> float:
        """When it has to be looked at if it goes on, by the monotonic clock."""
        return self._deadline

    def bound(self, deadline: float) -> None:
        """Let it go on until a moment of the monotonic clock at most: its scheduler ends then."""
        if not self._outcome and deadline < self._deadline:
            self._deadline, self._is_bounded = deadline, True

    def tend(self) -> bool:
        """End it if its time is over; return whether it has ended."""
        if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            self._signal(signal.SIGKILL)  # what it has left behind
            self._process.wait()
            return True
        if time.monotonic() >= self._deadline:
            self._end()
        return False

    def _end(self) -> None:
        if self._outcome:
            self._signal(signal.SIGKILL)
            self._deadline = float("inf")
            return
        self._outcome = CUT_OFF if self._is_bounded else TIMED_OUT
        limit = self.planned.stop_timeout if self._is_bounded else self.planned.time_limit
        after = " after its container was to end" if self._is_bounded else ""
        self._why_ended = f"it went on for more than {limit:g} s{after}"
        self._signal(signal.SIGTERM)
        self._deadline = time.monotonic() + GRACE

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def result(self) -> tuple[str, int, str]:
        """Return how it has ended: its outcome, its exit code, and why it did not end well."""
        code = self._process.returncode
        shown = 128 - code if code < 0 else code
        if self._outcome:
            return self._outcome, shown, self._why_ended
        if code < 0:
            return FAILED, shown, f"ended by {_named(-code)}{_memory(-code)}"
        return (FAILED, shown, f"exit code {code}") if code else (OK, 0, "")


def _started(command: Sequence[str], streams: Sequence[int]) -> subprocess.Popen[bytes]:
    out, err = streams
    try:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
    except ValueError as error:  # a word with a null byte, or with a letter that the locale has not
        raise OSError(errno.EINVAL, str(error), command[0]) from error


def not_started(error: OSError) -> tuple[str, int, str]:
    """Return how a run has ended whose program cannot be started."""
    code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    return FAILED, code, f"its command did not start: {error.strerror}: {error.filename}"


def _named(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # Python has no name for most of the real-time signals
        return f"signal {number}"


def _memory(number: int) -> str:
    return ", perhaps because it used more memory than it may" if number == signal.SIGKILL else ""
