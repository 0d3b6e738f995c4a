"""The server that forks a pytest for each gate, so that a run imports pytest once.

The other side is `acceptance/fork_server.py`. Nobody but the two can reach their socket.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from curtainup.gates.models import LocalInterpreter
from curtainup.setup.paths import program_dir
from curtainup.util import descendants
from curtainup.util.child import Lost
from curtainup.util.process import GRACE, Running

SCRIPT = Path("acceptance") / "fork_server.py"
REPORT = "/dev/fd/3"
"""Where a run writes its report: its first descriptor after the standard ones."""
ANSWER = 30.0
"""Seconds until a run must have begun, in which the server may still be importing pytest."""
DONE = b"."
"""Tells the process that keeps a run that all that the run had started is ended."""
LEAVE = 1.0
"""Seconds that a server has to end by itself."""


@dataclass(frozen=True)
class Order:
    """What a run is.

    Attributes:
        arguments: of pytest; its report goes to `REPORT`.
        cwd: the folder in which it runs.
        env: all its variables.
        is_gate: whether it may find imported what acceptance tests need.

    """

    arguments: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    is_gate: bool

    def text(self) -> bytes:
        """Return it as the server reads it."""
        told = {"arguments": [*self.arguments], "cwd": str(self.cwd), "env": {**self.env}}
        return json.dumps({**told, "is_gate": self.is_gate}).encode()


class ForkServer:
    """A process of the service's interpreter that has pytest imported; `close` ends it.

    Args:
        interpreter: which one.
        cwd: the service's folder.
        env: the variables that all runs have in common.
        for_gates: whether the first run is a gate.

    Raises:
        OSError: the interpreter does not start.

    """

    def __init__(
        self, interpreter: LocalInterpreter, cwd: Path, env: Mapping[str, str], *, for_gates: bool
    ) -> None:
        self._mark = descendants.new_mark()
        self._lock = threading.Lock()
        with ExitStack() as ours:
            self._control, theirs = socket.socketpair()
            ours.enter_context(self._control)
            with theirs:
                self.process = subprocess.Popen(
                    _command(interpreter, theirs.fileno(), "gates" if for_gates else "unit"),
                    cwd=cwd,
                    env={**env, descendants.VARIABLE: self._mark},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                    pass_fds=(theirs.fileno(),),
                )
            ours.pop_all()

    def fork(self, order: Order) -> Running:
        """Order a run. Whether it begins shows when it is followed.

        Raises:
            OSError: the server has ended.

        """
        mark = descendants.new_mark()
        marked = replace(order, env={**order.env, descendants.VARIABLE: mark})
        with ExitStack() as theirs, ExitStack() as ours:
            text = os.memfd_create("order")
            theirs.callback(os.close, text)
            os.write(text, marked.text())
            os.lseek(text, 0, os.SEEK_SET)
            output, output_end = _pipe(ours, theirs)
            report, report_end = _pipe(ours, theirs)
            leash, leash_end = socket.socketpair()
            ours.enter_context(leash)
            theirs.enter_context(leash_end)
            with self._lock:
                descriptors = [text, output_end, leash_end.fileno(), report_end]
                socket.send_fds(self._control, [b"!"], descriptors)
            ours.pop_all()
        return Running(_Forked(output, leash), report, mark)

    def close(self) -> None:
        """End it; what it has forked ends with it."""
        self._control.close()
        try:
            self.process.wait(LEAVE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            descendants.end(self._mark)
            self.process.wait()


class _Forked:
    """A forked pytest, and the process that keeps it and tells over the leash how it ended."""

    def __init__(self, output: int, leash: socket.socket) -> None:
        self._output = output
        self._leash = leash
        self._told = b""
        self._pid: int | None = None
        self._code: int | None = None
        self._is_lost = False
        self._answers_until = time.monotonic() + ANSWER

    @property
    def output(self) -> int:
        """The descriptor of the pipe."""
        return self._output

    def has_ended(self) -> bool:
        """Return whether it has ended.

        Raises:
            Lost: it has not begun in time and never will, or the process that keeps it was killed.

        """
        if self._code is None:
            is_open = self._listen()
            told = dict(line.split() for line in self._told.splitlines() if line.endswith(b";"))
            self._pid = _number(told.get(b"pid"))
            code = _number(told.get(b"code"))
            is_late = self._pid is None and time.monotonic() > self._answers_until
            if self._pid is not None and code is not None:
                self._code = code
            elif code is not None or is_late or not is_open:
                self._is_lost = True
                raise Lost(has_begun=self._pid is not None)
        return self._code is not None

    def signal(self, number: signal.Signals) -> None:
        """Signal its group; what has not begun never will."""
        if self._pid is None and self._code is None:
            self._leash.close()
            self._code = -number
        elif self._pid is not None and not self._is_lost:
            with suppress(ProcessLookupError, PermissionError):  # only a zombie is left
                os.killpg(self._pid, number)

    def wait(self) -> int:
        """Return its exit code."""
        assert self._code is not None  # noqa: S101 - it has ended
        return self._code

    def close(self) -> None:
        """Let the process that keeps it end, and wait for that."""
        os.close(self._output)
        with self._leash, suppress(OSError):
            self._leash.send(DONE)
            self._leash.settimeout(GRACE)
            while self._pid is not None and self._leash.recv(64):
                pass

    def _listen(self) -> bool:
        """Take what was told; return whether more can come."""
        try:
            while told := self._leash.recv(64, socket.MSG_DONTWAIT):
                self._told += told
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False


def _command(interpreter: LocalInterpreter, control: int, first: str) -> list[str]:
    script, lent = str(program_dir() / SCRIPT), str(interpreter.lent or "")
    return [str(interpreter.python), script, str(control), lent, first]


def _pipe(ours: ExitStack, theirs: ExitStack) -> tuple[int, int]:
    """Return the two ends of a pipe, and let each close with its stack."""
    read, write = os.pipe()
    ours.callback(os.close, read)
    theirs.callback(os.close, write)
    return read, write


def _number(told: bytes | None) -> int | None:
    return None if told is None else int(told.rstrip(b";"))
