"""The contract of an environment, which every target keeps.

An environment component takes releases and traffic and gives `url`, where users reach it, and
`release_urls`, where each release is reached alone, with or without traffic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pulumi

from curtainup.contract import EnvironmentSettings
from curtainup.release import Deployment


@dataclass(frozen=True)
class EnvironmentArgs:
    """What every environment is made from.

    Attributes:
        settings: what belongs to the environment itself.
        deployment: its releases and traffic.
        secrets: by release id, the values of its secret variables.

    """

    settings: EnvironmentSettings
    deployment: Deployment
    secrets: Mapping[str, pulumi.Output[dict[str, str]]] = field(default_factory=dict)


class Environment(Protocol):
    """What the stacks and the driver may expect of an environment on any target."""

    url: pulumi.Output[str]
    stats_url: pulumi.Output[str]
    release_urls: pulumi.Output[dict[str, str]]


class EnvironmentType(Protocol):
    """How an environment is constructed."""

    def __call__(self, name: str, args: EnvironmentArgs) -> Environment:
        """Declare the environment."""
