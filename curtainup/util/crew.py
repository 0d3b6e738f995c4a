"""Pieces of work in forked processes, a few at a time, each after those that it needs.

A fork has all that this process has imported, so a piece begins at once. This process has to have no other
thread. Each piece has a group of its own: the terminal's Ctrl-C reaches only this process, which passes it
on.
"""

from __future__ import annotations

import io
import os
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Final, NoReturn

from curtainup.util.process import Lines

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
AT_ONCE: Final = 65_536
"""Bytes that are read from a pipe at once."""
_PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal that a process gets when the one that has forked it ends."""


@dataclass(frozen=True)
class Piece:
    """A piece of work.

    Attributes:
        name: tells it from the others.
        work: does it in the forked process, and returns its exit code.
        after: the names of the pieces that have to end well before.

    """

    name: str
    work: Callable[[], int]
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ended:
    """How a piece ended.

    Attributes:
        name: of the piece.
        code: its exit code; minus the signal that ended it; None if it was never begun.
        out: what it has printed on standard output.
        seconds: how long it took.
        because: the piece whose failure has kept it from beginning; empty for any other cause.

    """

    name: str
    code: int | None
    out: str = ""
    seconds: float = 0.0
    because: str = ""


@dataclass
class _Running:
    """A piece in its process, whose descriptor `process` is readable once it has ended."""

    pid: int
    process: int
    out: int
    err: int
    lines: Lines
    since: float = field(default_factory=time.monotonic)
    printed: bytearray = field(default_factory=bytearray)

    @property
    def descriptors(self) -> tuple[int, int, int]:
        """All that this process holds open for it."""
        return self.process, self.out, self.err


class Crew:
    """Runs pieces of work."""

    def __init__(self, pieces: Sequence[Piece], most: int, tell: Callable[[str, str], None]) -> None:
        """Prepare to run pieces.

        Args:
            pieces: each after those that it needs.
            most: how many run at once.
            tell: receives the name of a piece and each line that it writes to standard error.

        """
        self._waiting = list(pieces)
        self._most = most
        self._tell = tell
        self._running: dict[str, _Running] = {}
        self._ended: dict[str, Ended] = {}
        self._selector = selectors.DefaultSelector()
        self._is_stopped = False

    def run(self) -> list[Ended]:
        """Run all pieces; return how they ended, in their order.

        SIGINT and SIGTERM are passed on to those that run; no other one begins then.
        """
        order = [one.name for one in self._waiting]
        with self._selector, self._handled():
            self._begin()
            while self._running:
                self._listen()
                self._begin()
        return [self._ended[name] for name in order]

    def _begin(self) -> None:
        """Begin the pieces whose turn it is, and give up those that can never begin."""
        for piece in list(self._waiting):
            failed = next(
                (one for one in piece.after if one in self._ended and self._ended[one].code != 0), ""
            )
            if self._is_stopped or failed:
                self._waiting.remove(piece)
                because = "" if self._is_stopped else failed
                self._ended[piece.name] = Ended(piece.name, None, because=because)
            elif len(self._running) < self._most and all(one in self._ended for one in piece.after):
                self._waiting.remove(piece)
                self._fork(piece)

    def _fork(self, piece: Piece) -> None:
        """Begin a piece; a signal that comes meanwhile waits until the process has its own handlers."""
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            for one in (out, err, *(fd for other in self._running.values() for fd in other.descriptors)):
                os.close(one)  # else a pipe would not break when this process's parent ends
            _work(piece, parent, out_end, err_end, before)
        os.close(out_end)
        os.close(err_end)
        lines = Lines(partial(self._tell, piece.name))
        running = self._running[piece.name] = _Running(pid, os.pidfd_open(pid), out, err, lines)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for descriptor in running.descriptors:
            os.set_blocking(descriptor, False)
            self._selector.register(descriptor, selectors.EVENT_READ, piece.name)

    def _listen(self) -> None:
        """Take what the pieces have written, and those that have ended."""
        for key, _ in self._selector.select():
            running = self._running.get(key.data)
            if running is None:
                continue
            if key.fd == running.process:
                self._end(key.data, running)
            elif not self._take(running, key.fd):
                self._selector.unregister(key.fd)  # closed, or it would be readable for ever

    def _take(self, running: _Running, descriptor: int) -> bool:
        """Take what waits in a pipe; return whether there was anything."""
        try:
            found = os.read(descriptor, AT_ONCE)
        except BlockingIOError:
            return False
        if descriptor == running.out:
            running.printed += found
        else:
            running.lines.feed(found)
        return bool(found)

    def _end(self, name: str, running: _Running) -> None:
        """Take the rest of what a piece has written; what it has left running may hold its pipes for ever."""
        for descriptor in (running.out, running.err):
            while self._take(running, descriptor):
                pass
        running.lines.close()
        for descriptor in running.descriptors:
            with suppress(KeyError):
                self._selector.unregister(descriptor)
            os.close(descriptor)
        _, status = os.waitpid(running.pid, 0)
        out, seconds = running.printed.decode("utf-8", "replace"), time.monotonic() - running.since
        self._ended[name] = Ended(name, os.waitstatus_to_exitcode(status), out, seconds)
        del self._running[name]

    @contextmanager
    def _handled(self) -> Iterator[None]:
        def pass_on(number: int, _frame: FrameType | None) -> None:
            self._is_stopped = True
            for one in self._running.values():
                with suppress(ProcessLookupError):
                    os.kill(one.pid, number)

        before = {number: signal.signal(number, pass_on) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Lines(io.TextIOWrapper):
    """Standard output or error into a pipe. Whoever is to undo something does so though nobody reads it."""

    def write(self, text: str, /) -> int:
        with suppress(BrokenPipeError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(BrokenPipeError):
            super().flush()


def _work(piece: Piece, parent: int, out: int, err: int, mask: set[int | signal.Signals]) -> NoReturn:
    """Do a piece of work in its own process, and end that."""
    code = 1
    try:
        _settle(parent, out, err)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        code = piece.work()
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _settle(parent: int, out: int, err: int) -> None:
    """Make the fork a process of its own, with its group, signals and streams, that ends with its parent."""
    import ctypes

    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, standard in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    sys.stdout = _Lines(os.fdopen(1, "wb"), "utf-8", "backslashreplace", line_buffering=True)
    sys.stderr = _Lines(os.fdopen(2, "wb"), "utf-8", "backslashreplace", line_buffering=True)
