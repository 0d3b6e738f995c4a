"""The program's half of each target: a folder with its specification, and one entry in `TARGETS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from components.environment import EnvironmentType
from components.registry_args import CloudRegistryType
from curtainup.model.contract import EnvironmentSettings
from curtainup.model.release_settings import Settings
from curtainup.setup import extras
from curtainup.setup.extras import Extra
from curtainup.util.references import resolved

TARGETS = {
    "docker": "components.docker:SPEC",
    "gcp-cloud-run": "components.cloud_run:SPEC",
    "aws-beanstalk": "components.beanstalk:SPEC",
    "kubernetes": "components.kubernetes:SPEC",
    "gke": "components.gke:SPEC",
}
"""Where the specification of each target is: its module, and its name in that module."""
WITHOUT_REPOSITORY = frozenset({"local", "given"})
"""Kinds of registries in which no repository has to be created before a push."""


@dataclass(frozen=True, kw_only=True)
class TargetSpec:
    """The program's specification of a target. It names components as texts, as they import SDKs.

    Attributes:
        environment: the model of the settings of an environment.
        settings: the model of the settings of a release.
        component: where the component of an environment is, `module:name`.
        registries: where the component of each kind of registry is that comes with the target.
        extra: the extra of the package that the components need; None if they need none.

    """

    environment: type[EnvironmentSettings]
    settings: type[Settings]
    component: str
    registries: Mapping[str, str] = field(default_factory=dict)
    extra: Extra | None = None


def spec_of(name: str) -> TargetSpec:
    """Return the specification of a target, and import only that.

    Raises:
        ValueError: there is no such target.

    """
    if name not in TARGETS:
        raise ValueError(f"there is no target {name!r}")
    found: TargetSpec = resolved(TARGETS[name])
    return found


def component(target: str) -> EnvironmentType:
    """Import the component of a target, and return it.

    Raises:
        SetupError: the SDK of its provider is not installed.
        ValueError: there is no such target.

    """
    spec = spec_of(target)
    extras.require(spec.extra)
    found: EnvironmentType = resolved(spec.component)
    return found


def registry(kind: str) -> CloudRegistryType | None:
    """Import the component of a kind of registry, and return it; None if we create no repository.

    Raises:
        SetupError: the SDK of its provider is not installed.
        ValueError: there is no such kind. The repository that it stands for must not be taken for none.

    """
    for spec in map(spec_of, TARGETS):
        if kind in spec.registries:
            extras.require(spec.extra)
            found: CloudRegistryType = resolved(spec.registries[kind])
            return found
    if kind not in WITHOUT_REPOSITORY:
        raise ValueError(f"there is no kind of registry {kind!r}")
    return None
