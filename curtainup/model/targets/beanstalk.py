"""Elastic Beanstalk: an environment on it, and what its machines run with."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from curtainup.model.contract import EnvironmentSettings
from curtainup.model.release_settings import Settings


class BeanstalkEnvironment(EnvironmentSettings):
    """An environment on Elastic Beanstalk: a Beanstalk environment per release, and a name that moves.

    Attributes:
        region: such as `eu-west-1`.
        profile: the AWS profile to work with; None is that of the deployer's environment.
        cname_prefix: of the name that users reach, `PREFIX.REGION.elasticbeanstalk.com`.
        live_host: the public host, when there is one.
        cert_arn: the certificate of the HTTPS listener; None is plain HTTP.
        zone_id: the Route 53 zone in which `live_host` gets its record; None makes none.
        hosts_min: fewest machines of each release.
        hosts_max: most machines of each release.
        ready_timeout: seconds that Beanstalk may take to make an environment ready.
        tasks: whether there are tasks to be run, for which Systems Manager must know the machines.

    """

    target: Literal["aws-beanstalk"] = "aws-beanstalk"
    region: str
    profile: str | None = None
    cname_prefix: str
    live_host: str | None = None
    cert_arn: str | None = None
    zone_id: str | None = None
    hosts_min: int = Field(ge=1)
    hosts_max: int = Field(ge=1)
    ready_timeout: int = Field(ge=1)
    tasks: bool = False


class Network(BaseModel):
    """Where machines and load balancer of a release are.

    Attributes:
        vpc: the id of the VPC.
        machines: the ids of the subnets of the machines.
        balancer: the ids of the subnets of the load balancer.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    vpc: str
    machines: tuple[str, ...]
    balancer: tuple[str, ...]


class BeanstalkSettings(Settings):
    """What the machines of a Beanstalk environment run with.

    Attributes:
        instance_type: the kind of machine.
        keypair: the key pair whose holder may log in to the machines, or None for nobody.
        request_timeout: seconds that a request may take.
        metadata_hops: over how many hops the machines' metadata answers; a container is at the second. The
            default is that of a release of an earlier version, which left Beanstalk's own.
        network: the VPC and subnets; None is the region's default VPC.

    """

    instance_type: str
    keypair: str | None = None
    request_timeout: int = Field(ge=1)
    metadata_hops: int = Field(default=1, ge=1)
    network: Network | None = None
