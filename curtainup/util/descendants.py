"""Finds and ends what a process has left running, by a variable that its descendants inherit.

A descendant in a session of its own is in no group of the process, and its parent is another one by now.
"""

from __future__ import annotations

import os
import secrets
import signal

VARIABLE = "CURTAINUP_STARTED_BY"
ROUNDS = 10
"""How often to look again, because what is found may start another one just before it is ended."""


def new_mark() -> str:
    """Return a value for the variable that no other process has."""
    return secrets.token_hex(16)


def end(mark: str) -> None:
    """Kill every process of this user that has the mark in its variables; see proc(5), `environ`."""
    wanted = f"{VARIABLE}={mark}".encode()
    for _ in range(ROUNDS):
        found = filter(str.isdecimal, os.listdir("/proc"))  # noqa: PTH208 - paths take as long as the look
        marked = [int(pid) for pid in found if _has(pid, wanted)]
        if not sum(_ended(pid, wanted) for pid in marked):
            return


def _has(pid: str, wanted: bytes) -> bool:
    """Return whether the process that has this id at this moment has the variable."""
    try:
        with open(f"/proc/{pid}/environ", "rb", buffering=0) as stream:  # noqa: PTH123 - as above
            return wanted in stream.readall().split(b"\0")
    except OSError:
        return False


def _ended(pid: int, wanted: bytes) -> bool:
    """Kill a process if it has the variable; its descriptor cannot come to mean another process."""
    try:
        process = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not _has(str(pid), wanted):
            return False
        signal.pidfd_send_signal(process, signal.SIGKILL)
    except OSError:
        return False
    finally:
        os.close(process)
    return True
