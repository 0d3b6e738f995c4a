"""The machine on which the Docker engine runs: this one, or another one by SSH.

What runs there is on its loopback interface, so whoever asks a release, a proxy or a registry asks by the
address that the machine gives for it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, MutableMapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from curtainup.errors import SetupError
from curtainup.platforms.docker import placement
from curtainup.platforms.ssh import connection, listening
from curtainup.util import ssh_address as addresses
from curtainup.util.files import read_bounded

if TYPE_CHECKING:
    from curtainup.platforms.ssh.connection import Connection
    from curtainup.util.ssh_address import Address

LOOPBACK = "127.0.0.1"
FRESH_SECONDS = 1.0
"""For how long curtainup takes what listens on a host for the present state."""
ELSEWHERE = ("DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION")
"""Variables that would send Docker's clients elsewhere than through the connection."""


class Host(Protocol):
    """The machine of the Docker engine.

    Attributes:
        is_here: whether it is this machine, or at least one that curtainup takes for it.

    """

    is_here: bool

    @property
    def variables(self) -> Mapping[str, str]:
        """The variables with which Docker's clients reach the engine, once the machine is entered."""

    def enter(self, environ: MutableMapping[str, str]) -> tuple[int, ...]:
        """Let Docker's clients reach the engine; return what they inherit so that they keep reaching it.

        Raises:
            HostUnreachable: there is no connection to the machine.

        """

    def url(self, url: str, bind: str = LOOPBACK) -> str:
        """Return the URL by which this machine reaches a URL of that one.

        Args:
            url: with a port.
            bind: the address of that machine on which somebody listens there.

        """

    def lead(self, port: int) -> None:
        """Have a port of this machine's loopback lead to the same port of that one's."""

    def lead_back(self, port: int) -> None:
        """Have a port of that machine's loopback lead to the same port of this one's."""

    def is_free(self, port: int, bind: str = LOOPBACK) -> bool:
        """Return whether a process could listen on a TCP port there."""

    def hostname(self) -> str:
        """Return the name by which others reach the machine."""

    def opened(self, url: str) -> str | None:
        """Return in words how somebody here opens a URL of that machine; None where it is as it stands."""


class Here:
    """The machine that curtainup runs on, or an engine that Docker's clients reach by themselves."""

    is_here = True
    variables: Mapping[str, str] = MappingProxyType({})

    def enter(self, environ: MutableMapping[str, str]) -> tuple[int, ...]:  # noqa: ARG002 - as in `There`
        """Do nothing: the clients find the engine."""
        return ()

    def url(self, url: str, bind: str = LOOPBACK) -> str:  # noqa: ARG002 - as in `There`
        """Return the same URL."""
        return url

    def lead(self, port: int) -> None:
        """Do nothing: it is the same port."""

    def lead_back(self, port: int) -> None:
        """Do nothing: it is the same port."""

    def is_free(self, port: int, bind: str = LOOPBACK) -> bool:
        """Return whether a process can listen on a TCP port here."""
        return placement.is_free(port, bind)

    def hostname(self) -> str:
        """Return the loopback address."""
        return LOOPBACK

    def opened(self, url: str) -> str | None:  # noqa: ARG002 - as in `There`
        """Return None: it is opened as it stands."""
        return None


class Own(Here):
    """The machine that curtainup runs on, while Docker's clients are sent to the engine of another one.

    Attributes:
        address: of its engine, as DOCKER_HOST takes it.

    """

    def __init__(self, address: str, environ: Mapping[str, str] = MappingProxyType({})) -> None:
        """Name its engine.

        Args:
            address: of the engine.
            environ: the deployer's variables, which say how an engine behind TLS is reached.

        """
        self.address = address
        reached = {name: environ.get(name, "") for name in ELSEWHERE}
        self.variables = {**reached, "DOCKER_CONTEXT": "", "DOCKER_HOST": address}


