"""The targets: adding one touches no existing module but this."""

from __future__ import annotations

from components.docker_host import DockerHost
from components.environment import EnvironmentType

TARGETS: dict[str, EnvironmentType] = {"docker": DockerHost}
