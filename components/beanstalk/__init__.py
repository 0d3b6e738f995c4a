"""The components of an environment on Elastic Beanstalk."""

from __future__ import annotations

from components.environment import EnvironmentType
from components.registry_args import CloudRegistryType
from components.spec import RegistrySpec, TargetSpec
from curtainup.model.targets.beanstalk import BeanstalkEnvironment, BeanstalkSettings
from curtainup.setup import extras


def _component() -> EnvironmentType:
    from components.beanstalk.beanstalk import Beanstalk

    return Beanstalk


def _registry() -> CloudRegistryType:
    from components.beanstalk.ecr import Ecr

    return Ecr


SPEC = TargetSpec(
    environment=BeanstalkEnvironment,
    settings=BeanstalkSettings,
    component=_component,
    registry=RegistrySpec("ecr", _registry),
    extra=extras.AWS,
)
