"""The option settings that Elastic Beanstalk knows, and the values that it accepts.

Follows "General options for all environments" and "Platform specific options" of the Elastic Beanstalk
developer guide, as far as web server environments of the Docker platform go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ENVIRONMENT = "aws:elasticbeanstalk:application:environment"
SECRETS = "aws:elasticbeanstalk:application:environmentsecrets"
LAUNCH = "aws:autoscaling:launchconfiguration"
PROCESS = "aws:elasticbeanstalk:environment:process:"
LISTENER = "aws:elbv2:listener:"

_PROCESS = (
    "DeregistrationDelay HealthCheckInterval HealthCheckPath HealthCheckTimeout HealthyThresholdCount "
    "MatcherHTTPCode Port Protocol StickinessEnabled StickinessLBCookieDuration StickinessType "
    "UnhealthyThresholdCount"
)
_LOGS = "DeleteOnTerminate RetentionInDays"

_OPTIONS: Mapping[str, frozenset[str]] = {
    namespace: frozenset(names.replace(",", " ").split())
    for namespace, names in {
        "aws:autoscaling:asg": "Cooldown EnableCapacityRebalancing MaxSize MinSize",
        LAUNCH: "BlockDeviceMappings DisableDefaultEC2SecurityGroup DisableIMDSv1 EC2KeyName "
        "IamInstanceProfile ImageId InstanceType LaunchTemplateTagPropagationEnabled MonitoringInterval "
        "RootVolumeIOPS RootVolumeSize RootVolumeThroughput RootVolumeType SSHSourceRestriction "
        "SecurityGroups",
        "aws:autoscaling:scheduledaction": "DesiredCapacity EndTime MaxSize MinSize Recurrence StartTime "
        "Suspend",
        "aws:autoscaling:trigger": "BreachDuration EvaluationPeriods LowerBreachScaleIncrement "
        "LowerThreshold MeasureName Period Statistic Unit UpperBreachScaleIncrement UpperThreshold",
        "aws:autoscaling:updatepolicy:rollingupdate": "MaxBatchSize MinInstancesInService PauseTime "
        "RollingUpdateEnabled RollingUpdateType Timeout",
        "aws:ec2:instances": "EnableSpot InstanceTypes SpotAllocationStrategy "
        "SpotFleetOnDemandAboveBasePercentage "
        "SpotFleetOnDemandBase SpotMaxPrice SupportedArchitectures",
        "aws:ec2:vpc": "AssociatePublicIpAddress DBSubnets ELBScheme ELBSubnets Subnets VPCId",
        "aws:elasticbeanstalk:cloudwatch:logs": f"StreamLogs {_LOGS}",
        "aws:elasticbeanstalk:cloudwatch:logs:health": f"HealthStreamingEnabled {_LOGS}",
        "aws:elasticbeanstalk:command": "BatchSize BatchSizeType DeploymentPolicy IgnoreHealthCheck Timeout",
        "aws:elasticbeanstalk:environment": "EnvironmentType LoadBalancerIsShared LoadBalancerType "
        "ServiceRole",
        "aws:elasticbeanstalk:environment:proxy": "ProxyServer",
        "aws:elasticbeanstalk:healthreporting:system": "ConfigDocument EnhancedHealthAuthEnabled "
        "HealthCheckSuccessThreshold SystemType",
        "aws:elasticbeanstalk:hostmanager": "LogPublicationControl",
        "aws:elasticbeanstalk:managedactions": "ManagedActionsEnabled PreferredStartTime "
        "ServiceRoleForManagedUpdates",
        "aws:elasticbeanstalk:managedactions:platformupdate": "InstanceRefreshEnabled UpdateLevel",
        "aws:elasticbeanstalk:trafficsplitting": "EvaluationTime NewVersionPercent",
        "aws:elasticbeanstalk:xray": "XRayEnabled",
        "aws:elbv2:loadbalancer": "AccessLogsS3Bucket AccessLogsS3Enabled AccessLogsS3Prefix IpAddressType "
        "IdleTimeout ManagedSecurityGroup SecurityGroups SharedLoadBalancer",
    }.items()
}
_SPACED = {
    "aws:autoscaling:asg": {"Availability Zones", "Custom Availability Zones"},
    "aws:elasticbeanstalk:application": {"Application Healthcheck URL"},
    "aws:elasticbeanstalk:monitoring": {"Automatically Terminate Unhealthy Instances"},
    "aws:elasticbeanstalk:sns:topics": {
        "Notification Endpoint",
        "Notification Protocol",
        "Notification Topic ARN",
        "Notification Topic Name",
    },
}
_NAMED = {
    PROCESS: frozenset(_PROCESS.split()),
    LISTENER: frozenset(
        ["DefaultProcess", "ListenerEnabled", "Protocol", "Rules", "SSLCertificateArns", "SSLPolicy"]
    ),
    "aws:elbv2:listenerrule:": frozenset(["HostHeaders", "PathPatterns", "Priority", "Process"]),
}

_CHOICES = {
    "EnvironmentType": ("SingleInstance", "LoadBalanced"),
    "LoadBalancerType": ("classic", "application", "network"),
    "DeploymentPolicy": (
        "AllAtOnce",
        "Rolling",
        "RollingWithAdditionalBatch",
        "Immutable",
        "TrafficSplitting",
    ),
    "BatchSizeType": ("Percentage", "Fixed"),
    "RollingUpdateType": ("Time", "Health", "Immutable"),
    "SystemType": ("basic", "enhanced"),
    "ProxyServer": ("nginx", "none"),
    "RetentionInDays": (
        *("1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400", "545"),
        *("731", "1827", "3653"),
    ),
    "RootVolumeType": ("standard", "gp2", "gp3", "io1"),
    **dict.fromkeys(
        [
            "DeleteOnTerminate",
            "AssociatePublicIpAddress",
            "DisableIMDSv1",
            "EnableSpot",
            "HealthStreamingEnabled",
            "IgnoreHealthCheck",
            "ListenerEnabled",
            "ManagedActionsEnabled",
            "RollingUpdateEnabled",
            "StickinessEnabled",
            "StreamLogs",
            "XRayEnabled",
        ],
        ("true", "false"),
    ),
}
_RANGES = {
    "MinSize": (0, 10000),
    "MaxSize": (0, 10000),
    "BatchSize": (1, 10000),
    "Cooldown": (0, 10000),
    "DeregistrationDelay": (0, 3600),
    "HealthCheckInterval": (5, 300),
    "HealthCheckTimeout": (2, 60),
    "HealthyThresholdCount": (2, 10),
    "UnhealthyThresholdCount": (2, 10),
    "Port": (1, 65535),
    "MaxBatchSize": (1, 10000),
    "IdleTimeout": (1, 4000),
}
_INSTANCE_TYPE = re.compile(
    r"[a-z][a-z0-9-]*\d[a-z0-9-]*\.(nano|micro|small|medium|large|\d*xlarge|metal(-\d+xl)?)"
)


@dataclass(frozen=True)
class Account:
    """The parts of the account that option settings may refer to.

    Attributes:
        region: the region of the environment.
        key_pairs: the names of the region's key pairs.
        has_instance_profile: returns whether an instance profile of that name or ARN exists.
        has_role: returns whether a role of that name or ARN exists.

    """

    region: str
    key_pairs: frozenset[str]
    has_instance_profile: Callable[[str], bool]
    has_role: Callable[[str], bool]


@dataclass(frozen=True)
class Option:
    """One option setting."""

    namespace: str
    name: str
    value: str

    @property
    def place(self) -> str:
        """Return the option as the real service's messages name it."""
        return f"(Namespace: '{self.namespace}', OptionName: '{self.name}')"

    def wrong(self, why: str) -> str:
        """Return the real service's message about a wrong value."""
        return f"Invalid option value: '{self.value}' {self.place}: {why}"


