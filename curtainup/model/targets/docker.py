"""A Docker host: an environment on it, and what a container runs with."""

from __future__ import annotations

import ipaddress
from typing import Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from curtainup.model.contract import EnvironmentSettings
from curtainup.model.maintenance import Maintenance
from curtainup.model.process import Process, WithProcesses
from curtainup.model.schedule import WithSchedules
from curtainup.model.scheduler import scheduler


class DockerEnvironment(EnvironmentSettings):
    """An environment on a Docker host.

    Attributes:
        host: how users reach it, for its URL.
        bind: the address that its port is published on.
        port: the port that users reach.
        stats_port: a port on the loopback interface where the proxy tells its state.
        subnet: the environment's own network, in CIDR notation.
        proxy_image: the image of the proxy.
        request_timeout: seconds that the proxy waits for a release's answer.
        drain_timeout: seconds that a release's last requests may take before it is removed.
        header_kb: KiB that the headers of a request or an answer may take.
        sticky: whether a visitor stays with a release while the shares of traffic stay the same.
        https_host: the name as which users reach it over HTTPS, through the host's door; empty is none.
        door: the address of the door on its own network; empty without HTTPS.
        door_name: what the door answers if one knocks; empty without HTTPS.
        certificate: the fingerprint of a certificate of the service's own; empty lets the door get one.
        state: a random name, a label of what the environment is made of; another state has another one.
        engine: the id of the Docker engine, where that is another machine's; empty for this machine's.
        maintenance: what users get instead of an answer; None lets them reach the releases.

    """

    target: Literal["docker"] = "docker"
    host: str = "127.0.0.1"
    bind: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)
    stats_port: int = Field(ge=1, le=65535)
    subnet: str
    proxy_image: str
    request_timeout: int = Field(ge=1)
    drain_timeout: int = Field(ge=0)
    header_kb: int = Field(15, ge=1)
    sticky: bool = False
    https_host: str = ""
    door: str = ""
    door_name: str = ""
    certificate: str = ""
    state: str = ""
    engine: str = ""
    maintenance: Maintenance | None = None

    @model_serializer(mode="wrap")
    def _without_nothing(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out that there is no maintenance, so that what is deployed stays what it always was."""
        found: dict[str, Any] = dump(self)
        return {name: value for name, value in found.items() if name != "maintenance" or value}

    @property
    def url(self) -> str:
        """Where users reach the environment; with HTTPS, where this machine reaches it without the door."""
        return f"http://{self.host}:{self.port}"

    @property
    def public_url(self) -> str:
        """Where users reach the environment."""
        return f"https://{self.https_host}" if self.https_host else self.url


class DockerSettings(WithProcesses, WithSchedules):
    """What a container on a Docker host runs with.

    Attributes:
        memory_mb: limit of the container's memory, MiB.
        cpus: limit in CPU cores, or None for no limit.
        pids_limit: how many processes and threads the container may hold.
        stop_timeout: seconds between SIGTERM and SIGKILL.
        capabilities: what the container's root may do besides what every user may.
        networks: further networks that the container joins, by name.
        volumes: what it mounts, as `docker_mounts.mount_of` reads it.
        host_gateway: whether it reaches the Docker host as `host.docker.internal`.

    """

    OPTIONAL: ClassVar[tuple[str, ...]] = (
        "capabilities",
        "networks",
        "volumes",
        "host_gateway",
        *WithProcesses.OPTIONAL,
        *WithSchedules.OPTIONAL,
    )
    memory_mb: int = Field(ge=16)
    cpus: float | None = None
    pids_limit: int = Field(ge=1)
    stop_timeout: int = Field(ge=0)
    capabilities: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    host_gateway: bool = False

    @property
    def kept_running(self) -> tuple[Process, ...]:
        """All processes; the scheduler is one if there are schedules."""
        if not self.schedules:
            return self.processes
        own = scheduler(self.schedules, memory_mb=self.memory_mb, cpus=self.cpus)
        return tuple(sorted((*self.processes, own), key=lambda one: one.name))

    @property
    def granted(self) -> tuple[str, ...]:
        """The capabilities that the container gets.

        A process that may change its user needs another one too: else the container's init, which is root,
        may not pass SIGTERM on to it.
        """
        further = ("KILL",) if "SETUID" in self.capabilities and "KILL" not in self.capabilities else ()
        return (*self.capabilities, *further)


def guests(subnet: str) -> str:
    """Return the part of an environment's network from which Docker gives addresses to other containers.

    People attach databases and exporters; none of these may get the address of a release.
    """
    return str(list(ipaddress.IPv4Network(subnet).subnets(prefixlen_diff=2))[2])
