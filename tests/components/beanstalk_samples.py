"""What the AWS provider would make of the program's resources, and an environment on Beanstalk to try."""

from __future__ import annotations

from typing import Any

import pulumi

from components.beanstalk import Beanstalk
from components.environment import EnvironmentArgs
from curtainup.contract import BeanstalkEnvironment
from curtainup.release import Deployment, Release
from curtainup.release_settings import BeanstalkSettings
from tests.components.program import ANSWERS, COMPUTED, Run, declare

APPLICATION = "aws:elasticbeanstalk/application:Application"
VERSION = "aws:elasticbeanstalk/applicationVersion:ApplicationVersion"
ENVIRONMENT = "aws:elasticbeanstalk/environment:Environment"
BUCKET = "aws:s3/bucket:Bucket"
PRIVATE = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ENCRYPTED = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BUNDLE = "aws:s3/bucketObjectv2:BucketObjectv2"
ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
PROFILE = "aws:iam/instanceProfile:InstanceProfile"
SECRET = "aws:secretsmanager/secret:Secret"
VALUE = "aws:secretsmanager/secretVersion:SecretVersion"
RECORD = "aws:route53/record:Record"
SWAP = "curtainup:cname_swap:CnameSwap"
PROVIDER = "pulumi:providers:aws"

REPOSITORY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop"
PLATFORM = "64bit Amazon Linux 2023 v4.9.1 running Docker"
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0f3a"
LIVE_NAME = "shop-live.eu-west-1.elasticbeanstalk.com"

SETTINGS = BeanstalkSettings(
    container_port=8080,
    health_path="/ping",
    env={"PYM_ENV": "shop-live"},
    instance_type="t3.micro",
    keypair=None,
    request_timeout=60,
)

COMPUTED.update(
    {
        BUCKET: lambda _: {"bucket": "shop-live-bundles-0", "arn": "arn:aws:s3:::shop-live-bundles-0"},
        ROLE: lambda inputs: {"name": "role", "arn": f"arn:{_principal(inputs)}"},
        PROFILE: lambda _: {"arn": "arn:profile"},
        SECRET: lambda inputs: {"arn": f"arn:secret/{inputs['description']}"},
        ENVIRONMENT: lambda inputs: {
            "cname": f"{inputs['cnamePrefix']}.eu-west-1.elasticbeanstalk.com",
            "endpointUrl": f"{inputs['name']}.elb.example",
        },
        SWAP: lambda inputs: {
            "cname": f"{inputs['prefix']}.{inputs['region']}.elasticbeanstalk.com",
            "environment": inputs["environments"].get(inputs.get("holder"), "the first"),
        },
    }
)
ANSWERS["aws:elasticbeanstalk/getSolutionStack:getSolutionStack"] = lambda _: {"name": PLATFORM}


def _principal(inputs: dict[str, Any]) -> str:
    return "machines" if "ec2." in inputs["assumeRolePolicy"] else "service"


def release(number: int, **changed: Any) -> Release:
    """Return a release whose id and digest follow from its number."""
    values: dict[str, Any] = {
        "id": f"r{number:07x}",
        "version": f"200415-0819-{number}-b3548e",
        "image": f"{REPOSITORY}@sha256:{number:064x}",
        "settings": SETTINGS,
    }
    return Release(**{**values, **changed})


def deployment(*traffic: int) -> Deployment:
    """Return a deployment of the releases 1, 2 …, with these per cents of traffic."""
    releases = tuple(release(number) for number in range(1, len(traffic) + 1))
    shares = {one.id: percent for one, percent in zip(releases, traffic, strict=True)}
    return Deployment(releases=releases, traffic=shares)


def one(**changed: Any) -> Deployment:
    """Return a deployment of a single release with all traffic; `changed` are fields of its settings."""
    only = release(1, settings=SETTINGS.model_copy(update=changed))
    return Deployment(releases=(only,), traffic={only.id: 100})


def environment(**changed: Any) -> BeanstalkEnvironment:
    """Return the settings of an environment on Elastic Beanstalk."""
    values: dict[str, Any] = {
        "service": "shop",
        "name": "live",
        "region": "eu-west-1",
        "cname_prefix": "shop-live",
        "hosts_min": 1,
        "hosts_max": 4,
        "ready_timeout": 900,
        "generation": 3,
    }
    return BeanstalkEnvironment(**{**values, **changed})


def rendered(deployed: Deployment, secrets: dict[str, dict[str, str]] | None = None, **changed: Any) -> Run:
    """Declare the environment; `changed` are fields of its settings."""
    settings = environment(**changed)

    def work() -> None:
        sealed = {
            one: {name: pulumi.Output.secret(value) for name, value in values.items()}
            for one, values in (secrets or {}).items()
        }
        Beanstalk(f"{settings.service}-{settings.name}", EnvironmentArgs(settings, deployed, sealed))

    return declare(work)
