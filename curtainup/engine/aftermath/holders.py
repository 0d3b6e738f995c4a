"""Who holds a stack's lock, and whether that process is known to be dead."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from curtainup.engine.aftermath import started
from curtainup.util import mounts
from curtainup.util.files import read_bounded

CLOCK_SLACK = 2.0
"""Seconds by which the calculated start of a process may be wrong."""
MOST_PID = 1 << 22
"""Linux gives no higher id."""
ENDED = ("Z", "X")
"""The states of a process that has ended and still has its id."""
_TOLD = re.compile(r"created by (?P<user>.*)@(?P<host>\S*) \(pid (?P<pid>\d+)\) at (?P<at>\S+)")


@dataclass(frozen=True)
class Holder:
    """The process that made a lock.

    Attributes:
        pid: its id, in a PID namespace that the lock does not tell.
        username: who ran it.
        hostname: what its machine called itself.
        made: when the lock was made.

    """

    pid: int
    username: str
    hostname: str
    made: datetime

    @property
    def named(self) -> str:
        """The holder in words."""
        return f"{self.username}@{self.hostname}, process {self.pid}"


def read(lock: Path) -> Holder:
    """Return who made a lock file of a file backend.

    Raises:
        OSError: there is none any more.
        ValueError: it is not a lock.

    """
    try:
        found = json.loads(read_bounded(lock))
        made, pid = datetime.fromisoformat(found["timestamp"]), int(found["pid"])
        made.timestamp()
        if not 0 < pid <= MOST_PID:
            raise ValueError(f"no process has the id {pid}")
        return Holder(pid, str(found.get("username", "")), str(found["hostname"]), made)
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"{lock} is not a lock") from error


def told(text: str) -> list[Holder]:
    """Return the holders that the engine's error about a locked stack names."""
    return [
        Holder(int(one["pid"]), one["user"], one["host"], datetime.fromisoformat(one["at"]))
        for one in _TOLD.finditer(text)
    ]


def is_dead(holder: Holder, lock: Path | None = None) -> bool:
    """Return whether a holder is known to have ended. Whoever is not known may live elsewhere.

    Args:
        holder: the process that made the lock.
        lock: the lock's file, if the backend has files.

    """
    if holder.hostname != socket.gethostname():
        return False
    made = holder.made.timestamp()
    noted = [one for one in started.find(holder.pid) if one.at <= made + CLOCK_SLACK]
    if noted:
        own = max(noted, key=lambda one: one.at)
        if own.boot != started.boot():
            return True
        return own.namespace == started.namespace() and not lives(holder.pid, made)
    return (
        lock is not None
        and mounts.is_local(lock)
        and started.sees_every_process()
        and not _lives_in_any_namespace(holder.pid, made)
    )


def lives(pid: int, made: float) -> bool:
    """Return whether a process has that id, and had it when the lock was made."""
    try:
        os.kill(pid, 0)
        return _start(pid) <= made + CLOCK_SLACK
    except ProcessLookupError:
        return False
    except (OSError, ValueError, IndexError, OverflowError):
        return True


def lives_since(pid: int, begun: int) -> bool:
    """Return whether the process of that id is the one that began then; see `ticks`.

    One that has ended, and whose parent has not asked how, does not live.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    fields = _stat(pid)
    return not fields or (int(fields[19]) == begun and fields[0] not in ENDED)


def ticks(pid: int) -> int:
    """Return when a process began, in clock ticks since its machine started; 0 where that is not told.

    No change of the clock moves it.
    """
    fields = _stat(pid)
    return int(fields[19]) if fields else 0


def _stat(pid: int) -> list[str]:
    """Return what proc(5) calls `stat`, from the 3rd field (state) on; the 22nd counts ticks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return []


def _lives_in_any_namespace(pid: int, made: float) -> bool:
    """Return whether a process of this machine has that id, be it in a container."""
    if lives(pid, made):
        return True
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError, ValueError, IndexError):
            line = next(one for one in status.read_text().splitlines() if one.startswith("NSpid:"))
            if str(pid) in line.split()[2:] and _start(int(status.parent.name)) <= made + CLOCK_SLACK:
                return True
    return False


def _start(pid: int) -> float:
    """Return when a process started, in seconds since the epoch; an earlier process may have had its id.

    Raises:
        ValueError: that is not told.

    """
    begun = ticks(pid)
    if not begun:
        raise ValueError(f"process {pid} does not tell its start")
    up = float(Path("/proc/uptime").read_text().split()[0])
    return time.time() - up + begun / os.sysconf("SC_CLK_TCK")
