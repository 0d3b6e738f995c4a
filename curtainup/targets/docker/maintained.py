"""Maintenance on a Docker host: the proxy answers users with a page; this host gets past it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curtainup.errors import ConfigError, RefusedError
from curtainup.model.targets.docker import DockerEnvironment
from curtainup.platforms.haproxy import maintenance as pages
from curtainup.targets.maintaining import Maintains
from curtainup.targets.target import Target

if TYPE_CHECKING:
    from curtainup.model.contract import EnvironmentSettings
    from curtainup.model.maintenance import Maintenance


class Maintained(Target, Maintains):
    """An environment whose proxy can answer users in place of the releases."""

    def maintenance(self) -> Maintenance | None:
        """Return the maintenance that is on; None if users reach the releases."""
        known = self.known(DockerEnvironment)
        return known.maintenance if known else None

    def way_past(self) -> str | None:
        """Return the port of the proxy's state, which leads past the page while there is one."""
        if self.maintenance() is None:
            return None
        return str(self.environment.outputs["stats_url"])

    def maintained(self, wanted: Maintenance | None) -> EnvironmentSettings:
        """Return the environment's settings with maintenance on, or off.

        Raises:
            ConfigError: the page is too large.
            RefusedError: the proxy runs with a configuration that knows of no page.

        """
        known = self.own(DockerEnvironment)
        if wanted is not None:
            self._require_room(wanted, known.header_kb)
            if self._shown() is None:
                raise self._too_old()
        changed = {"maintenance": wanted, "generation": known.generation + 1}
        return known.model_copy(update=changed)

    def has_drifted(self) -> bool:
        """Return whether the proxy shows something else than Pulumi remembers."""
        known, shown = self.maintenance(), self._shown()
        return shown is not None and shown != pages.encoded(known.page if known else "")

    def _shown(self) -> str | None:
        """Return the page that the proxy shows, encoded; None if it knows of none, or does not run."""
        from curtainup.platforms.haproxy.proxy import Proxy, container_facts, runs

        api, name = self._session.accounts.docker.api, self._proxy
        facts = container_facts(api, name)
        return Proxy(api, name).observe().maintenance if facts and runs(facts) else None

    @property
    def _proxy(self) -> str:
        return f"{self.environment.stack}-proxy"

    def _require_room(self, wanted: Maintenance, header_kb: int) -> None:
        size, limit = len(wanted.page.encode()), pages.limit(header_kb)
        if size > limit:
            raise ConfigError(
                f"the page of maintenance has {size} bytes, and may have {limit}",
                where=f"{self.name}, header_limit {header_kb}",
                consequence="users would get no page, so nothing was changed",
                fix="make the page smaller; put its images and styles somewhere else, or leave them out",
            )

    def _too_old(self) -> RefusedError:
        stack = self.environment.stack
        return RefusedError(
            "the proxy does not run, or began with a configuration that knows of no maintenance",
            where=f"container {self._proxy}",
            consequence="users would go on reaching the service, so nothing was changed",
            fix=f"curtainup pulumi up --yes --stack {stack}, then docker restart {self._proxy}: this "
            "interrupts traffic for about a second",
        )
