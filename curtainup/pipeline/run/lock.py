"""The locks that let one run of a service work at a time: a file's, the Docker engine's, and the state's.

The first is a user's own on this machine, all who deploy to one Docker host see the second, and all who share
a state the third.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from curtainup.errors import Busy, HostUnreachable, SetupError
from curtainup.pipeline.run import holder, host_lock
from curtainup.pipeline.run.shared import lock as shared_lock
from curtainup.platforms.docker import leftovers
from curtainup.session import Session
from curtainup.util.files import read_bounded, write_atomically

if TYPE_CHECKING:
    import docker

    from curtainup.platforms.docker.engine import DockerEngine


@contextmanager
def held_by(session: Session) -> Iterator[None]:
    """Hold the locks of a session's service: on this machine, in the Docker engine, and in the state.

    A Docker engine that does not answer has no lock in it. What earlier runs could not remove from the others
    is removed first.

    Raises:
        Busy: another run holds one of the locks; the message says which.
        SetupError: the Docker engine answers, but makes no lock.
        CurtainupError: the backend of the state does not answer, or refuses.

    """
    name, folder, run = session.service.config.name, session.locks, session.run
    with held(folder, name), ExitStack() as stack:
        this = holder.own(run.id, file_of(folder, name), session.service.environ)
        clients = [one for engine in session.engines if (one := _client(session, engine)) is not None]
        for client in clients:
            lock = host_lock.held(client, session.lock_name, this, run.report.warn, run.cancelled)
            stack.enter_context(lock)
        stack.enter_context(shared_lock.held(session, this))
        for client in clients:
            leftovers.end(client, session.marks)
        yield


def _client(session: Session, engine: DockerEngine) -> docker.DockerClient | None:
    """Return a client of a Docker engine, if it answers.

    Staging's host may be down while live is rolled back.

    Raises:
        HostUnreachable: live's host is not reached.

    """
    try:
        return engine.client
    except SetupError:
        return None
    except HostUnreachable as error:
        if engine is session.accounts.engine:
            raise
        session.run.report.warn(f"{error.what}: without a lock there ({engine.host})")
        return None


@contextmanager
def held(folder: Path, service: str) -> Iterator[None]:
    """Hold a service's lock.

    The kernel releases it when the process ends, however it ends, so no stale lock remains.

    Raises:
        Busy: another run holds the lock; the message says which.

    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file_of(folder, service), timeout=0)
    note = folder / f"{service}.holder.json"
    try:
        lock.acquire()
    except Timeout as error:
        raise Busy(
            f"another run of {service} is under way",
            where=_describe(note) or lock.lock_file,
            consequence="this run did not start",
            fix="wait for it to end, or stop it with Ctrl-C in its terminal",
        ) from error
    try:
        told = {"pid": os.getpid(), "command": " ".join(sys.argv[1:3]), "since": _now()}
        write_atomically(note, json.dumps(told))
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def file_of(folder: Path, service: str) -> Path:
    """Return the file whose lock a service's run holds on this machine."""
    return folder / f"{service}.lock"


def _describe(note: Path) -> str | None:
    try:
        found = json.loads(read_bounded(note))
        return f"process {found['pid']}: curtainup {found['command']}, since {found['since']}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
