from __future__ import annotations

import pytest
from botocore.session import Session
from pydantic import TypeAdapter

from curtainup.config.beanstalk import Region
from curtainup.config.checks.beanstalk import beanstalk
from curtainup.config.models import ServiceConfig
from curtainup.config.regions.aws import BEANSTALK_REGIONS

BASE = {"deploy_target": "aws-beanstalk", "aws_region": "eu-west-1"}


def told(**changed: object) -> list[str]:
    config = ServiceConfig.model_validate({"name": "shop", **BASE, **changed})
    environment = "b" if config.name == "a" else "live"
    return [one.what for one in beanstalk(config, config.for_environment(environment))]


def test_the_regions_are_those_that_aws_itself_knows() -> None:
    known = {
        region
        for partition in ("aws", "aws-cn", "aws-us-gov")
        for region in Session().get_available_regions("elasticbeanstalk", partition)
    }
    assert set(BEANSTALK_REGIONS) == known


def test_every_region_can_be_written() -> None:
    for region in BEANSTALK_REGIONS:
        assert TypeAdapter(Region).validate_python(region) == region
        assert told(aws_region=region) == []


@pytest.mark.parametrize(
    "certificate",
    [
        "arn:aws:acm:eu-west-1:123456789012:certificate/0f3a",
        "arn:aws:iam::123456789012:server-certificate/hello",
    ],
)
def test_a_certificate_of_the_region_or_of_none_is_right(certificate: str) -> None:
    assert told(aws_cert_arn=certificate) == []


def test_a_certificate_s_region_counts_only_where_one_is_written() -> None:
    """Else the region is that of the AWS profile, which is known later."""
    assert told(aws_region=None, aws_cert_arn="arn:aws:acm:us-east-1:123456789012:certificate/0f3a") == []


def test_names_that_are_too_short_are_refused() -> None:
    prefix, repository = told(name="a")
    assert prefix == "gives an environment the name a-b, which has fewer than 4 characters"
    assert "at least two characters" in repository


def test_ecr_takes_no_two_hyphens_in_a_row() -> None:
    assert len(told(name="a--b")) == 1
    assert told(name="a--b", docker_repo="registry.example.com/team") == []


def test_variables_are_bounded() -> None:
    assert told(env={"A": "x" * 4095}) == []
    assert told(env={"A": "ü" * 2048}) == [
        "holds 4097 bytes, but Elastic Beanstalk allows only 4096 for all variables"
    ]


def test_other_targets_are_left_alone() -> None:
    assert told(deploy_target="docker", aws_region="eu-west-9") == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"aws_subnets": ("subnet-0a1b2c3d",)}, ["names subnets, but aws_vpc is not set"]),
        ({"aws_elb_subnets": ("subnet-0a1b2c3d",)}, ["names subnets, but aws_vpc is not set"]),
        ({"aws_vpc": "vpc-0a1b2c3d"}, ["is set, but aws_subnets is not"]),
        (
            {"aws_vpc": "vpc-0a1b2c3d", "aws_subnets": ("subnet-0a1b2c3d",)},
            ["names fewer than 2 subnets for the load balancer"],
        ),
        (
            {
                "aws_vpc": "vpc-0a1b2c3d",
                "aws_subnets": ("subnet-0a1b2c3d",),
                "aws_elb_subnets": ("subnet-0e5f6071", "subnet-0e5f6072"),
            },
            [],
        ),
        ({"aws_vpc": "vpc-0a1b2c3d", "aws_subnets": ("subnet-0a1b2c3d", "subnet-0e5f6071")}, []),
    ],
)
def test_a_vpc_and_its_subnets_go_together(changed: dict[str, object], said: list[str]) -> None:
    assert told(**changed) == said
