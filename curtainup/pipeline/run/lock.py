"""One run at a time for each service of a user on this machine.

Runs on different machines are kept apart by Pulumi's own locks, stack by stack.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from curtainup.errors import Busy
from curtainup.util.files import write_atomically


@contextmanager
def held(folder: Path, service: str) -> Iterator[None]:
    """Hold a service's lock.

    The kernel lets go of it when its process ends, however it ends, so no stale lock is left behind.

    Raises:
        Busy: another run holds it; the message says which.

    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{service}.lock", timeout=0)
    holder = folder / f"{service}.holder.json"
    try:
        lock.acquire()
    except Timeout as error:
        raise Busy(
            f"another run of {service} is under way",
            where=_describe(holder) or lock.lock_file,
            consequence="this one was not started",
            fix="wait for it to end, or stop it with Ctrl-C in its terminal",
        ) from error
    try:
        note = {"pid": os.getpid(), "command": " ".join(sys.argv[1:3]), "since": _now()}
        write_atomically(holder, json.dumps(note))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _describe(holder: Path) -> str | None:
    try:
        found = json.loads(holder.read_text())
        return f"process {found['pid']}: curtainup {found['command']}, since {found['since']}"
    except (OSError, ValueError, KeyError):
        return None


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
