"""The ports of an environment on a Docker host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from curtainup.model.targets.docker import DockerEnvironment
from curtainup.platforms.docker import placement
from curtainup.platforms.haproxy import proxy
from curtainup.targets.capabilities import ChoosesAnew
from curtainup.targets.target import Target

if TYPE_CHECKING:
    from curtainup.model.contract import EnvironmentSettings
    from curtainup.platforms.docker.hosts import Host


class HasPorts(Target, ChoosesAnew):
    """A target whose environments have ports of the Docker host."""

    def chosen_anew(
        self, settings: EnvironmentSettings, neighbours: Sequence[EnvironmentSettings]
    ) -> EnvironmentSettings:
        """Return the settings with other ports in place of those that went to something else.

        A port that the configuration names stays.

        Raises:
            PortTaken: no port is left.

        """
        if not isinstance(settings, DockerEnvironment):
            return settings
        port, stats_port = settings.port, settings.stats_port
        loses_port = self.config.port is None and not self._host.is_free(port, settings.bind)
        loses_stats_port = not self._host.is_free(stats_port)
        if not (loses_port or loses_stats_port) or self._runs_proxy:
            return settings
        given = _given(neighbours)
        if loses_port:
            port = self._public_port({stats_port, *given})
        if loses_stats_port:
            stats_port = self._stats_port({port, *given})
        return settings.model_copy(update={"port": port, "stats_port": stats_port})

    def _ports(self, neighbours: Sequence[EnvironmentSettings]) -> tuple[int, int]:
        """Return a port for users and one for the proxy's state, which nobody has."""
        given = _given(neighbours)
        port = self.config.port or self._public_port(given)
        return port, self._stats_port({port, *given})

    def _public_port(self, given: set[int]) -> int:
        taken = {*given, *self._other_ports()}
        return placement.public_port(self.config.bind, taken, self._host.is_free)

    def _stats_port(self, given: set[int]) -> int:
        return placement.internal_port(f"{self._stack}-stats", given, self._host.is_free)

    def _other_ports(self) -> set[int]:
        """Ports that the other environments of this service were given by name."""
        whole = self._session.service.config
        ports = (whole.for_environment(name).port for name in {"staging", "live", *whole.environments})
        return {port for port in ports if port is not None}

    @property
    def _runs_proxy(self) -> bool:
        found = proxy.container_facts(self._session.accounts.docker.api, f"{self._stack}-proxy")
        return found is not None and proxy.runs(found)

    @property
    def _stack(self) -> str:
        return self._session.service.names.environment(self.name)

    @property
    def _host(self) -> Host:
        return self._session.accounts.host


def _given(neighbours: Sequence[EnvironmentSettings]) -> set[int]:
    beside = [one for one in neighbours if isinstance(one, DockerEnvironment)]
    return {port for one in beside for port in (one.port, one.stats_port)}
