"""Where in the file an environment got a setting from."""

from __future__ import annotations

from curtainup.config.models import EnvironmentConfig, ServiceConfig
from curtainup.config.reading.problems import KeyPath


def place(config: ServiceConfig, environment: EnvironmentConfig, name: str) -> KeyPath:
    """Return where the environment got its `name` from: its sections or the top level."""
    for section, settings in reversed(config.sections_of(environment.environment).items()):
        if section and name in settings.model_fields_set:
            return ("environments", section, name)
    return (name,)
