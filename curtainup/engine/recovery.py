"""Cleaning up after a killed run: a lock that nobody holds, and resources that no state records."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from curtainup.engine.state import Remembered
from curtainup.util.files import read_bounded

if TYPE_CHECKING:
    import docker

CLOCK_SLACK = 2.0
"""Seconds by which the calculated start of a process may be wrong."""
UNREADABLE = (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError)
"""What reading a lock raises that is no lock."""

CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"


@dataclass
class Recovery:
    """Cleans up stacks after a killed run, for one command.

    Attributes:
        docker: returns the client of the Docker engine.
        note: shows each repair.
        cancelled: is set when the command has to stop.

    """

    docker: Callable[[], docker.DockerClient]
    note: Callable[[str], None]
    cancelled: Event

    def take_over(self, locks: Sequence[Path]) -> bool:
        """Remove locks that no living process holds; return whether that removed all of them."""
        return take_over(locks, self.note)

    def settle(self, remembered: Remembered) -> list[Mapping[str, Any]]:
        """Remove what a cut-off update was creating; return the operations that are still pending."""
        return settle(remembered.pending, remembered.resources, self.docker(), self.note)


def take_over(locks: Sequence[Path], note: Callable[[str], None]) -> bool:
    """Remove the locks whose holder ran on this machine and is dead; leave all others alone.

    Returns:
        Whether it removed all of them, and there was at least one.

    """
    alive = False
    for lock in locks:
        holder = dead_holder(lock)
        if holder is None:
            alive = True
            continue
        lock.unlink(missing_ok=True)
        note(f"took over the lock of {lock.parent.name} from process {holder}, which is dead")
    return bool(locks) and not alive


def settle(
    pending: Sequence[Mapping[str, Any]],
    resources: Sequence[Mapping[str, Any]],
    client: docker.DockerClient,
    note: Callable[[str], None],
) -> list[Mapping[str, Any]]:
    """Remove what a cut-off update was creating: it may exist, but is not recorded and not in use.

    This removes only resources on a Docker host. In a cloud a person has to decide about each resource.

    Args:
        pending: the state's pending operations.
        resources: the resources that the state records; they stay untouched.
        client: the Docker engine.
        note: shows each removal, and each resource that a person has to look at.

    Returns:
        The operations that are still pending.

    """
    left = []
    known = {(one.get("type"), (one.get("inputs") or {}).get("name")) for one in resources}
    for operation in pending:
        resource = operation.get("resource") or {}
        kind, name = resource.get("type"), (resource.get("inputs") or {}).get("name")
        if operation.get("type") == "creating" and not str(kind).startswith(("docker:", "curtainup:")):
            left.append(operation)
            note(_for_a_person(str(kind), str(resource.get("urn"))))
            continue
        if operation.get("type") != "creating" or not isinstance(name, str) or (kind, name) in known:
            continue
        if _remove(client, str(kind), name):
            note(f"removed {name}, which a run that was cut off had begun to create")
    return left


def _for_a_person(kind: str, urn: str) -> str:
    return (
        f"a run that was cut off had begun to create {kind} {urn.rpartition('::')[2]}; if it exists, import "
        f"it: `curtainup pulumi refresh --import-pending-creates '{urn}' ID`; if not, remove it from the "
        "state: `curtainup pulumi refresh --clear-pending-creates`"
    )


def dead_holder(lock: Path) -> int | None:
    """Return the id of the process that made a lock on this machine and is dead, or None."""
    try:
        found = json.loads(read_bounded(lock))
        pid, made = int(found["pid"]), datetime.fromisoformat(found["timestamp"]).timestamp()
        if found["hostname"] != socket.gethostname():
            return None
        os.kill(pid, 0)
        return pid if _started(pid) > made + CLOCK_SLACK else None
    except ProcessLookupError:
        return pid
    except UNREADABLE:
        return None


def _started(pid: int) -> float:
    """Return when a process started, in seconds since the epoch; an earlier process may have had its id.

    proc(5): the 22nd field of `stat` counts clock ticks since the machine started.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    up = float(Path("/proc/uptime").read_text().split()[0])
    return time.time() - up + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _remove(client: docker.DockerClient, kind: str, name: str) -> bool:
    from docker.errors import NotFound

    try:
        if kind == CONTAINER:
            client.containers.get(name).remove(force=True, v=True)
        elif kind == NETWORK:
            client.networks.get(name).remove()
        elif kind == VOLUME:
            client.volumes.get(name).remove()
        else:
            return False
    except NotFound:
        return False
    return True


def unfinished(locks: Sequence[Path], pending: Sequence[Mapping[str, Any]]) -> str | None:
    """Return in words which update is under way or was cut off, or None.

    Args:
        locks: the stack's locks; only a file backend has any.
        pending: the operations that the last update began and did not end.

    """
    for lock in locks:
        if dead_holder(lock) is None:
            return f"under way{_holder(lock)}"
    if pending:
        return f"cut off while {_operation(pending[0])}; the next `curtainup deploy` puts it right"
    return None


def _holder(lock: Path) -> str:
    """Return who made a lock and when; empty if the lock has gone in the meantime."""
    try:
        found = json.loads(read_bounded(lock))
        since = datetime.fromisoformat(found["timestamp"]).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f" by {found['username']}@{found['hostname']}, process {found['pid']}, since {since}"
    except UNREADABLE:
        return ""


def _operation(pending: Mapping[str, Any]) -> str:
    urn = str((pending.get("resource") or {}).get("urn", ""))
    return f"{pending.get('type', 'changing')} {urn.rpartition('::')[2]}".strip()
