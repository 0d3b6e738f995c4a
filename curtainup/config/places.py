"""Where in the file an environment got a setting from."""

from __future__ import annotations

from curtainup.config.models import EnvironmentConfig, ServiceConfig
from curtainup.config.problems import KeyPath


def place(config: ServiceConfig, environment: EnvironmentConfig, name: str) -> KeyPath:
    """Return where the environment got its `name` from: its own section or the top level."""
    section = config.environments.get(environment.environment)
    if section is not None and name in section.model_fields_set:
        return ("environments", environment.environment, name)
    return (name,)
