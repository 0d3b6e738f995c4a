"""The locks that let one run of a service work at a time: a file's on this machine, and the Docker engine's.

The first is a user's own; all who deploy to one Docker host see the second. Where there is neither, Pulumi's
own lock of each stack keeps updates apart, but not whole runs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from curtainup.errors import Busy, SetupError
from curtainup.pipeline.run import host_lock
from curtainup.platforms.docker import leftovers
from curtainup.session import Session
from curtainup.util.files import read_bounded, write_atomically


@contextmanager
def held_by(session: Session) -> Iterator[None]:
    """Hold the lock of a session's service on this machine, and in the Docker engine if one answers.

    What earlier runs could not remove there is removed first.

    Raises:
        Busy: another run holds the lock; the message says which.
        SetupError: the Docker engine answers, but makes no lock.

    """
    name, folder = session.service.config.name, session.locks
    with held(folder, name), ExitStack() as stack:
        try:
            client = session.accounts.docker
        except SetupError:
            yield
            return
        this = host_lock.own(session.run.id, _file(folder, name))
        run = session.run
        stack.enter_context(host_lock.held(client, session.lock_name, this, run.report.warn, run.cancelled))
        leftovers.end(client, session.marks)
        yield


@contextmanager
def held(folder: Path, service: str) -> Iterator[None]:
    """Hold a service's lock.

    The kernel releases it when the process ends, however it ends, so no stale lock remains.

    Raises:
        Busy: another run holds the lock; the message says which.

    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(_file(folder, service), timeout=0)
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


def _file(folder: Path, service: str) -> Path:
    return folder / f"{service}.lock"


def _describe(holder: Path) -> str | None:
    try:
        found = json.loads(read_bounded(holder))
        return f"process {found['pid']}: curtainup {found['command']}, since {found['since']}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
