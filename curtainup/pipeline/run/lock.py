"""The lock that lets a user run one command for each service at a time on this machine.

Between machines, Pulumi's own lock of each stack does the same.
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
from curtainup.util.files import read_bounded, write_atomically


@contextmanager
def held(folder: Path, service: str) -> Iterator[None]:
    """Hold a service's lock.

    The kernel releases it when the process ends, however it ends, so no stale lock remains.

    Raises:
        Busy: another run holds the lock; the message says which.

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
            consequence="this run did not start",
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
        found = json.loads(read_bounded(holder))
        return f"process {found['pid']}: curtainup {found['command']}, since {found['since']}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
