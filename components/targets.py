"""The program's half of each target: a folder with its specification, and one entry here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TypeVar

from components.environment import EnvironmentType
from components.registry_args import CloudRegistryType
from components.spec import TargetSpec
from curtainup.setup import extras
from curtainup.setup.extras import Extra

Component = TypeVar("Component")

TARGETS = {
    "docker": "components.docker:SPEC",
    "gcp-cloud-run": "components.cloud_run:SPEC",
    "aws-beanstalk": "components.beanstalk:SPEC",
}
"""By name, as an environment's settings have it, the module of its specification and the name in there."""


def spec_of(name: str) -> TargetSpec:
    """Return a target's specification, which is imported now.

    Raises:
        ValueError: there is no such target.

    """
    if name not in TARGETS:
        raise ValueError(f"there is no target {name!r}")
    module, _, attribute = TARGETS[name].partition(":")
    found: TargetSpec = getattr(import_module(module), attribute)
    return found


def component(target: str) -> EnvironmentType:
    """Return the component of a target; the SDK of its provider is imported only now.

    Raises:
        SetupError: the SDK is not installed.
        ValueError: there is no such target.

    """
    spec = spec_of(target)
    return _imported(spec.extra, spec.component)


def registry(kind: str) -> Callable[[], CloudRegistryType] | None:
    """Return what imports the component of a kind of registry; None where no target brings that kind.

    What is returned raises SetupError where the SDK is not installed.
    """
    for spec in map(spec_of, TARGETS):
        if spec.registry is not None and spec.registry.kind == kind:
            return partial(_imported, spec.extra, spec.registry.component)
    return None


def _imported(extra: Extra | None, component: Callable[[], Component]) -> Component:
    extras.require(extra)
    return component()
