"""Cleaning up after a killed run: a lock that nobody holds, and resources that no state records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from curtainup.engine.aftermath import cluster_objects, holders, strays
from curtainup.engine.aftermath.holders import Holder
from curtainup.engine.aftermath.strays import CONTAINER, NETWORK, VOLUME
from curtainup.engine.state import Remembered

if TYPE_CHECKING:
    import docker


@dataclass
class Recovery:
    """Cleans up stacks after a killed run, for one command.

    Attributes:
        docker: returns the client of the Docker engine.
        note: shows each repair.
        cancelled: is set when the command has to stop.
        cluster: returns the API of the cluster of a context; None leaves what is on clusters to a person.

    """

    docker: Callable[[], docker.DockerClient]
    note: Callable[[str], None]
    cancelled: Event
    cluster: Callable[[str], cluster_objects.Api] | None = None

    def take_over(self, locks: Sequence[Path]) -> bool:
        """Remove locks that no living process holds; return whether that removed all of them."""
        return take_over(locks, self.note)

    def cancel(self, stack: str, found: Sequence[Holder], cancel: Callable[[], object]) -> bool:
        """Remove by `cancel` the locks of a backend without files if all of their holders are dead."""
        if not found or not all(holders.is_dead(one) for one in found):
            return False
        cancel()
        for one in found:
            self.note(_taken(stack, one.pid))
        return True

    def settle(self, remembered: Remembered) -> list[Mapping[str, Any]]:
        """Remove what a cut-off update was creating; return the operations that are still pending."""
        pending = [one for one in remembered.pending if not self._is_off_cluster(remembered, one)]
        return settle(pending, remembered.resources, self.docker(), self.note) if pending else []

    def _is_off_cluster(self, remembered: Remembered, operation: Mapping[str, Any]) -> bool:
        """Remove what a cut-off update was creating on a cluster; return whether nothing of it is there."""
        resource = operation.get("resource") or {}
        context = cluster_objects.context_of(remembered.config)
        is_one = str(resource.get("type")).startswith(cluster_objects.PREFIX)
        if self.cluster is None or context is None or not is_one or operation.get("type") != "creating":
            return False
        if any(_is_made(one, resource.get("urn")) for one in remembered.resources):
            return True  # a later update made it, and it may serve
        was_there = cluster_objects.removed(
            self.cluster(context), remembered.config, resource, self.cancelled
        )
        if was_there:
            self.note(_removed(str(resource.get("urn")).rpartition("::")[2]))
        return was_there is not None

    def has_strays(self, config: Mapping[str, Any], remembered: Remembered, *, creating: bool) -> bool:
        """Return whether an update of a stack has created something that Pulumi does not know of.

        Args:
            config: the stack's configuration.
            remembered: the stack as Pulumi remembers it.
            creating: whether something is to be created, where another state's must not stand.

        Raises:
            RefusedError: there is something of another state.

        """
        scope = strays.scope_of(config)
        if scope is None:
            return False
        found = strays.find(self.docker(), scope, remembered.resources)
        if creating:
            strays.require_own(scope, found)
        return any(one.is_own for one in found)

    def clear(self, config: Mapping[str, Any], remembered: Remembered) -> None:
        """Remove what an update of a stack created without Pulumi's knowing of it; as `has_strays`."""
        scope = strays.scope_of(config)
        if scope is not None:
            strays.remove(self.docker(), strays.find(self.docker(), scope, remembered.resources), self.note)


def _is_made(recorded: Mapping[str, Any], urn: Any) -> bool:
    """Return whether the state records a resource that is there to stay."""
    return (
        recorded.get("urn") == urn and not recorded.get("delete") and not recorded.get("pendingReplacement")
    )


def take_over(locks: Sequence[Path], note: Callable[[str], None]) -> bool:
    """Remove the locks whose holder is known to be dead; leave all others alone.

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
        note(_taken(lock.parent.name, holder))
    return bool(locks) and not alive


def _taken(stack: str, pid: int) -> str:
    return f"took over the lock of {stack} from process {pid}, which is dead"


def settle(
    pending: Sequence[Mapping[str, Any]],
    resources: Sequence[Mapping[str, Any]],
    client: docker.DockerClient,
    note: Callable[[str], None],
) -> list[Mapping[str, Any]]:
    """Remove what a cut-off update was creating: it may exist, but is not recorded and not in use.

    This removes only resources on a Docker host. In a cloud a person has to decide about each resource, as on
    a cluster about what is somebody else's.

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
            note(_removed(name))
    return left


def _removed(name: str) -> str:
    return f"removed {name}, which a run that was cut off had begun to create"


def _for_a_person(kind: str, urn: str) -> str:
    return (
        f"a run that was cut off had begun to create {kind} {urn.rpartition('::')[2]}; if it exists, import "
        f"it: `curtainup pulumi refresh --import-pending-creates '{urn}' ID`; if not, remove it from the "
        "state: `curtainup pulumi refresh --clear-pending-creates`"
    )


def dead_holder(lock: Path) -> int | None:
    """Return the id of the process that made a lock and is known to be dead, or None."""
    try:
        holder = holders.read(lock)
    except (OSError, ValueError):
        return None
    return holder.pid if holders.is_dead(holder, lock) else None


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


def unfinished(
    locks: Sequence[Path], pending: Sequence[Mapping[str, Any]], *, sees_locks: bool = True
) -> str | None:
    """Return in words which update is under way or was cut off, or None.

    Args:
        locks: the stack's locks; only a file backend has any.
        pending: the operations that the last update began and did not end.
        sees_locks: whether the backend tells of its locks.

    """
    for lock in locks:
        if dead_holder(lock) is None:
            return f"under way{_holder(lock)}"
    if not pending:
        return None
    was = "cut off" if sees_locks else "under way, or was cut off,"
    return f"{was} while {_operation(pending[0])}; the next `curtainup deploy` puts it right"


def _holder(lock: Path) -> str:
    """Return who made a lock and when; empty if the lock has gone in the meantime."""
    try:
        found = holders.read(lock)
    except (OSError, ValueError):
        return ""
    return f" by {found.named}, since {found.made.astimezone(UTC).strftime('%Y-%m-%d %H:%M:%S UTC')}"


def _operation(pending: Mapping[str, Any]) -> str:
    urn = str((pending.get("resource") or {}).get("urn", ""))
    return f"{pending.get('type', 'changing')} {urn.rpartition('::')[2]}".strip()
