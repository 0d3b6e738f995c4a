"""What an environment behind the door of its Docker host needs, besides what every other there has."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import TYPE_CHECKING

from curtainup.model.targets.docker import DockerEnvironment
from curtainup.platforms.caddy.config import NAME
from curtainup.targets.capabilities import Shares
from curtainup.targets.docker import door, own_certificate
from curtainup.targets.target import Target

if TYPE_CHECKING:
    from curtainup.model.contract import EnvironmentSettings
    from curtainup.platforms.caddy.door import Door
    from curtainup.targets.docker.own_certificate import OwnCertificate
    from curtainup.targets.shared import Shared

OFF = MappingProxyType({"https_host": "", "door": "", "door_name": "", "certificate": ""})
"""The settings of an environment that is not behind the door."""


class BehindDoor(Target, Shares):
    """An environment that users reach over HTTPS, if it is configured so."""

    _given = ""
    """The fingerprint of the certificate that the door has been given in this run."""

    def shared(self) -> Shared | None:
        """Return the door of the host if the environment is to be behind it, and it is not there."""
        return door.shared(self._session) if self.https_host else None

    def require_room(self) -> None:
        """Check that the door has room for the environment's name, or that its ports are free.

        Raises:
            HttpsFailed: the name belongs to another environment.
            PortTaken: something else listens where the door is to listen.

        """
        if self.https_host is not None:
            door.require_room(self._session, self.https_host, self.environment.stack)

    def needs(self, settings: EnvironmentSettings) -> bool:
        """Return whether an environment with such settings is behind the door."""
        return isinstance(settings, DockerEnvironment) and bool(settings.https_host)

    def as_before(
        self, settings: EnvironmentSettings, before: EnvironmentSettings | None
    ) -> EnvironmentSettings:
        """Return settings with the name and the certificate of earlier ones."""
        found = before.model_dump(include=set(OFF)) if isinstance(before, DockerEnvironment) else dict(OFF)
        if found["https_host"] and isinstance(settings, DockerEnvironment) and settings.door:
            found |= {"door": settings.door, "door_name": settings.door_name}  # it may have been made anew
        return settings.model_copy(update=found)

    def as_found(self, settings: EnvironmentSettings) -> EnvironmentSettings:
        """Return settings with the place of the door that is there, if one is still configured."""
        if self.https_host is None:
            return settings
        place = door.place(self._session)
        return settings.model_copy(update={"door": place.address, "door_name": place.name})

    def is_cut_off(self) -> bool:
        """Return whether the door leads the name to the proxy no more."""
        known = self.known(DockerEnvironment)
        if known is None or not known.https_host or "public_url" not in self.environment.outputs:
            return False
        return not door.leads(self._session.accounts.docker, known.https_host, self.environment.stack)

    def alone(self) -> AbstractContextManager[None]:
        """Let no other service make the door while a block runs."""
        return door.alone(self._session)

    def bring(self) -> None:
        """Give the door the service's own certificate, if it has one.

        Raises:
            MissingSecretsError: neither the deployer nor the door has it.

        """
        host, environ = self.https_host, self._session.service.environ
        if host is None or self.config.certificate is None:
            return
        found, there = own_certificate.given(self.config, environ), door.running(self._session)
        if found is None:
            if not there.has_own(host):
                raise own_certificate.missing(self.config, environ)
        elif found.fingerprint != self._given:
            self._give(there, host, found)

    def _give(self, there: Door, host: str, found: OwnCertificate) -> None:
        """Give the door a certificate, once in a run: each update brings what it needs."""
        there.require_free(host, self.environment.stack)
        why = own_certificate.trouble(found, host) if there.has_own(host) else None
        if why is not None:
            self._session.run.report.warn(
                f"the door keeps the certificate that it has for {host}, as {self.config.certificate} holds "
                f"no valid one: {why}"
            )
            return
        there.give_own(host, found.whole)
        self._given = found.fingerprint
        if not there.shows_own(host):
            self._session.run.report.warn(_kept(host))

    def unshared(self) -> str | None:
        """Return how the door is removed, if it leads nowhere any more."""
        known = self.known(DockerEnvironment)
        return door.unused(self._session) if known and known.https_host else None

    @property
    def https_host(self) -> str | None:
        """The name as which users reach the environment over HTTPS; None if the door does not know it."""
        return self._session.service.config.https_host(self.name)

    def https(self) -> dict[str, str]:
        """Return the environment's settings that are about HTTPS."""
        host = self.https_host
        if host is None:
            return dict(OFF)
        place = door.place(self._session)
        return {
            "https_host": host,
            "door": place.address,
            "door_name": place.name,
            "certificate": self._certificate(host),
        }

    def _certificate(self, host: str) -> str:
        """Return the fingerprint of the service's own certificate: the known one if nobody gives one."""
        if self.config.certificate is None:
            return ""
        found = own_certificate.given(self.config, self._session.service.environ)
        known = self.known(DockerEnvironment)
        before = known.certificate if known and known.https_host == host else ""
        if found is None:
            return before
        if found.fingerprint != before:
            own_certificate.require_valid(self.config, found, host)
        return found.fingerprint


def _kept(host: str) -> str:
    """Say that Caddy uses a certificate of ACME that it has in memory before it looks for another one."""
    return (
        f"the door goes on showing the certificate that it has for {host} by ACME. It shows yours once it "
        f"is started again: `docker restart {NAME}`. That interrupts HTTPS of all services here for a moment"
    )
