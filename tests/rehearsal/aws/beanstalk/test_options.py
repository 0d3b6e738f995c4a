from __future__ import annotations

import pytest

from curtainup.rehearsal.aws.beanstalk.options import SECRETS, Account, Option, problem, told

ACCOUNT = Account(
    "eu-west-1", frozenset({"aws-eb"}), lambda name: name == "machines", lambda name: name == "service"
)
LISTENER = "aws:elbv2:listener:443"
LAUNCH = "aws:autoscaling:launchconfiguration"
CERTIFICATE = "arn:aws:acm:{}:123456789012:certificate/0f3a"
SECRET = "arn:aws:secretsmanager:{}:123456789012:secret:password-a1b2c3"


@pytest.mark.parametrize(
    ("namespace", "name", "value"),
    [
        ("aws:autoscaling:asg", "MinSize", "1"),
        ("aws:elasticbeanstalk:environment:process:default", "HealthCheckPath", "/ping"),
        ("aws:elasticbeanstalk:application", "Application Healthcheck URL", "/"),
        ("aws:elasticbeanstalk:application:environment", "ANYTHING_AT_ALL", "x=y"),
        (LAUNCH, "InstanceType", "t3.micro"),
        (LAUNCH, "EC2KeyName", "aws-eb"),
        (LAUNCH, "IamInstanceProfile", "machines"),
        ("aws:elasticbeanstalk:environment", "ServiceRole", "service"),
        (LISTENER, "SSLCertificateArns", CERTIFICATE.format("eu-west-1")),
        (SECRETS, "PASSWORD", SECRET.format("eu-west-1")),
        (SECRETS, "PASSWORD", "arn:aws:ssm:eu-west-1:123456789012:parameter/password"),
    ],
)
def test_what_the_service_knows_is_taken(namespace: str, name: str, value: str) -> None:
    assert problem([Option(namespace, name, value)], ACCOUNT) is None


@pytest.mark.parametrize(
    ("namespace", "name", "value", "message"),
    [
        ("aws:autoscaling:asg", "MinSise", "1", "Unknown configuration setting."),
        ("aws:elasticbeanstalk:nonsense", "X", "1", "Unknown configuration setting."),
        ("aws:elasticbeanstalk:environment:process:", "Port", "80", "Unknown configuration setting."),
        ("aws:autoscaling:asg", "MinSize", "many", "Value is not a valid integer."),
        ("aws:autoscaling:asg", "MaxSize", "10001", "greater than maximum allowed value: 10000"),
        (
            "aws:elasticbeanstalk:environment",
            "EnvironmentType",
            "Balanced",
            "allowed values: [SingleInstance, Lo",
        ),
        (LAUNCH, "InstanceType", "huge", "Value is not a valid instance type."),
        (LAUNCH, "EC2KeyName", "mine", "The key pair 'mine' does not exist."),
        (
            LAUNCH,
            "IamInstanceProfile",
            "none",
            "The instance profile none associated with the environment does not",
        ),
        ("aws:elasticbeanstalk:environment", "ServiceRole", "none", "The service role none does not exist."),
        (LISTENER, "SSLCertificateArns", CERTIFICATE.format("us-east-1"), "must be in the region eu-west-1."),
        (LISTENER, "SSLCertificateArns", "certificate", "'certificate' is not a valid certificate ARN."),
        (SECRETS, "PASSWORD", "hunter2", "not a valid ARN of a Secrets Manager secret"),
        (
            SECRETS,
            "PASSWORD",
            SECRET.format("us-east-1"),
            "must be in the region of the environment, eu-west-1.",
        ),
    ],
)
def test_what_the_service_refuses_is_refused(namespace: str, name: str, value: str, message: str) -> None:
    found = problem([Option(namespace, name, value)], ACCOUNT)
    assert found is not None
    assert message in found
    assert f"(Namespace: '{namespace}', OptionName: '{name}')" in found


def test_an_instance_profile_is_told_by_name_whatever_it_was_given() -> None:
    profile = {"namespace": LAUNCH, "name": "IamInstanceProfile"}
    port = {"namespace": "aws:elasticbeanstalk:environment:process:default", "name": "Port", "value": "80"}
    arn = "arn:aws:iam::123456789012:instance-profile/curtainup/machines"
    for given in (arn, "machines"):
        assert told([{**profile, "value": given}, port]) == [{**profile, "value": "machines"}, port]


def test_fewest_machines_cannot_be_more_than_most() -> None:
    sizes = [
        Option("aws:autoscaling:asg", name, value) for name, value in (("MinSize", "4"), ("MaxSize", "2"))
    ]
    assert "MinSize cannot be greater than MaxSize." in (problem(sizes, ACCOUNT) or "")
