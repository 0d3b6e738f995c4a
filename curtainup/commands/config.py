"""`config`: check `pym-config.yaml`, or print its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from curtainup import config as configuration
from curtainup.config import ServiceConfig
from curtainup.config.reading.loader import config_file
from curtainup.config.schema import schema


def schema_text() -> str:
    """Return the JSON Schema of `pym-config.yaml` as a file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Checked:
    """A configuration that is right.

    Attributes:
        file: its name.
        service: the service's name.
        environments: where each runs: its target, then the Docker host and the address if the file tells.

    """

    file: str
    service: str
    environments: dict[str, tuple[str, ...]]

    def text(self) -> str:
        """Return it as lines."""
        width = max(map(len, self.environments))
        lines = [f"{name:{width}}  {', '.join(where)}" for name, where in self.environments.items()]
        return "\n".join([f"{self.file} is right: {self.service}", *lines])

    def data(self) -> dict[str, object]:
        """Return it as JSON has it."""
        environments = {name: list(where) for name, where in self.environments.items()}
        return {"file": self.file, "service": self.service, "environments": environments}


def checked(service: Path, overlay: str | None, warn: Callable[[str], None]) -> Checked:
    """Check a configuration.

    Args:
        service: the service's folder.
        overlay: reads `pym-config.OVERLAY.yaml` instead.
        warn: gets one line for each obsolete, ignored or odd key.

    Raises:
        ConfigError: the file is missing or unreadable, or has problems; all of them are listed at once.

    """
    config = configuration.load(service, overlay, warn=warn)
    environments = {name: _place(config, name) for name in config.environment_names}
    return Checked(config_file(service, overlay).name, config.name, environments)


def _place(config: ServiceConfig, name: str) -> tuple[str, ...]:
    environment = config.for_environment(name)
    found = [environment.deploy_target]
    if environment.deploy_target == "docker" and environment.docker_host:
        found.append(environment.docker_host)
    if host := config.https_host(name):
        found.append(f"https://{host}")
    return tuple(found)
