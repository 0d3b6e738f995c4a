"""The terminal, or the files, that a command of the deployer's reads from and writes to."""

from __future__ import annotations

import os
import signal
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

HANDLED = (signal.SIGWINCH, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that are passed on to whoever works for the terminal."""


@dataclass(frozen=True)
class Terminal:
    """Where a command reads from and writes to, by file descriptors.

    Attributes:
        stdin: what it reads.
        stdout: takes what it prints.
        stderr: takes its errors.

    """

    stdin: int = 0
    stdout: int = 1
    stderr: int = 2

    @property
    def is_one(self) -> bool:
        """Whether a person sits there: what is read and what is written are a terminal."""
        return os.isatty(self.stdin) and os.isatty(self.stdout)

    @property
    def size(self) -> tuple[int, int]:
        """Its lines and columns; 24 and 80 where it does not tell."""
        try:
            found = os.get_terminal_size(self.stdout)
        except OSError:
            return 24, 80
        return found.lines or 24, found.columns or 80

    @contextmanager
    def raw(self) -> Iterator[None]:
        """Let a block have each key as it is pressed, Ctrl-C too; without a terminal nothing changes."""
        if not self.is_one:
            yield
            return
        before = termios.tcgetattr(self.stdin)
        tty.setraw(self.stdin, termios.TCSADRAIN)
        try:
            yield
        finally:
            termios.tcsetattr(self.stdin, termios.TCSADRAIN, before)

    def write(self, data: bytes, *, to_stderr: bool = False) -> None:
        """Write all of some bytes.

        Raises:
            BrokenPipeError: nobody reads them any more.

        """
        left = memoryview(data)
        while left:
            left = left[os.write(self.stderr if to_stderr else self.stdout, left) :]


@contextmanager
def signals() -> Iterator[int]:
    """Give a file descriptor from which the number of each signal in `HANDLED` can be read, a byte each.

    The signals do nothing else in the block. It has to be entered in the main thread.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = {one: signal.signal(one, _note) for one in HANDLED}
    woken = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield reading
    finally:
        signal.set_wakeup_fd(woken)
        for one, handler in before.items():
            signal.signal(one, handler)
        os.close(reading)
        os.close(writing)


def _note(_number: int, _frame: object) -> None:
    """Do nothing: the number is in the pipe."""
