"""The driver's half of an environment on a Docker host."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from curtainup.config import EnvironmentConfig
from curtainup.config.docker import HEADER_LIMIT
from curtainup.engine.aftermath import strays
from curtainup.errors import CurtainupError
from curtainup.model.process import container
from curtainup.model.release import Address, Release
from curtainup.model.targets.docker import DockerEnvironment, DockerSettings
from curtainup.platforms.docker import networks, placement
from curtainup.platforms.docker.container import Container
from curtainup.platforms.docker.labels import new_state
from curtainup.platforms.haproxy.sessions import current_sessions
from curtainup.setup.base_images.catalogue import REFERENCES
from curtainup.targets import engines, schedules
from curtainup.targets.capabilities import (
    BesideEngine,
    ChecksPresence,
    Chooses,
    Drains,
    Inspects,
    Interrupts,
    KnowsPlaces,
    MayBeDistant,
    MayLeadElsewhere,
    NeedsBeside,
    Renews,
    Reverts,
    Revives,
)
from curtainup.targets.docker import availability, beside, commands
from curtainup.targets.docker import tasks as docker_host
from curtainup.targets.docker.https import OFF, BehindDoor
from curtainup.targets.docker.maintained import Maintained
from curtainup.targets.docker.ports import HasPorts
from curtainup.targets.docker.processes import HasProcesses
from curtainup.targets.docker.schedules import HasSchedules
from curtainup.targets.processes import wanted
from curtainup.targets.runs import EndsCommands, EndsTasks, Executes, RunsTasks

if TYPE_CHECKING:
    from curtainup.config.tasks import Task
    from curtainup.model.contract import EnvironmentSettings
    from curtainup.targets.command import Asked
    from curtainup.targets.task_result import Ran

FORWARDED = "FORWARDED_ALLOW_IPS"
"""The variable by which gunicorn and uvicorn know whose X-Forwarded-* headers they may believe."""


def runtime(config: EnvironmentConfig, *, https: bool = False) -> DockerSettings:
    """Return what a container runs with on a Docker host, the local one of the gate included.

    With HTTPS it has to believe what the proxy says of that. Only the proxy and the host itself reach it, and
    the proxy passes on what the door says and nobody else.
    """
    return DockerSettings(
        memory_mb=config.memory_limit,
        cpus=config.cpus,
        pids_limit=config.pids_limit,
        container_port=config.container_port,
        health_path=config.health_path,
        stop_timeout=config.stop_timeout,
        capabilities=config.capabilities,
        networks=beside.networks(config),
        volumes=config.volumes,
        host_gateway=config.host_gateway,
        env={FORWARDED: "*", **config.env} if https else dict(config.env),
    )


class DockerTarget(
    BehindDoor,
    Maintained,
    HasPorts,
    Chooses,
    Interrupts,
    KnowsPlaces,
    MayBeDistant,
    MayLeadElsewhere,
    NeedsBeside,
    BesideEngine,
    Inspects,
    Reverts,
    Revives,
    Renews,
    ChecksPresence,
    Drains,
    RunsTasks,
    EndsTasks,
    Executes,
    EndsCommands,
    HasProcesses,
    HasSchedules,
):
    """An environment on a Docker host: its ports, its network, its containers."""

    def runtime(self) -> DockerSettings:
        """Return what a release runs with today."""
        found = runtime(self.config, https=self.https_host is not None)
        update = {"processes": wanted(self._session, self.config), "schedules": schedules.wanted(self.config)}
        return found.model_copy(update=update)

    def require_same_place(self) -> None:
        """Check that the environment is on the Docker engine that the command works on.

        Raises:
            RefusedError: it is on another one.

        """
        engines.require_same(self._session, self.own(DockerEnvironment).engine, self.name)

    def require_beside(self) -> None:
        """Check that the networks and volumes that releases need are there; see `beside.require`."""
        beside.require(self._session.accounts.docker, self.config)

    def interrupting(self) -> list[str]:
        """Return the keys whose new values would replace the proxy."""
        known = self.known(DockerEnvironment)
        if known is None:
            return []
        config = self.config
        wanted = {
            "port": (known.port, config.port or known.port),
            "bind": (known.bind, config.bind),
            "header_limit": (known.header_kb, config.header_limit or known.header_kb),
            "sticky": (known.sticky, config.sticky),
        }
        return [key for key, (old, new) in wanted.items() if old != new]

    def reverted(self, settings: EnvironmentSettings, before: EnvironmentSettings) -> EnvironmentSettings:
        """Return the earlier settings; a door that was made anew meanwhile keeps its new address."""
        if not isinstance(before, DockerEnvironment):
            return settings
        door = self.as_before(settings, before).model_dump(include=set(OFF))
        return before.model_copy(update=door)

    def settings(self) -> DockerEnvironment:
        """Return the environment's settings, with the ports and the network that were chosen for it.

        Raises:
            PortTaken: the configured port belongs to something else.
            RefusedError: the environment is on another Docker engine.

        """
        self.require_same_place()
        known = self.own(DockerEnvironment)
        if self.config.port and self.config.port != known.port:
            placement.require_free(self.config.port, self.config.bind, "port", self._host.is_free)
        update = {
            "port": self.config.port or known.port,
            "bind": self.config.bind,
            "host": self._shown_host(),
            "request_timeout": self.config.request_timeout,
            "drain_timeout": self.config.drain_timeout,
            "header_kb": self.config.header_limit or known.header_kb,
            "sticky": self.config.sticky,
            **self.https(),
        }
        return known.model_copy(update=update)

    def first_settings(self, neighbours: Sequence[EnvironmentSettings]) -> DockerEnvironment:
        """Return the environment's settings, with ports and a network that nobody else has.

        Raises:
            PortTaken: the configured port belongs to something else.
            RefusedError: the environment is on this Docker host already, and another state knows it.

        """
        session, config = self._session, self.config
        stack = self._stack
        scope = strays.Scope(session.service.config.name, self.name, "")
        strays.require_own(scope, strays.find(session.accounts.docker, scope, ()))
        if config.port is not None:
            placement.require_free(config.port, config.bind, "port", self._host.is_free)
        port, stats_port = self._ports(neighbours)
        taken = networks.subnets(session.accounts.docker)
        beside = [one.subnet for one in neighbours if isinstance(one, DockerEnvironment)]
        subnet = placement.subnet(stack, [*taken, *beside], networks.routed(session.accounts.docker))
        return DockerEnvironment(
            service=session.service.config.name,
            name=self.name,
            host=self._shown_host(),
            bind=config.bind,
            port=port,
            stats_port=stats_port,
            subnet=subnet,
            proxy_image=REFERENCES["proxy"],
            request_timeout=config.request_timeout,
            drain_timeout=config.drain_timeout,
            header_kb=config.header_limit or HEADER_LIMIT,
            sticky=config.sticky,
            state=new_state(),
            engine=session.accounts.engine_id,
        ).model_copy(update=self.https())

    def address(self, release_id: str) -> Address:
        """Return the place that the release's container has, else a free one."""
        environment, known = self.environment, self.own(DockerEnvironment)
        return environment.places.get(release_id) or placement.address(
            f"{environment.stack}-{release_id}",
            known.subnet,
            environment.deployment,
            {known.stats_port},
            self._guests(),
            self._host.is_free,
        )

    def url(self) -> str | None:
        """Return where users reach it: chosen before the first update."""
        known = self.known(DockerEnvironment)
        return known.url if known else None

    def release_url(self, release: Release) -> str | None:
        """Return the release's own port: chosen before its first update."""
        return release.address.url if release.address else None

    def from_here(self, url: str) -> str:
        """Return the URL by which this machine reaches one of the Docker host's."""
        known = self.known(DockerEnvironment)
        if known is None or urlsplit(url).port != known.port:
            return self._host.url(url)
        bind = ipaddress.ip_address(known.bind)
        loopback = "127.0.0.1" if bind.version == 4 else "::1"
        return self._host.url(url, loopback if bind.is_unspecified else str(bind))

    def by_way_of(self) -> str:
        """Say that SSH reaches it."""
        return "over SSH"

    def is_beside_engine(self) -> bool:
        """Return True: the engine runs it."""
        return True

    def suspect(self, release: Release) -> Container:
        """Return the release's container."""
        session = self._session
        return Container(
            lambda: session.accounts.docker,
            f"{self.environment.stack}-{release.id}",
            release.settings.container_port,
            session.service.redact,
        )

    def revive(self, release: Release) -> None:
        """Start the container: a run that was cut off while it removed it may have left it stopped."""
        self.suspect(release).start()

    def renew(self, release: Release) -> None:
        """Start the release's container anew if it has ended; Docker tries that less and less often."""
        self.suspect(release).renew()

    def require_there(self, release: Release) -> None:
        """Check that the release's container is there.

        Raises:
            UnknownRelease: it is gone.

        """
        availability.require_container(self._session.accounts.docker.api, self.environment.stack, release)

    def drained(self, releases: Sequence[str]) -> bool:
        """Return whether the proxy has no request under way on these releases."""
        sessions = current_sessions(self._host.url(str(self.environment.outputs["stats_url"])))
        return sessions is not None and not any(sessions.get(one) for one in releases)

    def run_task(self, release: Release, task: Task, on_line: Callable[[str], None]) -> Ran:
        """Run a task in a container beside the release's."""
        session = self._session
        return docker_host.run(
            session.accounts.docker,
            self._place,
            release,
            task,
            session.service.secrets_of(self.name),
            on_line=on_line,
            cancel=session.run.cancelled,
        )

    def end_tasks(self) -> None:
        """Remove the containers of tasks that a run which was killed has left."""
        docker_host.end(self._session.accounts.docker, self._place.labels)

    def no_command(self, release: Release, *, attach: bool) -> CurtainupError | None:  # noqa: ARG002
        """Return why a command cannot be run: the way to the engine may not carry one."""
        return commands.refusal(self._session.accounts.docker)

    def execute(self, release: Release, asked: Asked) -> int:
        """Run a command in a container beside the release's, or in that; of a process likewise."""
        client, stack, process = self._session.accounts.docker, self.environment.stack, asked.process
        if not asked.attach:
            return commands.run_beside(client, self._place, release, asked)
        own = f"{stack}-{release.id}"
        entered = own if process is None else container(stack, process, asked.number, release.id)
        return commands.run_inside(client, entered, asked, release.id)

    def end_commands(self, is_over: Callable[[str], bool]) -> None:
        """Remove the containers of commands whose curtainup was killed."""
        client = self._session.accounts.docker
        found = commands.left(client, self._place.labels)
        commands.end(client, [one for one, holder in found if is_over(holder)])

    @property
    def _place(self) -> docker_host.Place:
        settings = self.own(DockerEnvironment)
        return docker_host.Place.of(self.environment.stack, settings, self._session.run.id)

    def _guests(self) -> list[str]:
        """Return the addresses on the environment's network: an old one has no part for guests."""
        from docker.errors import NotFound

        try:
            network = self._session.accounts.docker.networks.get(self.environment.stack)
        except NotFound:
            return []
        there = (network.attrs.get("Containers") or {}).values()
        return [str(one["IPv4Address"]).partition("/")[0] for one in there if one.get("IPv4Address")]

    def _shown_host(self) -> str:
        """Return how the address is reached, as it stands in a URL: of another machine by its name."""
        bind = ipaddress.ip_address(self.config.bind)
        if bind.is_unspecified and not self._host.is_here:
            known = self.known(DockerEnvironment)
            return known.host if known and known.bind == self.config.bind else self._host.hostname()
        if bind.version == 4:
            return "127.0.0.1" if bind.is_unspecified else str(bind)
        return "[::1]" if bind.is_unspecified else f"[{bind}]"
