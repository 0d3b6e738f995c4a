"""Everything a command works with: the service, its state, the accounts that it reaches, and the run.

A session is put together once (see `curtainup.cli.opening`), passed on from there, and never changed.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Protocol

from curtainup.config import ServiceConfig, notify
from curtainup.engine import recovery
from curtainup.engine.memory import StackMemory, memory_of
from curtainup.engine.processes import Processes
from curtainup.engine.workspace import Workspace
from curtainup.errors import SetupError
from curtainup.model.names import LIVE, STAGING, Names
from curtainup.reporting import Report
from curtainup.setup import engine as engines
from curtainup.setup import paths
from curtainup.util.secrets import Secret, redactor

if TYPE_CHECKING:
    import docker

    from curtainup.engine.operations import Engine
    from curtainup.platforms.google.account import Google


@dataclass(frozen=True)
class Service:
    """The service that a command is for.

    Attributes:
        config: its settings.
        environ: the deployer's environment.
        secrets: by name, of all environments; empty for commands that need none.
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
        """What no output may show: the values of all secrets, and the addresses of who is told of runs."""
        return (*self.secrets.values(), *notify.addresses(self.config.notify, self.environ).values())

    @cached_property
    def redact(self) -> Callable[[str], str]:
        """Takes out of a text what no output may show."""
        return redactor(self.hidden)

    def secrets_of(self, environment: str) -> dict[str, Secret]:
        """Return the secrets that an environment's releases are given, by name."""
        wanted = self.config.for_environment(environment).env_secrets
        return {name: self.secrets[name] for name in wanted}


class Stage(Protocol):
    """What stands in for the clouds in a rehearsal."""

    @property
    def key(self) -> str:
        """What tells the images of this rehearsal from all others."""

    @property
    def folder(self) -> Path:
        """Where the rehearsal keeps everything."""

    @property
    def providers(self) -> Mapping[str, int]:
        """The loopback ports of the providers that are played, by name."""

    @property
    def google(self) -> Google:
        """What stands in for a Google Cloud account."""

    def strike(self) -> None:
        """Remove what the rehearsal keeps, where no service is rehearsed any more."""


@dataclass(frozen=True)
class Accounts:
    """What a command reaches besides Pulumi: the Docker engine, the clouds, or a rehearsal of them.

    Attributes:
        environ: the deployer's environment.
        rehearsal: what stands in for the clouds; None is the real ones.

    """

    environ: Mapping[str, str]
    rehearsal: Stage | None = None

    @cached_property
    def google(self) -> Google:
        """The Google Cloud account, or what stands in for it in a rehearsal."""
        from curtainup.platforms.google.account import RealGoogle

        return self.rehearsal.google if self.rehearsal else RealGoogle()

    @cached_property
    def docker(self) -> docker.DockerClient:
        """The Docker engine.

        Raises:
            SetupError: none answers.

        """
        import docker
        from docker.errors import DockerException

        try:
            client = docker.from_env()
            client.ping()
        except DockerException as error:
            raise SetupError(
                "no Docker engine answers",
                where=self.environ.get("DOCKER_HOST", "the local socket"),
                consequence="nothing was built or changed",
                fix="curtainup doctor --fix",
                detail=str(error),
            ) from error
        return client


@dataclass(frozen=True)
class Run:
    """How a command tells what it does, and how it is stopped.

    Attributes:
        report: where progress goes.
        cancelled: set when the run is to stop.
        processes: the engine processes in flight.

    """

    report: Report
    cancelled: Event = field(default_factory=Event)
    processes: Processes = field(default_factory=Processes)


@dataclass(frozen=True)
class State:
    """The service's Pulumi project, and what Pulumi remembers.

    Attributes:
        workspace: the project, its settings files and its backend.
        start: makes the engine, given that memory.

    """

    workspace: Workspace
    start: Callable[[StackMemory], Engine]

    @cached_property
    def engine(self) -> Engine:
        """The engine; found, and the SDK imported, only by commands that need it."""
        return self.start(self.memory)

    @cached_property
    def memory(self) -> StackMemory:
        """What Pulumi remembers of stacks; from a file backend without the engine."""
        return memory_of(self.workspace, self._ask)

    def _ask(self, arguments: list[str]) -> str:
        return self.engine.ask(arguments)


@dataclass(frozen=True)
class Session:
    """One command's collaborators.

    Attributes:
        service: what is deployed.
        state: where Pulumi keeps what it remembers.
        accounts: what is reached besides.
        run: how progress is told, and the command is stopped.

    """

    service: Service
    state: State
    accounts: Accounts
    run: Run

    @classmethod
    def of(
        cls, service: Service, workspace: Workspace, report: Report, stage: Stage | None = None
    ) -> Session:
        """Return the session of a command.

        Args:
            service: what is deployed.
            workspace: its Pulumi project.
            report: where progress goes.
            stage: what stands in for the clouds; None is the real ones.

        """
        accounts, run = Accounts(service.environ, stage), Run(report)

        def start(memory: StackMemory) -> Engine:
            from curtainup.engine.command import EngineCommand, engine_environment
            from curtainup.engine.operations import Engine

            found = engines.locate()
            variables = engine_environment(workspace, found, service.environ)
            command = EngineCommand(found.command, found.version, run.processes)
            repair = recovery.Recovery(lambda: accounts.docker, report.warn, run.cancelled)
            standins = stage.providers if stage else {}
            target = service.config.for_environment(LIVE).deploy_target
            return Engine(workspace, command, variables, memory, repair, standins, target)

        return cls(service, State(workspace, start), accounts, run)

    @property
    def locks(self) -> Path:
        """The folder of the locks of services; a rehearsal and a deployment do not wait for each other."""
        stage = self.accounts.rehearsal
        return (stage.folder if stage else paths.data_dir()) / "locks"

    @cached_property
    def hmac_key(self) -> bytes:
        """The key of the secrets' HMACs: whoever can open the state can compare them, nobody else."""
        passphrase = self.state.workspace.backend.passphrase
        if passphrase is None:
            passphrase = self.state.engine.shared_key(self.service.names.image).encode()
        return hmac.new(passphrase, b"curtainup: secrets of releases", hashlib.sha256).digest()
