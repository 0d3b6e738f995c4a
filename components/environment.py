"""The contract of an environment, which every target keeps.

An environment component takes releases and traffic and gives `url`, where users reach it,
`release_urls`, where each release is reached alone, with or without traffic, and what else its target has
to tell the driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pulumi

from curtainup.model.contract import EnvironmentSettings
from curtainup.model.release import Deployment


@dataclass(frozen=True)
class EnvironmentArgs:
    """What every environment is made from.

    Attributes:
        settings: what belongs to the environment itself.
        deployment: its releases and traffic.
        secrets: by release id and name, the values of its secret variables.
        rendered: id of the release that the resource which all releases share is made from already, if it is
            the newest; empty if it has to be made from another one now.

    """

    settings: EnvironmentSettings
    deployment: Deployment
    secrets: Mapping[str, Mapping[str, pulumi.Output[str]]] = field(default_factory=dict)
    rendered: str = ""


class Environment(Protocol):
    """What the stacks and the driver may expect of an environment on any target.

    Attributes:
        url: where users reach it.
        release_urls: by release id, where it is reached alone.
        details: further outputs of the stack, for the driver's half of the target.

    """

    url: pulumi.Output[str]
    release_urls: pulumi.Output[dict[str, str]]
    details: Mapping[str, pulumi.Input[Any]]


class EnvironmentType(Protocol):
    """How an environment is constructed."""

    def __call__(self, name: str, args: EnvironmentArgs) -> Environment:
        """Declare the environment."""
