"""Everything that a command works with: the service, its state, the accounts that it reaches, and the run.

`curtainup.cli.shared.opening` creates a session once and passes it on. A session never changes.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Protocol

from curtainup.config import EnvironmentConfig, ServiceConfig, notify
from curtainup.engine import recovery
from curtainup.engine.memory import StackMemory, memory_of
from curtainup.engine.processes import Processes
from curtainup.engine.workspace import Workspace
from curtainup.errors import SetupError
from curtainup.model.names import LIVE, STAGING, Names
from curtainup.platforms.docker import hosts, labels
from curtainup.platforms.docker.engine import DockerEngine
from curtainup.reporting import Report
from curtainup.setup import engine as engines
from curtainup.setup import paths
from curtainup.util.redaction import Redactor, redactor
from curtainup.util.secrets import Secret

if TYPE_CHECKING:
    import docker

    from curtainup.engine.operations import Engine
    from curtainup.engine.shared_plugin import SharedPlugin
    from curtainup.platforms.docker.hosts import Host, Own
    from curtainup.platforms.google.account import Google
    from curtainup.platforms.kubernetes.cluster import Cluster
    from curtainup.platforms.kubernetes.clusters import Clusters


@dataclass(frozen=True)
class Service:
    """The service that a command works on.

    Attributes:
        config: the service's configuration.
        environ: the deployer's environment variables.
        secrets: the secrets of all environments by name; empty for commands that need none.
        first: the first environment that the command deploys to; the local container gets its settings.

    """

    config: ServiceConfig
    environ: Mapping[str, str]
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    first: str = STAGING

    @property
    def names(self) -> Names:
        """The names of the service's stacks."""
        return Names(self.config.name)

    @cached_property
    def hidden(self) -> tuple[Secret, ...]:
        """The values that no output may show: all secrets, and the addresses of notifications."""
        return (*self.secrets.values(), *notify.addresses(self.config.notify, self.environ).values())

    @cached_property
    def redact(self) -> Redactor:
        """A function that takes the hidden values out of a text."""
        return redactor(self.hidden)

    def secrets_of(self, environment: str) -> dict[str, Secret]:
        """Return by name the secrets that an environment's releases get."""
        wanted = self.config.for_environment(environment).env_secrets
        return {name: self.secrets[name] for name in wanted}

    @property
    def local(self) -> EnvironmentConfig:
        """The settings of the local gate."""
        return self.config.for_local(self.first)

    @property
    def local_secrets(self) -> dict[str, Secret]:
        """By name the secrets that the container of the local gate gets."""
        return {name: self.secrets[name] for name in self.local.env_secrets}


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


@dataclass(frozen=True)
class Run:
    """How a command reports its progress, and how it stops.

    Attributes:
        report: receives the progress.
        cancelled: set when the run must stop.
        processes: the running engine processes.
        id: of the run, on whatever it makes beside Pulumi.
        at_end: ends what lives as long as the run does.

    """

    report: Report
    cancelled: Event = field(default_factory=Event)
    processes: Processes = field(default_factory=Processes)
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    at_end: ExitStack = field(default_factory=ExitStack)


@dataclass(frozen=True)
class State:
    """The service's Pulumi project, and the state that Pulumi keeps of it.

    Attributes:
        workspace: the project, its settings files and its backend.
        start: creates the engine from the memory of the stacks.
        first: that of live's Docker host, whose memory it shares; None if it is that.

    """

    workspace: Workspace
    start: Callable[[StackMemory], Engine]
    first: State | None = None

    @cached_property
    def engine(self) -> Engine:
        """The engine; only commands that need it look for it and import the SDK."""
        return self.start(self.memory)

    @cached_property
    def memory(self) -> StackMemory:
        """What Pulumi remembers of the stacks; reading a file backend hardly needs the engine."""
        if self.first is not None:
            return self.first.memory
        memory, backend = memory_of(self.workspace, self._ask), self.workspace.backend
        if backend.passphrase is None or backend.secrets_provider:
            return memory
        from curtainup.engine.opened_memory import OpenedMemory

        return OpenedMemory(memory, backend.passphrase, self._ask)

    def _ask(self, arguments: list[str], text: str | None = None) -> str:
        return self.engine.ask(arguments, text)


