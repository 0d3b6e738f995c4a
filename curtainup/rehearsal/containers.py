"""The containers of a rehearsal's stand-ins, on the Docker engine of this machine."""

from __future__ import annotations

import io
import socket
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curtainup.platforms.docker import confinement
from curtainup.platforms.haproxy.proxy import connect, docker_errors
from curtainup.rehearsal.home import LABEL, Home

if TYPE_CHECKING:
    from docker import APIClient

LOG_LINES = 20


@dataclass(frozen=True)
class Container:
    """A container that a stand-in runs.

    Attributes:
        name: the container's name.
        image: the image's reference.
        environment: the container's variables.
        command: replaces the image's own command; None keeps it.
        entrypoint: replaces the image's own entrypoint; None keeps it.
        memory: how many bytes it may use; None sets no limit.
        ports: the ports inside that get loopback ports; `Seen.ports` returns these.
        published: fixed loopback ports by port inside; all other ports get free ones.
        ours: whether it runs an image of curtainup's own, which needs no capability and little memory.

    """

    name: str
    image: str
    environment: Mapping[str, str]
    command: Sequence[str] | None = None
    entrypoint: Sequence[str] | None = None
    memory: int | None = None
    ports: Sequence[int] = ()
    published: Mapping[int, int] = field(default_factory=dict)
    ours: bool = False


@dataclass(frozen=True)
class Seen:
    """The state of a container, from the Docker engine.

    Attributes:
        running: whether its process runs.
        ip: its address on the bridge network; empty while it does not run.
        ports: its loopback ports by port inside.

    """

    running: bool
    ip: str
    ports: Mapping[int, int]


def start(api: APIClient, home: Home, wanted: Container, files: Mapping[str, bytes] | None = None) -> None:
    """Create and start a container; replace a container of the same name.

    Args:
        api: the Docker engine.
        home: the rehearsal that owns the container.
        wanted: the container to run.
        files: tar archives to unpack before the container starts, by folder.

    """
    remove(api, wanted.name)
    host = api.create_host_config(
        port_bindings=dict.fromkeys(wanted.ports, ("127.0.0.1", None)),
        init=True,
        **(confinement.bounded() if wanted.ours else {"mem_limit": wanted.memory}),
    )
    with docker_errors(f"container {wanted.name}"):
        made = api.create_container(
            wanted.image,
            name=wanted.name,
            command=list(wanted.command) if wanted.command else None,
            entrypoint=list(wanted.entrypoint) if wanted.entrypoint else None,
            environment=dict(wanted.environment),
            labels=home.labels,
            ports=list(wanted.ports),
            host_config=host,
        )
        for folder, packed in (files or {}).items():
            api.put_archive(made["Id"], folder, packed)
        api.start(made["Id"])


def archive(name: str, content: bytes) -> bytes:
    """Return a tar archive of one file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def free_port() -> int:
    """Return a loopback port that nothing listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def look(api: APIClient, name: str) -> Seen | None:
    """Return the state of a container, or None if it does not exist."""
    try:
        with docker_errors(f"container {name}"):
            facts: dict[str, Any] = api.inspect_container(name)
    except LookupError:
        return None
    network = facts["NetworkSettings"]
    ports = {
        int(inside.partition("/")[0]): int(bound[0]["HostPort"])
        for inside, bound in (network["Ports"] or {}).items()
        if bound
    }
    return Seen(facts["State"]["Running"], network["IPAddress"], ports)


def log(api: APIClient, name: str, lines: int = LOG_LINES) -> str:
    """Return the last lines of a container's log; empty if it does not exist."""
    try:
        with docker_errors(f"container {name}"):
            said: bytes = api.logs(name, tail=lines)
    except LookupError:
        return ""
    return said.decode(errors="replace").strip()


def remove(api: APIClient, name: str) -> None:
    """Remove a container, running or not; it is no error if it does not exist."""
    with suppress(LookupError), docker_errors(f"container {name}"):
        api.remove_container(name, force=True, v=True)


def remove_all(home: Home) -> None:
    """Remove everything that a rehearsal created in Docker: containers, networks and volumes."""
    with connect(None) as api, docker_errors("the rehearsal's containers"):
        mine = {"label": f"{LABEL}={home.key}"}
        for container in api.containers(all=True, filters=mine):
            remove(api, container["Id"])
        for network in api.networks(filters=mine):
            api.remove_network(network["Id"])
        for volume in api.volumes(filters=mine)["Volumes"] or []:
            api.remove_volume(volume["Name"])
