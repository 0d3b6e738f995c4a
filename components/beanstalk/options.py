"""The option settings of a Beanstalk environment that name other resources, as pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import pulumi

SECRETS = "aws:elasticbeanstalk:application:environmentsecrets"

Options: TypeAlias = Mapping[tuple[str, str], pulumi.Input[str]]
"""Values by namespace and option name."""


def roles(instance_profile: pulumi.Input[str], service_role: pulumi.Input[str]) -> Options:
    """Return the options that say what the machines and Beanstalk itself act as.

    The instance profile goes by its name: Beanstalk tells it by name whatever it was given, so its ARN would
    be a change, and an update of the environment that serves, in every deployment
    (https://github.com/hashicorp/terraform/issues/3157). The service role goes by ARN, as it has a path.
    """
    return {
        ("aws:autoscaling:launchconfiguration", "IamInstanceProfile"): instance_profile,
        ("aws:elasticbeanstalk:environment", "ServiceRole"): service_role,
    }


def secrets(arns: Mapping[str, pulumi.Input[str]]) -> Options:
    """Return the options by which a machine that starts fetches each secret into its variable."""
    return {(SECRETS, name): arn for name, arn in arns.items()}
