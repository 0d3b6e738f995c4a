"""The door of a Docker host, as the driver finds or plans it: see `components.door`.

The first service that needs the door makes it, in a stack of its own state. The others find it on the Docker
host by its name, whatever state they use.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curtainup.config import ServiceConfig
from curtainup.errors import ConfigError, EngineFailed, PortTaken, RefusedError
from curtainup.model.door import DoorSettings
from curtainup.platforms.caddy import config as caddy
from curtainup.platforms.caddy.config import ACME
from curtainup.platforms.caddy.door import Door, is_joined
from curtainup.platforms.docker import errors, lease, networks, placement
from curtainup.platforms.docker.labels import STATE, new_state
from curtainup.platforms.haproxy.proxy import runs
from curtainup.setup.base_images.catalogue import DOOR
from curtainup.targets.shared import Shared

if TYPE_CHECKING:
    from docker import DockerClient

    from curtainup.session import Session

DNS = "CURTAINUP_DOOR_DNS"
"""The variable that names DNS servers for a new door, separated by commas."""

MAKING = f"{caddy.NAME}-making"
"""The lease of the service that makes the door."""
EVERYWHERE = "0.0.0.0"  # noqa: S104 - where the door listens
_planned: dict[str, DoorSettings] = {}
"""The door that this process has planned for a Docker engine, as several environments may need it."""


@dataclass(frozen=True)
class Place:
    """Where a door is, or will be.

    Attributes:
        name: what it answers if one knocks.
        address: its address on the network that it shares with proxies.

    """

    name: str
    address: str


def place(session: Session) -> Place:
    """Return where the door of the Docker host is, or will be.

    Raises:
        ConfigError: it gets its certificates from another ACME server than configured.

    """
    found = _found(session)
    if found is not None:
        return found
    settings = _plan(session)
    return Place(settings.name, str(ipaddress.ip_network(settings.subnet)[2]))


def shared(session: Session) -> Shared | None:
    """Return the door as it is to be made; None if the Docker host has one."""
    if _found(session) is not None:
        return None
    settings = _plan(session).model_dump(mode="json")
    move = "the Docker host gets its door, which speaks HTTPS on ports 80 and 443"
    return Shared(stack(session.accounts.docker), {"service": caddy.NAME, "door": settings}, move)


def require_room(session: Session, host: str, owner: str) -> None:
    """Check that a door can be made, or that the one that runs has room for a name.

    Raises:
        HttpsFailed: the name belongs to another owner.
        PortTaken: something else listens on a port of the door.

    """
    container = _container(session.accounts.docker)
    if container is not None and not _never_started(container):
        if runs(container):
            running(session).require_free(host, owner)
        else:
            session.run.report.warn(
                f"the door of this Docker host does not run, so nobody reaches {host} over HTTPS: "
                f"docker start {caddy.NAME}; if that fails: docker rm {caddy.NAME}, and deploy again"
            )
        return
    for port in caddy.PORTS:
        if not session.accounts.host.is_free(port, EVERYWHERE) and not _is_made(session.accounts.docker):
            raise PortTaken(
                f"port {EVERYWHERE}:{port} belongs to something else",
                where="https: true in pym-config.yaml",
                consequence="the door of the Docker host could not listen there, so nothing was built",
                fix=caddy.FREE_PORTS,
            )


def running(session: Session) -> Door:
    """Return the door, to be asked and changed."""
    return Door(session.accounts.docker.api)


@contextmanager
def alone(session: Session) -> Iterator[None]:
    """Let no other service make the door while a block runs.

    It also makes the door's image if the Docker engine lacks it, and removes a door that never started. If
    another service was at it, the door is there by then.

    Raises:
        Interrupted: the run was cancelled while another service made the door.

    """
    from curtainup.setup.base_images import images

    client, say = session.accounts.docker, session.run.report.info
    images.ensure(client, say, DOOR)
    with lease.held(
        client.api,
        MAKING,
        DOOR.reference,
        lambda: say("waiting for another service, which makes the door of this Docker host"),
        session.run.cancelled,
    ):
        found = _container(client)
        if found is not None and _never_started(found):
            with _said_clearly():
                client.api.remove_container(caddy.NAME, v=False)
        yield


def unused(session: Session) -> str | None:
    """Return how the door is removed, if no environment on the host needs it; None if one does."""
    client = session.accounts.docker
    container = _container(client)
    if container is None or not runs(container) or Door(client.api).hosts():
        return None
    name = stack(client)
    stays = "the door of this Docker host stays, with its certificates, though it leads nowhere now"
    if not session.state.memory.read(name).exists:
        return f"{stays}; another state made it. If nobody has that state: docker rm --force {caddy.NAME}"
    return (
        f"{stays}; to remove it: `curtainup pulumi state unprotect --all --yes --stack {name}`, "
        f"then `curtainup pulumi destroy --yes --stack {name}`"
    )


def stack(client: DockerClient) -> str:
    """Return the name of the stack that holds the door of a Docker engine."""
    return f"{caddy.NAME}-{hashlib.sha256(_engine(client).encode()).hexdigest()[:8]}"


def _engine(client: DockerClient) -> str:
    """Return what tells a Docker engine from all others."""
    with _said_clearly():
        return str(client.info()["ID"])


def leads(client: DockerClient, host: str, owner: str) -> bool:
    """Return whether the door leads a name to the proxy of its owner, as far as the door tells."""
    found, there = _container(client, f"{owner}-proxy"), _container(client)
    if found is None or not is_joined(found, caddy.NAME, host):
        return False
    if there is None or not runs(there):
        return True
    try:
        return Door(client.api).owner(host) == owner
    except EngineFailed:
        return True


def _container(client: DockerClient, name: str = caddy.NAME) -> dict[str, Any] | None:
    from docker.errors import NotFound

    with _said_clearly():
        try:
            found: dict[str, Any] = client.api.inspect_container(name)
        except NotFound:
            return None
    return found


def _is_made(client: DockerClient) -> bool:
    """Return whether another service makes the door right now, or has just made it."""
    found = [_container(client, name) for name in (MAKING, caddy.NAME)]
    return any(one is not None and runs(one) for one in found)


def _found(session: Session) -> Place | None:
    client = session.accounts.docker
    container = _container(client)
    if container is None or _never_started(container):
        return None
    labels = container["Config"]["Labels"] or {}
    if STATE not in labels or ACME not in labels:
        raise RefusedError(
            f"a container that is not a door of curtainup has the name {caddy.NAME}",
            where=f"container {caddy.NAME}",
            consequence="it was left alone, and nothing was changed",
            fix=f"docker rename {caddy.NAME} ANOTHER-NAME",
        )
    _require_same(session.service.config, labels[ACME])
    with _said_clearly():
        network = client.api.inspect_network(caddy.NAME)
    subnet = ipaddress.ip_network(network["IPAM"]["Config"][0]["Subnet"])
    return Place(labels[STATE], str(subnet[2]))


def _never_started(container: dict[str, Any]) -> bool:
    """Return whether a container was made and could not start, as when something else has its ports."""
    return bool(container["State"]["Status"] == "created")


def _require_same(config: ServiceConfig, directory: str) -> None:
    if (config.acme_directory or "") != directory:
        issuer = directory or "its usual ACME servers"
        raise ConfigError(
            f"the door of this Docker host gets its certificates from {issuer}",
            where="acme_directory in pym-config.yaml",
            consequence="all services on a host share its door, so nothing was changed",
            fix=f"write `acme_directory: {directory}`" if directory else "remove acme_directory",
        )


def _plan(session: Session) -> DoorSettings:
    """Return the settings of a door that is not there: those of a former one, or new ones."""
    client = session.accounts.docker
    engine = _engine(client)
    if engine not in _planned:
        former = session.state.memory.read(stack(client)).config.get("curtainup:door")
        _planned[engine] = DoorSettings.model_validate(former) if former else _new(client)
    config = session.service.config
    return _planned[engine].model_copy(
        update={
            "image": DOOR.reference,
            "directory": config.acme_directory or "",
            "root": _root(session),
            "email": config.acme_email or "",
            "dns": tuple(one.strip() for one in os.environ.get(DNS, "").split(",") if one.strip()),
        }
    )


def _new(client: DockerClient) -> DoorSettings:
    taken, routed = networks.subnets(client), networks.routed(client)
    subnet = placement.subnet(caddy.NAME, taken, routed)
    outside = placement.subnet(caddy.OUTSIDE, [*taken, subnet], routed)
    return DoorSettings(image=DOOR.reference, name=new_state(), subnet=subnet, outside=outside)


def _root(session: Session) -> str:
    """Return the root certificate of the ACME server; empty if none is configured."""
    name = session.service.config.acme_root
    if name is None:
        return ""
    path = session.state.workspace.service_dir / name
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        text, why = "", str(error)
    else:
        why = "it holds no certificate"
    if "PRIVATE KEY-----" in text:
        text, why = "", "it holds a private key too, which nobody else may read"
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise ConfigError(
            "the root certificate of the ACME server cannot be read",
            where=f"acme_root in pym-config.yaml, {path}",
            consequence="the door could get no certificate, so nothing was changed",
            fix="name a PEM file with the certificate",
            detail=why,
        )
    return text


def _said_clearly() -> AbstractContextManager[None]:
    return errors.translated(
        "the Docker engine does not tell whether it has a door",
        where=f"container {caddy.NAME}",
        consequence="nothing was changed",
    )
