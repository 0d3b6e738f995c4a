"""Finds and ends what a process has left running, by a variable that its descendants inherit.

A descendant in a session of its own is in no group of the process, and its parent is another one by now.
"""

from __future__ import annotations

import os
import secrets
import signal
from pathlib import Path

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
        if not sum(_ended(int(folder.name), wanted) for folder in Path("/proc").glob("[0-9]*")):
            return


def _ended(pid: int, wanted: bytes) -> bool:
    """Kill a process if it has the variable; its descriptor cannot come to mean another process."""
    try:
        process = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if wanted not in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            return False
        signal.pidfd_send_signal(process, signal.SIGKILL)
    except OSError:
        return False
    finally:
        os.close(process)
    return True
