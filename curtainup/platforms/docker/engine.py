"""A Docker engine, with the machine that it is on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from curtainup.errors import SetupError
from curtainup.platforms.docker import errors, hosts, supported

if TYPE_CHECKING:
    import docker

    from curtainup.platforms.docker.hosts import Host

NOTHING_DONE = "nothing was built or changed"


class DockerEngine:
    """An engine that a command uses.

    Attributes:
        host: its machine.

    """

    def __init__(self, host: Host, environ: Mapping[str, str], *, only_builds: bool = False) -> None:
        """Use the engine of a machine.

        Args:
            host: the machine.
            environ: the deployer's variables.
            only_builds: whether images are built there, and environments run elsewhere.

        """
        self.host = host
        self._only_builds = only_builds
        self._environ = environ

    @cached_property
    def client(self) -> docker.DockerClient:
        """A client of it, once it has answered.

        Raises:
            SetupError: it does not answer.
            HostUnreachable: its machine is not reached by SSH, or does not let its engine be used.

        """
        if isinstance(self.host, hosts.There):
            self.host.connection.begin()
            from curtainup.platforms.docker import distant

            self.host.enter(os.environ)  # for clients in this process that are made elsewhere
            return distant.connect(self.host, self._environ)
        return self._own(self.host) if isinstance(self.host, hosts.Own) else self._found()

    @cached_property
    def id(self) -> str:
        """Its id if it is another machine's; empty for this machine's."""
        return "" if self.host.is_here else self.real_id

    @cached_property
    def real_id(self) -> str:
        """Its id, whatever the address by which it is reached."""
        return str(self.client.info()["ID"])

    def _found(self) -> docker.DockerClient:
        import docker

        where = self._environ.get("DOCKER_HOST", "the local socket")
        with errors.translated(
            "no Docker engine answers",
            where=where,
            consequence=NOTHING_DONE,
            fix="curtainup doctor --fix",
        ):
            client = docker.from_env()
            _ask_without_proxies(client)
            supported.require(client.version(), where)
        return client

    def _own(self, host: hosts.Own) -> docker.DockerClient:
        from curtainup.setup import docker_engine

        try:
            client = docker_engine.connect(host.variables)
            supported.require(client.version(), host.address)
        except SetupError as error:
            otherwise = "; or write `build_on: host`, which needs no Docker here" if self._only_builds else ""
            raise SetupError(
                error.what,
                where=f"{host.address}{', which is to build the image' if self._only_builds else ''}",
                consequence=NOTHING_DONE,
                fix=f"{error.fix}{otherwise}",
                detail=error.detail,
            ) from error
        return client


def _ask_without_proxies(client: docker.DockerClient) -> None:
    """Look for no proxy and no password at each question: a socket on this machine has none."""
    if str(client.api.base_url).startswith("http+docker://"):
        client.api.trust_env = False
