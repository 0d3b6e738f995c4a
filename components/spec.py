"""What a target is, for the program: one specification, which its own folder holds.

It is cheap to import: the component, and with it the SDK of its provider, is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from components.environment import EnvironmentType
from components.registry_args import CloudRegistryType
from curtainup.model.contract import EnvironmentSettings
from curtainup.model.release_settings import Settings
from curtainup.setup.extras import Extra


@dataclass(frozen=True)
class RegistrySpec:
    """A cloud's registry, in which the service gets a repository.

    Attributes:
        kind: as `RegistrySettings` has it.
        component: returns its component.

    """

    kind: str
    component: Callable[[], CloudRegistryType]


@dataclass(frozen=True, kw_only=True)
class TargetSpec:
    """A target.

    Attributes:
        environment: the type of its environments' own settings.
        settings: the type of what a release runs with.
        component: returns the component of an environment.
        registry: the registry that comes with it; None where it brings none.
        extra: what has to be installed besides; None is nothing.

    """

    environment: type[EnvironmentSettings]
    settings: type[Settings]
    component: Callable[[], EnvironmentType]
    registry: RegistrySpec | None = None
    extra: Extra | None = None