def options(settings: Sequence[Mapping[str, str]]) -> tuple[Option, ...]:
    """Read the settings of a Pulumi environment."""
    return tuple(Option(one["namespace"], one["name"], str(one["value"])) for one in settings)


def told(settings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return settings as DescribeConfigurationSettings tells them: an instance profile by its name.

    Sources: https://github.com/hashicorp/terraform/issues/3157 ("will convert the ARN to the profile name"),
    https://github.com/hashicorp/terraform-provider-aws/issues/280
    """
    by_name = (LAUNCH, "IamInstanceProfile")
    return [
        {**one, "value": str(one["value"]).rpartition("/")[2]}
        if (one.get("namespace"), one.get("name")) == by_name and str(one["value"]).startswith("arn:")
        else {**one}
        for one in settings
    ]


def value(settings: Sequence[Option], namespace: str, name: str) -> str | None:
    """Return an option's value; if there are several, the last one."""
    found = [one.value for one in settings if (one.namespace, one.name) == (namespace, name)]
    return found[-1] if found else None


def problem(settings: Sequence[Option], account: Account) -> str | None:
    """Return the real service's message about the first option that it would refuse, or None."""
    for option in settings:
        wrong = _problem(option, account)
        if wrong:
            return wrong
    low, high = (value(settings, "aws:autoscaling:asg", name) for name in ("MinSize", "MaxSize"))
    if low and high and int(low) > int(high):
        return Option("aws:autoscaling:asg", "MinSize", low).wrong("MinSize cannot be greater than MaxSize.")
    return None


def _problem(option: Option, account: Account) -> str | None:
    if not _is_known(option):
        return f"Invalid option specification {option.place}: Unknown configuration setting."
    return _value_problem(option) or _reference_problem(option, account)


def _is_known(option: Option) -> bool:
    if option.namespace in (ENVIRONMENT, SECRETS):
        return re.fullmatch(r"[\w.:@/+-]{1,256}", option.name) is not None
    for prefix, names in _NAMED.items():
        if option.namespace.startswith(prefix):
            return option.name in names and len(option.namespace) > len(prefix)
    known = _OPTIONS.get(option.namespace, frozenset()) | _SPACED.get(option.namespace, set())
    return option.name in known


def _value_problem(option: Option) -> str | None:
    if option.namespace in (ENVIRONMENT, SECRETS):
        return None
    if option.name == "InstanceType" and not _INSTANCE_TYPE.fullmatch(option.value):
        return option.wrong("Value is not a valid instance type.")
    choices = _CHOICES.get(option.name)
    if choices and option.value not in choices:
        return option.wrong(f"Value is not one of the allowed values: [{', '.join(choices)}]")
    if option.name in _RANGES:
        return _range_problem(option, *_RANGES[option.name])
    return None


def _range_problem(option: Option, low: int, high: int) -> str | None:
    if not re.fullmatch(r"-?\d+", option.value):
        return option.wrong("Value is not a valid integer.")
    if int(option.value) < low:
        return option.wrong(f"Value is less than minimum allowed value: {low}")
    if int(option.value) > high:
        return option.wrong(f"Value is greater than maximum allowed value: {high}")
    return None


def _reference_problem(option: Option, account: Account) -> str | None:
    """Check a value that names something else in the account."""
    if option.namespace == SECRETS:
        return _secret_problem(option, account)
    if option.name == "SSLCertificateArns":
        return _certificate_problem(option, account)
    if option.namespace == LAUNCH and option.name == "EC2KeyName" and option.value not in account.key_pairs:
        return option.wrong(f"The key pair '{option.value}' does not exist.")
    if option.namespace == LAUNCH and option.name == "IamInstanceProfile":
        return None if account.has_instance_profile(option.value) else option.wrong(_no_profile(option.value))
    if option.name == "ServiceRole" and not account.has_role(option.value):
        return option.wrong(f"The service role {option.value} does not exist.")
    return None


def _no_profile(name: str) -> str:
    return f"The instance profile {name} associated with the environment does not exist."


def _secret_problem(option: Option, account: Account) -> str | None:
    arn = re.fullmatch(
        r"arn:aws[\w-]*:(secretsmanager:([\w-]+):\d{12}:secret:.+|ssm:([\w-]+):\d{12}:parameter/.+)",
        option.value,
    )
    if not arn:
        return option.wrong(
            "Value is not a valid ARN of a Secrets Manager secret or a Parameter Store parameter."
        )
    if (arn[2] or arn[3]) != account.region:
        return option.wrong(f"The resource must be in the region of the environment, {account.region}.")
    return None


def _certificate_problem(option: Option, account: Account) -> str | None:
    for arn in option.value.split(","):
        parts = arn.split(":")
        if len(parts) < 6 or parts[2] not in ("acm", "iam"):
            return option.wrong(f"'{arn}' is not a valid certificate ARN.")
        if parts[2] == "acm" and parts[3] != account.region:
            return option.wrong(
                f"Certificate ARN '{arn}' is not valid: the certificate must be in the region "
                f"{account.region}."
            )
    return None
