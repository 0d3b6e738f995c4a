"""Puts together the engine of a command, once something needs it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curtainup.engine import recovery
from curtainup.engine.workspace import Workspace
from curtainup.model.names import LIVE
from curtainup.setup import engine as engines

if TYPE_CHECKING:
    import docker

    from curtainup.engine.memory import StackMemory
    from curtainup.engine.operations import Engine
    from curtainup.engine.shared_plugin import SharedPlugin
    from curtainup.platforms.docker.hosts import Host
    from curtainup.platforms.kubernetes.cluster import Cluster
    from curtainup.session.accounts import Accounts
    from curtainup.session.run import Run
    from curtainup.session.service import Service


@dataclass(frozen=True)
class Start:
    """Creates the engine that works on the environments of one Docker host.

    Attributes:
        service: the service that the command works on.
        workspace: its Pulumi project.
        accounts: the Docker host and the clouds that the engine's plugins reach.
        run: reports progress, and stops the engine.
        live: the accounts of live's Docker host, from whose registry any environment may pull.

    """

    service: Service
    workspace: Workspace
    accounts: Accounts
    run: Run
    live: Accounts

    def __call__(self, memory: StackMemory) -> Engine:
        """Return the engine; this looks for it, and imports the SDK.

        Args:
            memory: what Pulumi remembers of the stacks.

        Raises:
            SetupError: there is no engine.

        """
        from curtainup.engine.command import EngineCommand, engine_environment
        from curtainup.engine.operations import Engine

        found = engines.locate()
        variables = {
            **engine_environment(self.workspace, found, self.service.environ),
            **self.accounts.host.variables,
        }
        stage = self.accounts.rehearsal
        target = self.service.config.for_environment(LIVE).deploy_target
        return Engine(
            self.workspace,
            EngineCommand(found.command, found.version, self.run.processes),
            variables,
            memory,
            recovery.Recovery(self._docker, self.run.report.warn, self.run.cancelled, self._cluster),
            stage.providers if stage else {},
            target,
            None if stage else shared_plugin(target, self.workspace, variables),
            enter=self._enter,
        )

    def _docker(self) -> docker.DockerClient:
        return self.accounts.docker

    def _cluster(self, context: str) -> Cluster:
        return self.accounts.clusters.of(context)

    def _enter(self) -> tuple[int, ...]:
        """Reach the environment's host, and live's."""
        reached: tuple[Host, ...] = (self.live.host, self.accounts.host)
        return tuple(one for host in dict.fromkeys(reached) for one in host.enter(os.environ))


def shared_plugin(target: str, workspace: Workspace, variables: Mapping[str, str]) -> SharedPlugin | None:
    """Return the plugin that the updates of a run share; None where each has its own.

    A program that its service has edited may configure the plugin twice in one update. And curtainup knows
    what it has built.
    """
    from curtainup.engine.shared_plugin import SharedPlugin
    from curtainup.setup import provider

    shared = {one.target: one for one in (provider.DOCKER, provider.KUBERNETES)}.get(target)
    binary = None if shared is None or workspace.edition else provider.built(shared)
    if shared is None or binary is None:
        return None
    return SharedPlugin(shared.package, binary, {**os.environ, **variables})
