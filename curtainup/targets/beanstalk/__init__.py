"""AWS Elastic Beanstalk as a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curtainup.model.targets.beanstalk import BeanstalkEnvironment, BeanstalkSettings
from curtainup.setup import extras
from curtainup.targets.beanstalk.registry import ECR
from curtainup.targets.spec import Look, Resources, Switch, TargetSpec

if TYPE_CHECKING:
    from curtainup.config import EnvironmentConfig, ServiceConfig
    from curtainup.model.checks import Piece
    from curtainup.model.environment import Environment
    from curtainup.session import Session
    from curtainup.targets.log_lines import Source
    from curtainup.targets.target import Target


def _bind(session: Session, name: str, look: Look) -> Target:
    from curtainup.targets.beanstalk.target import BeanstalkTarget

    return BeanstalkTarget(session, name, look)


def _logs(session: Session, environment: Environment, look: Look) -> Source:
    from curtainup.targets.beanstalk.logs import BeanstalkLogs

    return BeanstalkLogs(session, environment, look)


def _checks(service: ServiceConfig, environments: Sequence[EnvironmentConfig]) -> list[Piece]:
    from curtainup.targets import plugin_check
    from curtainup.targets.beanstalk import checks

    found = checks.pieces(service.name, environments, ecr=service.docker_repo is None)
    return [*found, plugin_check.piece("aws", needs=checks.SDK)]


def _shares(outputs: Mapping[str, Any], _resources: Resources) -> dict[str, int] | None:
    """Return who holds the live name: all goes there."""
    holder = outputs.get("holder")
    return {str(holder): 100} if holder else None


SPEC = TargetSpec(
    name="aws-beanstalk",
    environment=BeanstalkEnvironment,
    settings=BeanstalkSettings,
    bind=_bind,
    logs=_logs,
    switch=Switch("curtainup:cname_swap:CnameSwap", _shares),
    registry=ECR,
    checks=_checks,
    extra=extras.AWS,
    standin="aws",
    keep=0,
    names_releases=True,
    bills_idle=True,
    anchored=True,
    splits=False,
)
