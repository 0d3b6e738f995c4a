"""Waits for the go signal: pytest starts and collects while the release under test is still starting.

The driver passes the number of a pipe's descriptor in a variable. A byte in the pipe is the go signal. If the
pipe closes without a byte, nobody waits for these tests any more, for example because the driver was killed.

A test module that sends a request during collection may reach another release. pytest then ends without
taking the go signal, as it does when collection fails, and the driver starts it again.
"""

from __future__ import annotations

import os
import select
import sys
from typing import MutableMapping

import pytest

VARIABLE = "CURTAINUP_GO_FD"
NOT_RUN = 75  # the exit code, which pytest itself does not use: EX_TEMPFAIL of sysexits.h
REACHING_OUT = frozenset(  # https://docs.python.org/3/library/audit_events.html
    [
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.sendto",
        "socket.sendmsg",
        "subprocess.Popen",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
    ]
)


class Go:
    """The driver's signal to run the tests; pytest waits for it once."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)  # it is for this process alone
        self._descriptor = descriptor
        self._given = False
        self._reached_out = False
        sys.addaudithook(self._note)

    def wait(self, session: pytest.Session) -> None:
        """Return when the tests may run; end pytest if they must not, or if they sent requests too early."""
        if self._given:
            return
        if not (session.testsfailed or self._reached_out):
            select.select([self._descriptor], [], [])
        if session.testsfailed or self._reached_out or not os.read(self._descriptor, 1):
            pytest.exit("curtainup: no test was run", NOT_RUN)
        os.close(self._descriptor)
        self._given = True

    def _note(self, event: str, _arguments: object) -> None:
        if event in REACHING_OUT and not self._given:
            self._reached_out = True


def from_environment(environ: MutableMapping[str, str] = os.environ) -> Go | None:
    """Return the go signal to wait for, if any, and remove it from the variables that children inherit."""
    number = environ.pop(VARIABLE, None)
    return None if number is None else Go(int(number))
