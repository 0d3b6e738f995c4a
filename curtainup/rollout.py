"""Moving an environment from one deployment to the next, and back."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection
from dataclasses import replace
from threading import Event

from curtainup import environments, health, placement, release
from curtainup.config import EnvironmentConfig
from curtainup.containers import Container
from curtainup.contract import EnvironmentSettings
from curtainup.environments import Environment
from curtainup.errors import CurtainupError, RefusedError
from curtainup.release import Deployment, Release, Settings
from curtainup.session import Session
from curtainup.setup.catalogue import REFERENCES
from curtainup.steps import Progress

KEEP = 1
"""How many releases without traffic a Docker host keeps, for instant rollback."""


def settings_of(session: Session, name: str) -> Settings:
    """Return what a release of an environment runs with today."""
    config = session.config.for_environment(name)
    return Settings(
        memory_mb=config.memory_limit,
        cpus=config.cpus,
        pids_limit=config.pids_limit,
        container_port=config.container_port,
        health_path=config.health_path,
        stop_timeout=config.stop_timeout,
        env={**config.env, "PYM_ENV": pym_env(session, name)},
    )


def pym_env(session: Session, name: str) -> str:
    """Return what the service finds in PYM_ENV: `dev` in the local container, else `NAME-ENVIRONMENT`."""
    return "dev" if name == "local" else f"{session.config.name}-{name}"


class Rollout:
    """One environment, as it is now and as it is to be."""

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self.name = name
        self.config: EnvironmentConfig = session.config.for_environment(name)
        self.environment = _remembered(session, name)
        self._there = frozenset(self.environment.places)

    @property
    def deployment(self) -> Deployment:
        """What Pulumi remembers that is there."""
        return self.environment.deployment

    @property
    def url(self) -> str:
        """Where users reach it, as its settings have it: known before its first update too."""
        if self.environment.settings is None:
            raise RuntimeError("prepare() comes first")
        return self.environment.settings.url

    def release_url(self, one: Release) -> str:
        """Where a release is reached alone; one with a fixed place has that before its first update too."""
        return one.address.url if one.address else self.environment.release_url(one.id)

    @property
    def cancelled(self) -> Event:
        """Set when the run is to stop."""
        return self._session.cancelled

    @property
    def keep(self) -> int:
        """How many releases without traffic stay when a new one comes; staging needs none of them."""
        if self.name == "staging":
            return 0
        return KEEP if self.config.keep is None else self.config.keep

    def release_id(self, reference: str) -> str:
        """Return the id that an image has as a release here, with today's settings and secrets."""
        return release.release_id(reference, settings_of(self._session, self.name), self._hmac())

    def needs_replacement(self) -> list[str]:
        """Return the keys whose new values would replace the proxy, and so interrupt traffic."""
        settings = self.environment.settings
        if settings is None:
            return []
        wanted = {"port": self.config.port or settings.port, "bind": self.config.bind}
        return [key for key, value in wanted.items() if getattr(settings, key) != value]

    def prepare(self, *, allow_replace: bool, taken: Collection[int] = ()) -> None:
        """Settle the environment's own settings: chosen once, then as remembered.

        Args:
            allow_replace: accept changes that interrupt traffic.
            taken: ports that are not to be chosen, though nothing listens on them yet.

        Raises:
            PortTaken: the configured port belongs to something else.
            RefusedError: a changed key would interrupt the traffic of an environment that serves.

        """
        settings = self.environment.settings
        if settings is None:
            self.environment = replace(self.environment, settings=self._first_settings(taken))
            return
        changed = self.needs_replacement()
        if changed and self.deployment.serving() is not None and not allow_replace:
            raise RefusedError(
                f"changing {' and '.join(changed)} of {self.name} replaces its proxy",
                where=f"{', '.join(changed)} in pym-config.yaml",
                consequence="requests would fail for some seconds, so nothing was changed",
                fix="put the old value back, or allow it with --allow-replace",
            )
        if changed and self.config.port and self.config.port != settings.port:
            placement.require_free(self.config.port, self.config.bind, "port")
        update = {
            "port": self.config.port or settings.port,
            "bind": self.config.bind,
            "host": self._host(),
            "request_timeout": self.config.request_timeout,
            "drain_timeout": self.config.drain_timeout,
        }
        self.environment = replace(self.environment, settings=settings.model_copy(update=update))

    def new_release(self, reference: str, version: str) -> Release:
        """Return the release that an image is here: the one that is there already, or a new one."""
        identity = self.release_id(reference)
        known = self.deployment.find(identity)
        if known is not None:
            return known
        settings = self.environment.settings
        if settings is None:
            raise RuntimeError("prepare() comes first")
        place = self.environment.places.get(identity) or placement.address(
            f"{self.environment.stack}-{identity}", settings.subnet, self.deployment, {settings.stats_port}
        )
        return Release(
            id=identity,
            version=version,
            image=reference,
            settings=settings_of(self._session, self.name),
            secrets_hmac=self._hmac(),
            address=place,
        )

    def seal(self, new: Release) -> None:
        """Have the ciphertext of a release's secrets at hand."""
        secrets = self._session.secrets_of(self.name)
        self.environment = environments.sealed_for(self._session.engine, self.environment, new, secrets)

    def apply(self, deployment: Deployment) -> None:
        """Make a deployment real by one update."""
        self.environment = environments.apply(self._session.engine, self.environment, deployment)

    def make_ready(self) -> None:
        """Import what an update needs; done beside something that has to be waited for anyhow."""
        self._session.engine.make_ready()

    def refresh(self) -> None:
        """Read again what Pulumi remembers, after an update that failed half-way."""
        sealed = self.environment.sealed
        found = _remembered(self._session, self.name)
        self.environment = replace(found, sealed={**sealed, **found.sealed})

    def wait_until_healthy(self, one: Release, progress: Progress) -> None:
        """Wait until a release answers on its own URL.

        One whose container was there before this run is started first: a run that was cut off while it
        removed it may have left it stopped.

        Raises:
            ReleaseUnhealthy: it exited, or did not answer in `start_timeout`.

        """
        container = Container(
            lambda: self._session.docker,
            f"{self.environment.stack}-{one.id}",
            one.settings.container_port,
            self._session.redact,
        )
        url, path = self.environment.release_url(one.id), one.settings.health_path
        if one.id in self._there and not health.answers(url, path):
            container.start()
        seconds = health.wait_until_healthy(
            url,
            path,
            container,
            timeout=self.config.start_timeout,
            cancelled=self._session.cancelled,
        )
        progress.note = f"{one.id} answered after {seconds:.1f} s"

    def put_back(self, before: Deployment, note: Callable[[str], None]) -> None:
        """Undo what a failed or interrupted step did: make the environment what it was before.

        Raises:
            CurtainupError: that failed too.

        """
        try:
            self.refresh()
        except CurtainupError as error:
            note(f"what {self.name} remembers could not be read again: {error.what}")
        for step in release.retreat(self.deployment, before):
            self.apply(step)

    def _first_settings(self, taken: Collection[int]) -> EnvironmentSettings:
        session, config = self._session, self.config
        stack = self.environment.stack
        if config.port is not None:
            placement.require_free(config.port, config.bind, "port")
        port = config.port or placement.public_port(config.bind, {*taken, *self._other_ports()})
        networks = [
            pool["Subnet"]
            for network in session.docker.networks.list()
            for pool in (network.attrs.get("IPAM") or {}).get("Config") or []
            if "Subnet" in pool
        ]
        return EnvironmentSettings(
            service=session.config.name,
            name=self.name,
            host=self._host(),
            bind=config.bind,
            port=port,
            stats_port=placement.internal_port(f"{stack}-stats", {port}),
            subnet=placement.subnet(stack, networks),
            proxy_image=REFERENCES["proxy"],
            request_timeout=config.request_timeout,
            drain_timeout=config.drain_timeout,
        )

    def _other_ports(self) -> set[int]:
        """Ports that the other environments of this service were given by name."""
        names = {"staging", "live", *self._session.config.environments}
        ports = (self._session.config.for_environment(name).port for name in names)
        return {port for port in ports if port is not None}

    def _host(self) -> str:
        """Return how this machine reaches the address, as it stands in a URL."""
        bind = ipaddress.ip_address(self.config.bind)
        if bind.version == 4:
            return "127.0.0.1" if bind.is_unspecified else str(bind)
        return "[::1]" if bind.is_unspecified else f"[{bind}]"

    def _hmac(self) -> str:
        values = self._session.secrets_of(self.name)
        if not values:
            return ""
        plain = {name: secret.reveal() for name, secret in values.items()}
        return release.secrets_hmac(plain, self._session.hmac_key)


def _remembered(session: Session, name: str) -> Environment:
    stack = session.names.environment(name)
    return environments.parse(stack, session.remembered(stack))
