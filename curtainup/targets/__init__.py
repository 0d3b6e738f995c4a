"""The driver's half of each target; adding one touches no existing module of the driver but this."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from curtainup.setup import extras
from curtainup.targets.base import Target

if TYPE_CHECKING:
    from curtainup.session import Session

__all__ = ["TARGETS", "Target", "target_of"]

TARGETS = {
    "docker": "curtainup.targets.docker.target:DockerTarget",
    "gcp-cloud-run": "curtainup.targets.cloud_run.target:CloudRunTarget",
    "aws-beanstalk": "curtainup.targets.beanstalk.target:BeanstalkTarget",
}


def target_of(session: Session, name: str) -> Target:
    """Return the target of an environment; what it needs of a cloud's SDK is imported only when used.

    Raises:
        ConfigError: nothing can be deployed to the configured one yet.
        SetupError: what it needs of a cloud's SDK is not installed.

    """
    wanted = session.service.config.for_environment(name).deploy_target
    if wanted not in TARGETS:
        from curtainup.errors import ConfigError

        raise ConfigError(
            f"{wanted} cannot be deployed to by this version",
            where="deploy_target in pym-config.yaml",
            consequence="nothing was done",
            fix=f"use one of {', '.join(sorted(TARGETS))}",
        )
    extras.require(wanted)
    module, _, kind = TARGETS[wanted].partition(":")
    found: Target = getattr(import_module(module), kind)(session, name)
    return found
