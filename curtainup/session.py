"""Everything a command works with, put together in one place and passed on from there."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from curtainup.config import ServiceConfig, notify
from curtainup.engine import recovery
from curtainup.engine import workspace as workspaces
from curtainup.engine.processes import Processes
from curtainup.engine.state import FileState, Remembered
from curtainup.errors import SetupError
from curtainup.model.names import Names
from curtainup.setup import engine as engines
from curtainup.setup import paths
from curtainup.util.secrets import Secret, redactor

if TYPE_CHECKING:
    import docker

    from curtainup.engine.operations import Engine
    from curtainup.pipeline.plan.guard import Guard
    from curtainup.platforms.google.account import Google
    from curtainup.rehearsal.stage import Rehearsal
    from curtainup.reporting import Report


@dataclass
class Session:
    """One command's collaborators.

    Attributes:
        config: of the service.
        environ: the deployer's environment.
        workspace: the service's Pulumi project and state.
        report: where progress goes.
        cancelled: set when the run is to stop.
        secrets: by name, of all environments; empty for commands that need none.
        processes: the engine processes in flight.
        rehearsal: what stands in for the clouds; None is the real ones.
        guard: what looks at updates before they are made; None is nothing.
        first: the first environment that the command deploys to; the local container gets its settings.
        ports: that the run has chosen for environments on a Docker host, before anything listens there.
        networks: likewise, in CIDR notation.

    """

    config: ServiceConfig
    environ: Mapping[str, str]
    workspace: workspaces.Workspace
    report: Report
    cancelled: Event = field(default_factory=Event)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    processes: Processes = field(default_factory=Processes)
    rehearsal: Rehearsal | None = None
    guard: Guard | None = None
    first: str = "staging"
    ports: set[int] = field(default_factory=set)
    networks: set[str] = field(default_factory=set)

    @property
    def locks(self) -> Path:
        """The folder of the locks of services; a rehearsal and a deployment do not wait for each other."""
        return (self.rehearsal.home.path if self.rehearsal else paths.data_dir()) / "locks"

    @property
    def names(self) -> Names:
        """The names of the service's stacks."""
        return Names(self.config.name)

    @cached_property
    def engine(self) -> Engine:
        """The engine; found, and the SDK imported, only by commands that need it."""
        from curtainup.engine.command import EngineCommand, engine_environment
        from curtainup.engine.operations import Engine

        found = engines.locate()
        env = engine_environment(self.workspace, found, self.environ)
        command = EngineCommand(found.command, found.version, self.processes)
        standins = self.rehearsal.providers if self.rehearsal else {}
        target = self.config.for_environment("live").deploy_target
        return Engine(self.workspace, command, env, self, standins, target)

    @cached_property
    def google(self) -> Google:
        """The Google Cloud account, or what stands in for it in a rehearsal."""
        from curtainup.platforms.google.account import RealGoogle

        return self.rehearsal.google if self.rehearsal else RealGoogle()

    def remembered(self, stack: str) -> Remembered:
        """Return what Pulumi remembers of a stack; from a file backend without the engine."""
        folder = self.workspace.backend.folder()
        return FileState(folder).read(stack) if folder else self.engine.remembered(stack)

    def stacks(self) -> list[str]:
        """Return the names of all stacks, of other services too; from a file backend without the engine."""
        folder = self.workspace.backend.folder()
        return FileState(folder).stacks() if folder else self.engine.stack_names()

    def locks_of(self, stack: str) -> Sequence[Path]:
        """Return the locks of a stack; only a file backend has any that can be read."""
        folder = self.workspace.backend.folder()
        return FileState(folder).locks(stack) if folder else ()

    def updates(self, stack: str) -> Iterator[dict[str, Any]]:
        """Give the updates of a stack, newest first; from a file backend without the engine."""
        folder = self.workspace.backend.folder()
        return FileState(folder).updates(stack) if folder else iter(self.engine.updates(stack))

    def take_over(self, locks: Sequence[Path]) -> bool:
        """Remove locks that no living process holds; see `recovery.take_over`."""
        return recovery.take_over(locks, self.report.warn)

    def settle(self, remembered: Remembered) -> list[Mapping[str, Any]]:
        """Remove what a cut-off update was creating; see `recovery.settle`."""
        return recovery.settle(remembered.pending, remembered.resources, self.docker, self.report.warn)

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

    @cached_property
    def redact(self) -> Callable[[str], str]:
        """Takes out of a text what no output may show."""
        return redactor(self.hidden)

    @cached_property
    def hidden(self) -> tuple[Secret, ...]:
        """What no output may show: the values of all secrets, and the addresses of who is told of runs."""
        return (*self.secrets.values(), *notify.addresses(self.config.notify, self.environ).values())

    def secrets_of(self, environment: str) -> dict[str, Secret]:
        """Return the secrets that an environment's releases are given, by name."""
        wanted = self.config.for_environment(environment).env_secrets
        return {name: self.secrets[name] for name in wanted}

    @cached_property
    def hmac_key(self) -> bytes:
        """The key of the secrets' HMACs: whoever can open the state can compare them, nobody else."""
        passphrase = self.workspace.backend.passphrase
        if passphrase is None:
            passphrase = self.engine.shared_key(self.names.image).encode()
        return hmac.new(passphrase, b"curtainup: secrets of releases", hashlib.sha256).digest()
