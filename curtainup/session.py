"""Everything a command works with, put together in one place and passed on from there."""

from __future__ import annotations

import hashlib
import hmac
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from curtainup import config as configuration
from curtainup import recovery
from curtainup import workspace as workspaces
from curtainup.config import ServiceConfig, review_names
from curtainup.errors import SetupError
from curtainup.gates.redact import redactor
from curtainup.notify import destinations
from curtainup.processes import Processes
from curtainup.secret import Secret
from curtainup.setup import engine as engines
from curtainup.state import FileState, Remembered

if TYPE_CHECKING:
    import docker

    from curtainup.clouds.google import Google
    from curtainup.engine import Engine
    from curtainup.plan_guard import Guard
    from curtainup.rehearsal.stage import Rehearsal
    from curtainup.report import Report


@dataclass(frozen=True)
class Names:
    """The names of a service's stacks."""

    service: str

    @property
    def image(self) -> str:
        """The stack of the image and its registry."""
        return f"{self.service}-image"

    def environment(self, name: str) -> str:
        """The stack of an environment."""
        return f"{self.service}-{name}"


@dataclass(frozen=True)
class Rehearsing:
    """That a command is for the rehearsal and not for the real clouds, and what is to go wrong in it."""

    faults: tuple[str, ...] = ()


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
        return (self.rehearsal.home.path if self.rehearsal else workspaces.data_dir()) / "locks"

    @property
    def names(self) -> Names:
        """The names of the service's stacks."""
        return Names(self.config.name)

    @cached_property
    def engine(self) -> Engine:
        """The engine; found, and the SDK imported, only by commands that need it."""
        from curtainup.engine import Engine
        from curtainup.process import EngineCommand

        found = engines.locate()
        env = engine_environment(self.workspace, found, self.environ)
        command = EngineCommand(found.command, found.version, self.processes)
        standins = self.rehearsal.providers if self.rehearsal else {}
        target = self.config.for_environment("live").deploy_target
        return Engine(self.workspace, command, env, self, standins, target)

    @cached_property
    def google(self) -> Google:
        """The Google Cloud account, or what stands in for it in a rehearsal."""
        from curtainup.clouds.google import RealGoogle

        return self.rehearsal.google if self.rehearsal else RealGoogle()

    def remembered(self, stack: str) -> Remembered:
        """Return what Pulumi remembers of a stack; from a file backend without the engine."""
        folder = self.workspace.backend.folder()
        return FileState(folder).read(stack) if folder else self.engine.remembered(stack)

    def stacks(self) -> list[str]:
        """Return the names of all stacks, of other services too; from a file backend without the engine."""
        folder = self.workspace.backend.folder()
        return FileState(folder).stacks() if folder else self.engine.stack_names()

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
        return (*self.secrets.values(), *destinations.addresses(self.config, self.environ).values())

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


def open_session(
    service_dir: Path,
    overlay: str | None,
    report: Report,
    *,
    with_secrets: bool = True,
    rehearsing: Rehearsing | None = None,
    review: str | None = None,
) -> Session:
    """Read the configuration, find the state, and return what a command works with.

    Without `with_secrets` a missing secret is no error: those at hand are still kept out of all output.
    With `rehearsing` no real account and no real state is within the process's reach from then on.
    With `review` only that review environment is deployed, and only its secrets are needed.

    Raises:
        ConfigError: the configuration is missing or wrong.
        MissingSecretsError: a secret is not set.
        StateError: there is no backend, its passphrase is missing, or it holds rehearsals.
        RefusedError: the target or a fault cannot be rehearsed, or `review` cannot be a name.

    """
    config = configuration.load(service_dir, overlay, warn=report.warn)
    if review is not None:
        review_names.require(config, review)
    secrets = _at_hand(config, os.environ)
    if with_secrets:
        secrets |= configuration.collect_secrets(config, os.environ, review)
    first = review or "staging"
    provider_dir = Path(sys.executable).parent
    if rehearsing is not None:
        rehearsal = _on_stage(config, rehearsing)
        workspace = workspaces.open_workspace(
            service_dir, rehearsal.backend(), provider_dir, rehearsal=rehearsal.target
        )
        return Session(
            config, os.environ, workspace, report, secrets=secrets, rehearsal=rehearsal, first=first
        )
    backend = workspaces.find_backend(config.backend, config.secrets_provider, os.environ)
    workspaces.require_real(backend)
    workspace = workspaces.open_workspace(service_dir, backend, provider_dir)
    return Session(config, os.environ, workspace, report, secrets=secrets, first=first)


def _on_stage(config: ServiceConfig, rehearsing: Rehearsing) -> Rehearsal:
    from curtainup.rehearsal import stage

    environment = config.for_environment("live")
    rehearsal = stage.Rehearsal(
        stage.home(environment.deploy_target), environment.deploy_target, rehearsing.faults
    )
    rehearsal.enter(profile=environment.aws_user)
    return rehearsal


def _at_hand(config: ServiceConfig, environ: Mapping[str, str]) -> dict[str, Secret]:
    names = configuration.secret_names(config)
    return {name: Secret(environ[name]) for name in names if environ.get(name)}


def engine_environment(
    workspace: workspaces.Workspace, found: engines.Engine, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables that Pulumi's processes get besides the deployer's own.

    Plugins are there once set-up has run; looking for newer ones costs seconds where no server answers.
    The engine and its plugins live for a second, so they may collect garbage less often.
    """
    path = os.pathsep.join([*found.path_entries, environ.get("PATH", os.defpath)])
    return {
        **workspace.backend.env,
        "PATH": path,
        "PULUMI_PYTHON_CMD": sys.executable,
        "GOGC": environ.get("GOGC", "400"),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