@dataclass(frozen=True)
class Session:
    """The collaborators of one command.

    Attributes:
        service: the service that the command works on.
        state: its Pulumi project and state.
        accounts: the Docker engine and the clouds, or their stand-ins.
        run: how the command reports progress and stops.

    """

    service: Service
    state: State
    accounts: Accounts
    run: Run
    _others: dict[str | None, Session] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls, service: Service, workspace: Workspace, report: Report, stage: Stage | None = None
    ) -> Session:
        """Return the session of a command.

        Args:
            service: the service that the command works on.
            workspace: its Pulumi project.
            report: receives the progress.
            stage: the stand-ins for the clouds; None means the real clouds.

        """
        docker_hosts, builds_here = service.config.docker_hosts, service.config.build_on == "local"
        several = builds_here or len(docker_hosts) > 1
        own = hosts.own(service.environ) if several and not stage else None
        accounts = Accounts(service.environ, stage, docker_hosts[0], own, builds_here)
        session = cls._with(service, workspace, accounts, Run(report), {})
        if several:
            for one in session.everywhere:
                _ = one.accounts.host  # found before anything leads Docker's clients elsewhere
        return session

    @classmethod
    def _with(
        cls,
        service: Service,
        workspace: Workspace,
        accounts: Accounts,
        run: Run,
        others: dict[str | None, Session],
    ) -> Session:
        stage = accounts.rehearsal

        def enter() -> tuple[int, ...]:
            """Reach the environment's host, and live's, whose registry it may pull from."""
            reached = (others[service.config.docker_hosts[0]].accounts.host, accounts.host)
            return tuple(one for host in dict.fromkeys(reached) for one in host.enter(os.environ))

        def start(memory: StackMemory) -> Engine:
            from curtainup.engine.command import EngineCommand, engine_environment
            from curtainup.engine.operations import Engine

            found = engines.locate()
            variables = {
                **engine_environment(workspace, found, service.environ),
                **accounts.host.variables,
            }
            command = EngineCommand(found.command, found.version, run.processes)

            def cluster(context: str) -> Cluster:
                return accounts.clusters.of(context)

            repair = recovery.Recovery(lambda: accounts.docker, run.report.warn, run.cancelled, cluster)
            standins = stage.providers if stage else {}
            target = service.config.for_environment(LIVE).deploy_target
            plugin = None if stage or target != "docker" else _shared_plugin(workspace, variables)
            return Engine(
                workspace,
                command,
                variables,
                memory,
                repair,
                standins,
                target,
                plugin,
                enter=enter,
            )

        first = next((one.state for one in others.values()), None)
        session = cls(service, State(workspace, start, first), accounts, run, others)
        others[accounts.docker_host] = session
        return session

    def at(self, environment: str) -> Session:
        """Return the session for what is done to an environment, with the Docker engine that it runs on.

        It is this one unless the environment has a Docker host of its own.
        """
        return self._on(self.service.config.docker_host_of(environment))

    @property
    def everywhere(self) -> tuple[Session, ...]:
        """A session for each Docker host of the service's environments; that of live is the first."""
        hosts = () if self.accounts.rehearsal else self.service.config.docker_hosts
        return tuple(self._on(one) for one in hosts) or (self,)

    def _on(self, docker_host: str | None) -> Session:
        if self.accounts.rehearsal or docker_host == self.accounts.docker_host:
            return self
        if docker_host not in self._others:
            accounts = replace(self.accounts, docker_host=docker_host)
            self._with(self.service, self.state.workspace, accounts, self.run, self._others)
        return self._others[docker_host]

    @property
    def engines(self) -> tuple[DockerEngine, ...]:
        """Every Docker engine that the command works with."""
        found = [one.accounts.engine for one in self.everywhere]
        return tuple({id(one): one for one in (*found, self.accounts.builder)}.values())

    def begin(self) -> None:
        """Begin to log in to the Docker hosts that SSH reaches, while this process does something else."""
        for one in self.everywhere:
            one.accounts.begin()

    @property
    def locks(self) -> Path:
        """The folder of the services' locks; a rehearsal has its own, so it never waits for a deployment."""
        stage = self.accounts.rehearsal
        return (stage.folder if stage else paths.data_dir()) / "locks"

    @property
    def lock_name(self) -> str:
        """What a run locks: the service, or its rehearsal."""
        stage = self.accounts.rehearsal
        name = self.service.config.name
        return f"{name}-rehearsal-{stage.key}" if stage else name

    @property
    def marks(self) -> dict[str, str]:
        """The labels of what a run makes beside Pulumi: whose it is, and which lock it is made under."""
        return {
            labels.SERVICE: self.service.config.name,
            labels.LOCK: self.lock_name,
            labels.RUN: self.run.id,
        }

    @cached_property
    def hmac_key(self) -> bytes:
        """The key for the HMACs of secrets: only somebody who can decrypt the state can compare secrets."""
        passphrase = self.state.workspace.backend.passphrase
        if passphrase is None:
            first = self.everywhere[0]
            if first is not self:
                return first.hmac_key
            passphrase = self.state.engine.shared_key(self.service.names.image).encode()
        return hmac.new(passphrase, b"curtainup: secrets of releases", hashlib.sha256).digest()


def _shared_plugin(workspace: Workspace, variables: Mapping[str, str]) -> SharedPlugin | None:
    """Return the Docker plugin that the updates of a run share; None where each has its own.

    A program that its service has edited may configure the plugin twice in one update. And curtainup knows
    what it has built.
    """
    from curtainup.engine.shared_plugin import SharedPlugin
    from curtainup.setup import provider

    plugin = None if workspace.edition else provider.built(provider.DOCKER)
    return None if plugin is None else SharedPlugin(plugin, {**os.environ, **variables})
