"""The option settings of a Beanstalk environment, as pure functions.

Names and values follow "General options for all environments" of the Elastic Beanstalk developer guide.
"""

from __future__ import annotations

from typing import TypeAlias

from curtainup.model.release_settings import variables
from curtainup.model.targets.beanstalk import BeanstalkEnvironment, BeanstalkSettings, Network

ENVIRONMENT_VARIABLES = "aws:elasticbeanstalk:application:environment"
LOG_DAYS = 14
# Of the load balancer; longer requests are cut off whatever the release may take.
LONGEST_IDLE = 4000
LONGEST_DEREGISTRATION = 3600

Options: TypeAlias = dict[tuple[str, str], str]
"""Values by namespace and option name."""


def options(place: BeanstalkEnvironment, version: str, settings: BeanstalkSettings) -> Options:
    """Return all options of a release's environment, but for roles and secrets."""
    return {
        **_kind(),
        **_machines(place, settings),
        **_network(settings.network),
        **_load_balancer(place, settings),
        **_health(settings),
        **_updates(),
        **_logs(),
        **_variables(version, settings),
    }


def _kind() -> Options:
    return {
        ("aws:elasticbeanstalk:environment", "EnvironmentType"): "LoadBalanced",
        ("aws:elasticbeanstalk:environment", "LoadBalancerType"): "application",
        # A release never changes; the next one gets the newest platform.
        ("aws:elasticbeanstalk:managedactions", "ManagedActionsEnabled"): "false",
    }


def _machines(place: BeanstalkEnvironment, settings: BeanstalkSettings) -> Options:
    keypair: Options = {("aws:autoscaling:launchconfiguration", "EC2KeyName"): settings.keypair or ""}
    return {
        ("aws:ec2:instances", "InstanceTypes"): settings.instance_type,
        ("aws:autoscaling:launchconfiguration", "DisableIMDSv1"): "true",
        ("aws:autoscaling:asg", "MinSize"): str(place.hosts_min),
        ("aws:autoscaling:asg", "MaxSize"): str(place.hosts_max),
        **(keypair if settings.keypair else {}),
    }


def _network(network: Network | None) -> Options:
    """Machines in the load balancer's own subnets have public addresses; others reach out through theirs."""
    if network is None:
        return {}
    vpc, together = "aws:ec2:vpc", set(network.machines) <= set(network.balancer)
    return {
        (vpc, "VPCId"): network.vpc,
        (vpc, "Subnets"): ",".join(sorted(network.machines)),
        (vpc, "ELBSubnets"): ",".join(sorted(network.balancer)),
        (vpc, "ELBScheme"): "public",
        (vpc, "AssociatePublicIpAddress"): "true" if together else "false",
    }


def _load_balancer(place: BeanstalkEnvironment, settings: BeanstalkSettings) -> Options:
    patience, drain = settings.request_timeout, min(settings.request_timeout, LONGEST_DEREGISTRATION)
    found: Options = {
        ("aws:elbv2:loadbalancer", "IdleTimeout"): str(min(patience, LONGEST_IDLE)),
        ("aws:elasticbeanstalk:environment:process:default", "DeregistrationDelay"): str(drain),
        ("aws:elbv2:listener:default", "ListenerEnabled"): "true",
    }
    return {**found, **_https(place.cert_arn)} if place.cert_arn else found


def _https(cert_arn: str) -> Options:
    listener = "aws:elbv2:listener:443"
    return {
        (listener, "ListenerEnabled"): "true",
        (listener, "Protocol"): "HTTPS",
        (listener, "SSLCertificateArns"): cert_arn,
        (listener, "SSLPolicy"): "ELBSecurityPolicy-TLS13-1-2-2021-06",
        (listener, "DefaultProcess"): "default",
    }


def _health(settings: BeanstalkSettings) -> Options:
    process = "aws:elasticbeanstalk:environment:process:default"
    return {
        ("aws:elasticbeanstalk:healthreporting:system", "SystemType"): "enhanced",
        (process, "Port"): "80",
        (process, "Protocol"): "HTTP",
        (process, "HealthCheckPath"): settings.health_path,
        (process, "MatcherHTTPCode"): "200-299",
        (process, "HealthCheckInterval"): "15",
        (process, "HealthCheckTimeout"): "5",
        (process, "HealthyThresholdCount"): "3",
        (process, "UnhealthyThresholdCount"): "3",
    }


def _updates() -> Options:
    """Changes of the environment's own settings reach machines one after another, as each becomes healthy."""
    rolling = "aws:autoscaling:updatepolicy:rollingupdate"
    command = "aws:elasticbeanstalk:command"
    return {
        (rolling, "RollingUpdateEnabled"): "true",
        (rolling, "RollingUpdateType"): "Health",
        (rolling, "MaxBatchSize"): "1",
        (command, "DeploymentPolicy"): "RollingWithAdditionalBatch",
        (command, "BatchSizeType"): "Fixed",
        (command, "BatchSize"): "1",
        (command, "IgnoreHealthCheck"): "false",
    }


def _logs() -> Options:
    """Logs outlive the machines, so that it can be told why a release failed, and then go by themselves."""
    logs = "aws:elasticbeanstalk:cloudwatch:logs"
    return {
        (logs, "StreamLogs"): "true",
        (logs, "DeleteOnTerminate"): "false",
        (logs, "RetentionInDays"): str(LOG_DAYS),
    }


def _variables(version: str, settings: BeanstalkSettings) -> Options:
    plain = variables(settings, version)
    return {(ENVIRONMENT_VARIABLES, name): value for name, value in plain.items()}
