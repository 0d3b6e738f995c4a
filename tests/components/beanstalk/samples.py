"""What the AWS provider would make of the program's resources, and an environment on Beanstalk to try."""

from __future__ import annotations

from typing import Any

from components.beanstalk.beanstalk import Beanstalk
from curtainup.model.release import Deployment
from curtainup.model.targets.beanstalk import BeanstalkEnvironment, BeanstalkSettings
from tests.components.cloud_samples import Samples
from tests.components.program import ANSWERS, COMPUTED, Run

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
_SAMPLES = Samples(Beanstalk, REPOSITORY, SETTINGS)
release, deployment, one = _SAMPLES.release, _SAMPLES.deployment, _SAMPLES.one

COMPUTED.update(
    {
        BUCKET: lambda _: {"bucket": "shop-live-bundles-0", "arn": "arn:aws:s3:::shop-live-bundles-0"},
        ROLE: lambda inputs: {"name": "role", "arn": f"arn:{_principal(inputs)}"},
        PROFILE: lambda _: {"arn": "arn:profile", "name": "profile-1a2b3c4"},
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
    return _SAMPLES.rendered(environment(**changed), deployed, secrets)
