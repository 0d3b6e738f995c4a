"""A service's configuration: `pym-config.yaml`, validated before anything is touched."""

from curtainup.config.models import (
    STANDARD_ENVIRONMENTS,
    EnvironmentConfig,
    EnvironmentSettings,
    ServiceConfig,
)
from curtainup.config.reading.loader import config_file, load
from curtainup.config.secrets import (
    collect_secrets,
    needed_secrets,
    require_plain_args,
    secret_names,
    telltales,
)

__all__ = [
    "STANDARD_ENVIRONMENTS",
    "EnvironmentConfig",
    "EnvironmentSettings",
    "ServiceConfig",
    "collect_secrets",
    "config_file",
    "load",
    "needed_secrets",
    "require_plain_args",
    "secret_names",
    "telltales",
]
