"""The swap of names as the program declares it; `curtainup.engine.provider.cname_swap` carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

TYPE = "curtainup:cname_swap:CnameSwap"


@dataclass(frozen=True)
class CnameSwapArgs:
    """What a swap is made from.

    Attributes:
        region: where the environments are.
        profile: the AWS profile to work with; None is that of the deployer's environment.
        application: the Beanstalk application that all of them belong to.
        prefix: of the live name, which the first of them was created with.
        environments: by release id the name of its environment; only kept ones.
        holder: id of the release whose environment is to hold the live name; None leaves it where it is.
        health_path: asked for through the live name, until the right release answers.
        timeout: seconds that environments may take to become ready, and the name to lead to the release.
        generation: of the stack's settings; a lower one than deployed is refused.

    """

    region: str
    profile: str | None
    application: pulumi.Input[str]
    prefix: str
    environments: Mapping[str, pulumi.Input[str]]
    holder: str | None
    health_path: str
    timeout: int
    generation: int


class CnameSwap(pulumi.CustomResource):
    """Which of an application's environments holds the live name.

    It creates and terminates no environment, and leaves the name where it is when it is itself removed.

    Attributes:
        cname: the live name, with a port in a rehearsal.
        environment: the name of the environment that holds it.

    """

    cname: pulumi.Output[str]
    environment: pulumi.Output[str]

    def __init__(self, name: str, args: CnameSwapArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        properties = {
            "region": args.region,
            "profile": args.profile,
            "application": args.application,
            "prefix": args.prefix,
            "environments": dict(args.environments),
            "holder": args.holder,
            "healthPath": args.health_path,
            "timeout": args.timeout,
            "generation": args.generation,
            "cname": None,
            "environment": None,
        }
        super().__init__(TYPE, name, properties, opts)
