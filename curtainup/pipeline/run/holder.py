"""A run that holds a lock, and whether it is known to have ended."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from curtainup.engine import deployer
from curtainup.engine.aftermath import holders, started
from curtainup.reporting.notify.messages import page_of
from curtainup.util.plain import one_line


@dataclass(frozen=True)
class Holder:
    """A run, and what tells whether it still lives.

    Attributes:
        run: its id.
        who: its user and machine.
        command: what it does.
        pid: its process, in its PID namespace.
        boot: what the kernel calls the time since its machine started.
        namespace: its PID namespace.
        machine: of the machine, whether started again or not.
        file: the lock that it holds on its machine besides: device and inode.
        since: seconds of the epoch.
        ticks: when its process started, by a clock that nobody sets; 0 where that is not told.
        job: the page of its CI job; empty outside CI.

    """

    run: str
    who: str
    command: str
    pid: int
    boot: str
    namespace: int
    machine: str
    file: str
    since: float
    ticks: int = 0
    job: str = ""

    @property
    def told(self) -> str:
        """The holder in words."""
        since = datetime.fromtimestamp(self.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        job = f", {self.job}" if self.job else ""
        return f"{self.who}, process {self.pid}: curtainup {self.command}, since {since}{job}"


def own(run: str, file: Path | None, environ: Mapping[str, str] = os.environ) -> Holder:
    """Return this run as a holder.

    Args:
        run: its id.
        file: the service's lock on this machine, which it holds; None if it does not.
        environ: the environment variables, which may name the CI job.

    """
    found = file.stat() if file else None
    return Holder(
        run=run,
        who=f"{deployer.user()}@{socket.gethostname()}",
        command=" ".join(sys.argv[1:3]),
        pid=os.getpid(),
        boot=started.boot(),
        namespace=started.namespace(),
        machine=_machine(),
        file=f"{found.st_dev}:{found.st_ino}" if found else "",
        since=time.time(),
        ticks=holders.ticks(os.getpid()),
        job=one_line(page_of(environ) or ""),
    )


def is_gone(other: Holder, this: Holder) -> bool:
    """Return whether a holder is proved to have ended: its machine runs on, and its process does not."""
    if not _is_same_boot(other, this):
        return False
    if this.file and other.file == this.file:
        return True
    return other.namespace == this.namespace and not _lives(other)


def is_dead(other: Holder, this: Holder) -> bool:
    """Return whether a holder is known to have ended, or its machine started again since."""
    if _is_same_boot(other, this):
        return is_gone(other, this)
    return bool(this.machine) and (other.machine, other.who.rpartition("@")[2]) == (
        this.machine,
        this.who.rpartition("@")[2],
    )


def lives_here(other: Holder, this: Holder) -> bool:
    """Return whether a holder is a living process of this machine, which can be seen from here."""
    return _is_same_boot(other, this) and other.namespace == this.namespace and _lives(other)


def in_json(holder: Holder) -> str:
    """Return a holder as a lock keeps it."""
    return json.dumps(asdict(holder))


def from_json(text: str) -> Holder | None:
    """Return the holder that a lock keeps; None if it is not readable, as a newer curtainup's may be."""
    try:
        return Holder(**json.loads(text))
    except (TypeError, ValueError, RecursionError):
        return None


def _is_same_boot(one: Holder, another: Holder) -> bool:
    """Return whether two runs share a kernel; where none tells its boot, nobody knows."""
    return bool(one.boot) and one.boot == another.boot


def _lives(other: Holder) -> bool:
    """Return whether the holder's process lives, and not another one with its id."""
    if not other.ticks:
        return holders.lives(other.pid, other.since)
    return holders.lives_since(other.pid, other.ticks)


def _machine() -> str:
    """Return the machine's id, which it keeps when it is started again; empty where it has none."""
    try:
        return Path("/etc/machine-id").read_text().strip()
    except OSError:
        return ""
