"""Rules of Elastic Beanstalk that concern more than one key, or more than a key's own type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from curtainup.config.checks.shared import known_region
from curtainup.config.models import EnvironmentConfig, ServiceConfig
from curtainup.config.reading.places import place
from curtainup.config.reading.problems import Problem
from curtainup.config.regions.aws import BEANSTALK_REGIONS

SHORTEST_PREFIX: Final = 4
"""Characters of the name that users reach (CNAMEPrefix of CreateEnvironment)."""
LEAST_SUBNETS: Final = 2
"""Of an application load balancer (CreateLoadBalancer of Elastic Load Balancing v2)."""
VARIABLES_SIZE: Final = 4096
"""Bytes of all environment properties together ("Environment properties" of the developer guide)."""


def beanstalk(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """Everything that Elastic Beanstalk, or the registry beside it, would refuse of an environment."""
    if environment.deploy_target != "aws-beanstalk":
        return
    fix = "write one of Elastic Beanstalk's regions, e.g. `eu-west-1`"
    yield from known_region(config, environment, "aws_region", BEANSTALK_REGIONS, "Elastic Beanstalk", fix)
    yield from _certificate(config, environment)
    yield from _prefix(environment)
    yield from _repository(config)
    yield from _variables(config, environment)
    yield from _network(config, environment)


def _certificate(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """A load balancer takes a certificate of its own region, or one in IAM, which has no region."""
    _, _, service, region, *_ = (environment.aws_cert_arn or ":::").split(":")
    if service == "acm" and environment.aws_region not in {None, region}:
        yield Problem(
            path=place(config, environment, "aws_cert_arn"),
            what=f"is in the region {region}, but aws_region is {environment.aws_region}",
            consequence="the load balancer would refuse it, and there would be no HTTPS",
            fix=f"request a certificate in {environment.aws_region}, and write its ARN",
        )


def _prefix(environment: EnvironmentConfig) -> Iterator[Problem]:
    prefix = f"{environment.service}-{environment.environment}"
    if len(prefix) < SHORTEST_PREFIX:
        yield Problem(
            path=("name",),
            what=f"gives an environment the name {prefix}, which has fewer than {SHORTEST_PREFIX} characters",
            consequence="Elastic Beanstalk would refuse it",
            fix="choose a longer name",
        )


def _repository(config: ServiceConfig) -> Iterator[Problem]:
    """The rules of ECR, where images go unless `docker_repo` says otherwise."""
    if config.docker_repo is None and (len(config.name) < 2 or "--" in config.name):
        yield Problem(
            path=("name",),
            what="is not a valid name in ECR: it needs at least two characters, and no two hyphens in a row",
            consequence="the image could not be pushed",
            fix="use another name, or set docker_repo to another registry",
        )


def _variables(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    size = sum(len(name.encode()) + len(value.encode()) for name, value in environment.env.items())
    if size > VARIABLES_SIZE:
        yield Problem(
            path=place(config, environment, "env"),
            what=f"holds {size} bytes, but Elastic Beanstalk allows only {VARIABLES_SIZE} for all variables",
            consequence="the environment could not be created",
            fix="move long values into a file in the image, or into env_secrets",
        )


def _network(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """A VPC and its subnets go together, and a load balancer needs two subnets."""
    subnets = environment.aws_subnets or environment.aws_elb_subnets
    if environment.aws_vpc is None:
        if subnets:
            key = "aws_subnets" if environment.aws_subnets else "aws_elb_subnets"
            yield Problem(
                path=place(config, environment, key),
                what="names subnets, but aws_vpc is not set",
                consequence="Elastic Beanstalk would look for them in the default VPC",
                fix="write aws_vpc: the VPC that they belong to",
            )
        return
    if not environment.aws_subnets:
        yield Problem(
            path=place(config, environment, "aws_vpc"),
            what="is set, but aws_subnets is not",
            consequence="Elastic Beanstalk would not know where in the VPC to start machines",
            fix="write aws_subnets: one subnet in each of at least two zones",
        )
    elif len(set(environment.aws_elb_subnets or environment.aws_subnets)) < LEAST_SUBNETS:
        key = "aws_elb_subnets" if environment.aws_elb_subnets else "aws_subnets"
        yield Problem(
            path=place(config, environment, key),
            what=f"names fewer than {LEAST_SUBNETS} subnets for the load balancer",
            consequence="AWS makes a load balancer in two zones at least, so there would be none",
            fix="name a subnet in each of two zones",
        )
