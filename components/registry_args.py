"""What every kind of registry is made from, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pulumi

from curtainup.model.contract import RegistrySettings


@dataclass(frozen=True)
class RegistryArgs:
    """The service that the registry belongs to, and where it is."""

    service: str
    settings: RegistrySettings


class CloudRegistry(Protocol):
    """A registry in which the service gets a repository of its own.

    Attributes:
        ready: what a push waits for.

    """

    ready: tuple[pulumi.Resource, ...]


class CloudRegistryType(Protocol):
    """How such a registry is constructed."""

    def __call__(
        self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> CloudRegistry:
        """Declare the registry's repository."""