class There:
    """A machine that is reached by SSH; all that reach it share one connection."""

    is_here = False

    def __init__(self, address: Address) -> None:
        self.address = address
        self._listening: tuple[float, frozenset[listening.Place]] = (0.0, frozenset())

    @cached_property
    def connection(self) -> Connection:
        """The connection, which opens when something needs it."""
        return connection.to(self.address)

    @property
    def variables(self) -> Mapping[str, str]:
        """The variables with which Docker's clients use the connection, whatever else is set."""
        return {**dict.fromkeys(ELSEWHERE, ""), "DOCKER_HOST": f"unix://{self.connection.socket}"}

    def __str__(self) -> str:
        return str(self.address)

    def enter(self, environ: MutableMapping[str, str]) -> tuple[int, ...]:
        """Open the connection, and have the variables name the socket that leads to the engine."""
        self.connection.open()
        environ.update(self.variables)
        return self.connection.descriptors

    def url(self, url: str, bind: str = LOOPBACK) -> str:
        """Return a loopback URL that leads through the connection."""
        parts = urlsplit(url)
        port = self.connection.port(parts.port or 80, bind)
        return parts._replace(netloc=f"{LOOPBACK}:{port}").geturl()

    def lead(self, port: int) -> None:
        """Have the same port here lead to the port there.

        Raises:
            PortTaken: something on this machine has it.

        """
        self.connection.port(port, here=port)

    def lead_back(self, port: int) -> None:
        """Have the same port there lead to the port here.

        Raises:
            PortTaken: something on that machine has it, or its SSH server leads no ports back.

        """
        self.connection.back(port)

    def is_free(self, port: int, bind: str = LOOPBACK) -> bool:
        """Return whether nobody listens on a TCP port there, as its kernel says.

        An account that may run no commands there sees nothing; Docker refuses a taken port then.
        """
        seen_at, taken = self._listening
        if time.monotonic() > seen_at + FRESH_SECONDS:
            taken = listening.places(self.connection.shell(listening.SCRIPT).splitlines())
            self._listening = (time.monotonic(), taken)
        return listening.is_free(port, bind, taken)

    def hostname(self) -> str:
        """Return the machine's name or address, whatever alias the user has for it."""
        return self.connection.real().host

    def opened(self, url: str) -> str | None:
        """Return the command that leads a port here to a loopback address there."""
        parts = urlsplit(url)
        if parts.hostname not in (LOOPBACK, "::1"):
            return None
        place, port = parts.netloc, f"-p {self.address.port} " if self.address.port else ""
        command = f"ssh -N -L {parts.port}:{place} {port}{self.address.login}"
        return f"{url} is an address of {self.address.host} itself; to open it from here: {command}"


HERE = Here()


def of(configured: str | None, environ: Mapping[str, str]) -> Host:
    """Return the machine of the Docker engine: as configured, else as the docker command finds it.

    Args:
        configured: the value of `docker_host`, if there is one.
        environ: the deployer's variables.

    Raises:
        SetupError: the address is none, or the docker context cannot be read.

    """
    found = configured or environ.get("DOCKER_HOST") or _of_context(environ)
    if not found or not found.startswith(addresses.SCHEME):
        return HERE
    try:
        return There(addresses.parse(found))
    except ValueError as error:
        raise SetupError(
            "the address of the Docker host cannot be read",
            where=found,
            consequence="nothing was built or changed",
            fix="write it as ssh://USER@HOST:PORT; USER and PORT may be left out",
        ) from error


def own(environ: Mapping[str, str]) -> Own:
    """Return this machine, with the engine that the docker command finds here.

    Args:
        environ: the deployer's variables, before anything was done with another machine's engine.

    Raises:
        SetupError: the docker context cannot be read.

    """
    from curtainup.setup import docker_engine

    found = docker_engine.address(environ)
    return Own(docker_engine.DEFAULT_ADDRESS if found.startswith(addresses.SCHEME) else found, environ)


def _of_context(environ: Mapping[str, str]) -> str | None:
    """Return the engine's address in the docker context in use; None without one."""
    folder = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", "~")).expanduser() / ".docker")
    name = environ.get("DOCKER_CONTEXT") or _current(folder)
    if name in ("", "default"):
        return None
    from curtainup.setup import docker_engine

    return docker_engine.address(environ)


def _current(folder: Path) -> str:
    try:
        config = json.loads(read_bounded(folder / "config.json"))
    except (OSError, ValueError, RecursionError):
        return ""
    return str(config.get("currentContext") or "") if isinstance(config, dict) else ""
