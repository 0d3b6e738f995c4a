"""Rules of accessories that concern more than one key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from curtainup.config.accessories import Accessory
from curtainup.config.models import EnvironmentConfig, ServiceConfig
from curtainup.config.reading.places import place
from curtainup.config.reading.problems import KeyPath, Problem
from curtainup.config.review import LOCAL

_INSTEAD: Final = {
    "gcp-cloud-run": "Cloud SQL, or Memorystore for a cache",
    "gke": "Cloud SQL, or Memorystore for a cache",
    "aws-beanstalk": "Amazon RDS, or ElastiCache for a cache",
    "kubernetes": "the database service of your cloud, or an operator on the cluster such as CloudNativePG",
}
"""The managed services of each target."""
_TAKEN: Final = re.compile(r"proxy|accessories|local.*|registry|localhost|r[0-9a-f]{7}(-.*)?")
"""Names that containers of the environment have, or may have, after its own."""


def accessories(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """Everything that does not go together in the accessories of an environment."""
    found = place(config, environment, "accessories")
    if environment.accessories and environment.deploy_target != "docker":
        if environment.environment != LOCAL:
            yield _impossible(found, environment.deploy_target)
        return
    if environment.environment == LOCAL and config.environments[LOCAL].accessories:
        yield Problem(
            path=found,
            what="cannot be given for the local gate, which uses those of the first environment",
            consequence="nobody would make them",
            fix="remove it, or write `accessories: {}` for a local gate without any",
        )
    for name, one in environment.accessories.items():
        if _TAKEN.fullmatch(name):
            yield Problem(
                path=(*found, name),
                what="cannot be the name of an accessory: something else of the environment is called that",
                consequence="two containers would have the same name",
                fix="use another name, such as db or cache",
            )
        yield from _twice((*found, name), one)


def _impossible(path: KeyPath, target: str) -> Problem:
    return Problem(
        path=path,
        what=f"is not possible on {target}: curtainup runs accessories on a Docker host alone",
        consequence="there would be no database that outlives the machine it is on",
        fix=f"use {_INSTEAD[target]}, and give the service its address in `env_secrets`",
    )


def _twice(path: KeyPath, one: Accessory) -> Iterator[Problem]:
    for name in one.env_secrets:
        if name in one.env:
            yield Problem(
                path=(*path, "env", name),
                what="is also listed in env_secrets of the accessory",
                consequence="its container could get the plain value in place of the secret",
                fix="remove it from one of the two",
            )
