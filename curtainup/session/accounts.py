"""The systems that a command reaches besides Pulumi."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from curtainup.errors import SetupError
from curtainup.platforms.docker import hosts
from curtainup.platforms.docker.engine import DockerEngine

if TYPE_CHECKING:
    import docker

    from curtainup.platforms.docker.hosts import Host, Own
    from curtainup.platforms.google.account import Google
    from curtainup.platforms.kubernetes.clusters import Clusters


class Stage(Protocol):
    """The stand-ins for the clouds in a rehearsal."""

    @property
    def key(self) -> str:
        """The key that distinguishes the images of this rehearsal from all others."""

    @property
    def folder(self) -> Path:
        """The folder in which the rehearsal keeps everything."""

    @property
    def providers(self) -> Mapping[str, int]:
        """The loopback ports of the stand-in providers, by name."""

    @property
    def google(self) -> Google:
        """The stand-in for a Google Cloud account."""

    def strike(self) -> None:
        """Remove what the stand-ins share, unless a service is still in rehearsal."""


@dataclass(frozen=True)
class Accounts:
    """The systems that a command reaches besides Pulumi: the Docker engine, the clouds, or their stand-ins.

    Attributes:
        environ: the deployer's environment variables.
        rehearsal: the stand-ins for the clouds; None means the real clouds.
        docker_host: where the service's Docker engine is, as configured.
        own: this machine, if Docker's clients may be sent to another one too.
        builds_here: whether its engine builds, whatever engine environments run on.

    """

    environ: Mapping[str, str]
    rehearsal: Stage | None = None
    docker_host: str | None = None
    own: Own | None = None
    builds_here: bool = False

    @cached_property
    def google(self) -> Google:
        """The Google Cloud account, or its stand-in in a rehearsal."""
        from curtainup.platforms.google.account import RealGoogle

        return self.rehearsal.google if self.rehearsal else RealGoogle()

    @cached_property
    def clusters(self) -> Clusters:
        """The Kubernetes clusters of the deployer's kubeconfig."""
        from curtainup.platforms.kubernetes.clusters import Clusters

        return Clusters(self.environ)

    @cached_property
    def host(self) -> Host:
        """The machine of the Docker engine; a rehearsal's is this one.

        Raises:
            SetupError: its address cannot be read.

        """
        if self.rehearsal:
            return hosts.HERE
        found = hosts.of(self.docker_host, self.environ)
        return self.own if self.own and found.is_here else found

    def begin(self) -> None:
        """Begin to log in to the Docker host, if SSH reaches it, while this process does something else."""
        with suppress(SetupError):  # whoever needs the host is told
            if isinstance(self.host, hosts.There):
                self.host.connection.begin()

    @cached_property
    def engine(self) -> DockerEngine:
        """The Docker engine that environments run on."""
        return DockerEngine(self.host, self.environ)

    @cached_property
    def builder(self) -> DockerEngine:
        """The Docker engine that builds images, and runs the container of the local gate."""
        if self.own is None or not self.builds_here or self.host.is_here:
            return self.engine
        return DockerEngine(self.own, self.environ, only_builds=True)

    @property
    def docker(self) -> docker.DockerClient:
        """A client of the Docker engine that environments run on.

        Raises:
            SetupError: no Docker engine answers.
            HostUnreachable: its machine is not reached by SSH, or does not let its engine be used.

        """
        return self.engine.client

    @property
    def engine_id(self) -> str:
        """The id of the Docker engine on another machine; empty for this machine's."""
        return self.engine.id
