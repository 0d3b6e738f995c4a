"""Settings of the `aws-beanstalk` target."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from curtainup.config.keys import KeyDoc, Text, key
from curtainup.config.runtime import Settings

_BEANSTALK = ("aws-beanstalk",)

Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]\z")]
InstanceType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+\z")]
ZoneId = Annotated[str, StringConstraints(pattern=r"^Z[A-Z0-9]{1,31}\z")]
CertificateArn = Annotated[
    str,
    StringConstraints(
        pattern=r"^arn:aws[a-z-]*:(acm:[a-z0-9-]+|iam:):[0-9]{12}:(server-)?certificate/[\x21-\x7e]+\z"
    ),
]
VpcId = Annotated[str, StringConstraints(pattern=r"^vpc-[0-9a-f]{8,17}\z")]
SubnetIds = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^subnet-[0-9a-f]{8,17}\z")], ...], Field(max_length=20)
]
Hosts = Annotated[int, Field(ge=1, le=1000)]


class BeanstalkKeys(Settings):
    """The machines behind a Beanstalk environment and how it is reached."""

    aws_region: Region | None = key(
        None,
        "The region to deploy to.",
        KeyDoc(
            expects="an AWS region (a zone has one letter more)",
            wrong="curtainup would not know where to deploy",
            example="eu-west-1",
            targets=_BEANSTALK,
            shown="the region of the AWS profile",
        ),
    )
    aws_user: Text | None = key(
        None,
        "The AWS profile to deploy with.",
        KeyDoc(
            expects="the name of an AWS profile",
            wrong="nothing could be deployed",
            example="deployer",
            targets=_BEANSTALK,
            shown="the profile that the AWS CLI would use",
        ),
    )
    aws_keypair: Text | None = key(
        None,
        "The key pair whose holder can log in to the machines.",
        KeyDoc(
            expects="the name of a key pair",
            wrong="no one could log in to the machines",
            example="aws-eb",
            targets=_BEANSTALK,
            shown="nobody can log in",
        ),
    )
    aws_instance_type: InstanceType = key(
        "t3.micro",
        "The type of the machines.",
        KeyDoc(
            expects="an EC2 instance type",
            wrong="no machine could be started",
            example="t3.micro",
            targets=_BEANSTALK,
        ),
    )
    aws_cert_arn: CertificateArn | None = key(
        None,
        "The certificate of the HTTPS listener. Without it the environment answers over plain HTTP.",
        KeyDoc(
            expects="the ARN of a certificate in ACM or IAM",
            wrong="there would be no HTTPS",
            example="arn:aws:acm:eu-west-1:123456789012:certificate/0f3a",
            targets=_BEANSTALK,
            shown="plain HTTP",
        ),
    )
    aws_zone_id: ZoneId | None = key(
        None,
        "The Route 53 zone in which curtainup creates the record of `live_host`.",
        KeyDoc(
            expects="the id of a Route 53 hosted zone",
            wrong="`live_host` would not lead to the service",
            example="Z2FDTNDATAQYW2",
            targets=_BEANSTALK,
            shown="curtainup creates no record",
        ),
    )
    aws_hosts_min: Hosts = key(
        1,
        "The minimum number of machines.",
        KeyDoc(
            expects="a whole number from 1 to 1000",
            wrong="the environment could not scale",
            example="1",
            targets=_BEANSTALK,
        ),
    )
    aws_hosts_max: Hosts = key(
        4,
        "The maximum number of machines. It must not be below `aws_hosts_min`.",
        KeyDoc(
            expects="a whole number from 1 to 1000",
            wrong="the environment could not scale",
            example="4",
            targets=_BEANSTALK,
        ),
    )
    aws_vpc: VpcId | None = key(
        None,
        "The VPC of the machines and their load balancer. It needs `aws_subnets`.",
        KeyDoc(
            expects="the id of a VPC",
            wrong="no machine could be started",
            example="vpc-0a1b2c3d4e5f60718",
            targets=_BEANSTALK,
            shown="the region's default VPC",
        ),
    )
    aws_subnets: SubnetIds = key(
        (),
        "The subnets of the machines in `aws_vpc`.",
        KeyDoc(
            expects="a list of ids of subnets",
            item="the id of a subnet",
            wrong="no machine could be started",
            example="[subnet-0a1b2c3d, subnet-0e5f6071]",
            targets=_BEANSTALK,
            shown="those of the default VPC",
        ),
    )
    aws_elb_subnets: SubnetIds = key(
        (),
        "The subnets of the load balancer in `aws_vpc`, in at least two zones. Machines in other subnets "
        "than these get no public address: they need a NAT gateway or VPC endpoints.",
        KeyDoc(
            expects="a list of ids of subnets",
            item="the id of a subnet",
            wrong="nobody could reach the machines",
            example="[subnet-0a1b2c3d, subnet-0e5f6071]",
            targets=_BEANSTALK,
            shown="`aws_subnets`",
        ),
    )
    aws_metadata_hops: Annotated[int, Field(ge=1, le=2)] = key(
        2,
        "Over how many network hops the machines' metadata answers. A container is at the second hop; with 1 "
        "its code gets no credentials of the machines' role.",
        KeyDoc(
            expects="1 or 2",
            wrong="a container could not use the machines' role, or a policy of your account could forbid it",
            example="1",
            targets=_BEANSTALK,
        ),
    )
