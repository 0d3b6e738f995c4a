"""The driver's half of `podium`: it has what every target must have, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curtainup.errors import ConfigError
from curtainup.model.environment import Environment
from curtainup.session import Session
from curtainup.setup.base_images.catalogue import REFERENCES
from curtainup.targets.docker.logs import DockerLogs
from curtainup.targets.log_lines import Source
from curtainup.targets.spec import Resources, Switch, TargetSpec
from curtainup.targets.target import Look, Target
from tests.toy.models import PodiumEnvironment, PodiumSettings


class Podium(Target):
    """A proxy with a container for each release."""

    def runtime(self) -> PodiumSettings:
        """Return the settings of a new release."""
        config = self.config
        return PodiumSettings(
            container_port=config.container_port,
            health_path=config.health_path,
            env=dict(config.env),
            memory_mb=config.memory_limit,
        )

    def settings(self) -> PodiumEnvironment:
        """Return the environment's settings; raise ConfigError if it has no port."""
        if self.config.port is None:
            raise ConfigError("podium needs a port", where="port in pym-config.yaml")
        known = self.known(PodiumEnvironment)
        return PodiumEnvironment(
            service=self._session.service.config.name,
            name=self.name,
            generation=known.generation if known else 0,
            port=self.config.port,
            proxy_image=REFERENCES["proxy"],
        )


def _logs(session: Session, environment: Environment, _look: Look) -> Source:
    return DockerLogs(session, environment)


def _shares(outputs: Mapping[str, Any], _resources: Resources) -> dict[str, int]:
    return {str(one): int(share) for one, share in (outputs.get("traffic") or {}).items()}


SPEC = TargetSpec(
    name="podium",
    environment=PodiumEnvironment,
    settings=PodiumSettings,
    bind=Podium,
    logs=_logs,
    switch=Switch("curtainup:traffic:TrafficSwitch", _shares),
    names_releases=True,
)
