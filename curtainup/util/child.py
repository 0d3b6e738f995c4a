"""A process whose output waits in a pipe, whoever has started it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import Protocol


class Lost(Exception):
    """Nobody can tell any more how a process ended, or whether it began.

    Args:
        has_begun: whether it is known to have begun.

    """

    def __init__(self, *, has_begun: bool) -> None:
        super().__init__()
        self.has_begun = has_begun


class Child(Protocol):
    """A process with a group of its own, whose output waits in a pipe."""

    @property
    def output(self) -> int:
        """The descriptor of the pipe."""

    def has_ended(self) -> bool:
        """Return whether it has ended. It stays a zombie, so that no other group can get its number yet.

        Raises:
            Lost: nobody can tell any more.

        """

    def signal(self, number: signal.Signals) -> None:
        """Signal its group."""

    def wait(self) -> int:
        """Let the zombie go, and return the exit code as in `subprocess`."""

    def close(self) -> None:
        """Close all descriptors, and wait until nothing is left."""


class Started:
    """A process that this one has started."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def output(self) -> int:
        """The descriptor of the pipe."""
        assert self._process.stdout is not None  # noqa: S101 - `start` asks for it
        return self._process.stdout.fileno()

    def has_ended(self) -> bool:
        """Return whether it has ended, and do not reap it."""
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, options) is not None

    def signal(self, number: signal.Signals) -> None:
        """Signal its group, as long as the group's number is still its own."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # only a zombie is left
                os.killpg(self._process.pid, number)

    def wait(self) -> int:
        """Reap it, and return its exit code."""
        return self._process.wait()

    def close(self) -> None:
        """Close the pipe, and reap the process."""
        with self._process:
            pass
