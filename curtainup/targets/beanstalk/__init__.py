"""AWS Elastic Beanstalk as a target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curtainup.model.targets.beanstalk import BeanstalkEnvironment, BeanstalkSettings
from curtainup.setup import extras
from curtainup.targets.beanstalk.registry import ECR
from curtainup.targets.spec import Resources, Switch, TargetSpec
from curtainup.util.references import Deferred


def _shares(outputs: Mapping[str, Any], _resources: Resources) -> dict[str, int] | None:
    """Return who holds the live name: all goes there."""
    holder = outputs.get("holder")
    return {str(holder): 100} if holder else None


READY_SECONDS = 1200
"""As the provider's own default. A launch that fails takes Beanstalk some ten minutes to tell."""

SPEC = TargetSpec(
    name="aws-beanstalk",
    environment=BeanstalkEnvironment,
    settings=BeanstalkSettings,
    bind=Deferred("curtainup.targets.beanstalk.target:BeanstalkTarget"),
    logs=Deferred("curtainup.targets.beanstalk.logs:BeanstalkLogs"),
    switch=Switch("curtainup:cname_swap:CnameSwap", _shares),
    registry=ECR,
    checks=Deferred("curtainup.targets.beanstalk.checks:of_service"),
    extra=extras.AWS,
    ready_seconds=READY_SECONDS,
    standin="aws",
    keep=0,
    names_releases=True,
    bills_idle=True,
    anchored=True,
    splits=False,
)
