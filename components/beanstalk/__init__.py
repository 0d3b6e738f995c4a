"""The components of an environment on Elastic Beanstalk."""

from __future__ import annotations

from components.targets import TargetSpec
from curtainup.model.targets.beanstalk import BeanstalkEnvironment, BeanstalkSettings
from curtainup.setup import extras

SPEC = TargetSpec(
    environment=BeanstalkEnvironment,
    settings=BeanstalkSettings,
    component="components.beanstalk.beanstalk:Beanstalk",
    registries={"ecr": "components.beanstalk.ecr:Ecr"},
    extra=extras.AWS,
)
