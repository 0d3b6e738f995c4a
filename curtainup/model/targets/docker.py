"""A Docker host: an environment on it, and what a container runs with."""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import Field

from curtainup.model.contract import EnvironmentSettings
from curtainup.model.release_settings import Settings


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
        state: a random name, a label of what the environment is made of; another state has another one.

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
    state: str = ""

    @property
    def url(self) -> str:
        """Where users reach the environment."""
        return f"http://{self.host}:{self.port}"


class DockerSettings(Settings):
    """What a container on a Docker host runs with.

    Attributes:
        memory_mb: limit of the container's memory, MiB.
        cpus: limit in CPU cores, or None for no limit.
        pids_limit: how many processes and threads the container may hold.
        stop_timeout: seconds between SIGTERM and SIGKILL.

    """

    memory_mb: int = Field(ge=16)
    cpus: float | None = None
    pids_limit: int = Field(ge=1)
    stop_timeout: int = Field(ge=0)


def guests(subnet: str) -> str:
    """Return the part of an environment's network from which Docker gives addresses to other containers.

    People attach databases and exporters; none of these may get the address of a release.
    """
    return str(list(ipaddress.IPv4Network(subnet).subnets(prefixlen_diff=2))[2])
