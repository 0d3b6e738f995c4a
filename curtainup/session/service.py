"""The service that a command works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from curtainup.config import EnvironmentConfig, ServiceConfig, notify
from curtainup.config.secrets import build_secrets
from curtainup.model.names import STAGING, Names
from curtainup.util.redaction import Redactor, redactor
from curtainup.util.secrets import Secret


@dataclass(frozen=True)
class Service:
    """The service that a command works on.

    Attributes:
        config: the service's configuration.
        environ: the deployer's environment variables.
        secrets: the secrets of all environments by name; empty for commands that need none.
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
        """The values that no output may show: all secrets, and the addresses of notifications."""
        return (*self.secrets.values(), *notify.addresses(self.config.notify, self.environ).values())

    @cached_property
    def redact(self) -> Redactor:
        """A function that takes the hidden values out of a text."""
        return redactor(self.hidden)

    def secrets_of(self, environment: str) -> dict[str, Secret]:
        """Return by name the secrets that an environment's releases get."""
        wanted = self.config.for_environment(environment).env_secrets
        return {name: self.secrets[name] for name in wanted}

    @property
    def build_secrets(self) -> dict[str, Secret]:
        """By name the secrets that a build gets."""
        return {name: self.secrets[name] for name in build_secrets(self.config)}

    @property
    def local(self) -> EnvironmentConfig:
        """The settings of the local gate."""
        return self.config.for_local(self.first)

    @property
    def local_secrets(self) -> dict[str, Secret]:
        """By name the secrets that the container of the local gate gets."""
        return {name: self.secrets[name] for name in self.local.env_secrets}
