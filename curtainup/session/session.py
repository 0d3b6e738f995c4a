"""The collaborators of one command, put together in one place."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from curtainup.engine.workspace import Workspace
from curtainup.platforms.docker import hosts, labels
from curtainup.platforms.docker.engine import DockerEngine
from curtainup.reporting import Report
from curtainup.session.accounts import Accounts, Stage
from curtainup.session.run import Run
from curtainup.session.service import Service
from curtainup.session.start import Start
from curtainup.session.state import State
from curtainup.setup import paths


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
        live = others[service.config.docker_hosts[0]].accounts if others else accounts
        start = Start(service, workspace, accounts, run, live)
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
