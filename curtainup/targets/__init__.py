"""The driver's half of each target: a folder with its specification, and one entry in `TARGETS`."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from curtainup.config.targets import TARGETS
from curtainup.targets.spec import TargetSpec
from curtainup.util.references import resolved

if TYPE_CHECKING:
    from curtainup.config import EnvironmentConfig

__all__ = ["TARGETS", "TargetSpec", "configured", "every", "extras_of", "spec_of"]


def spec_of(name: str) -> TargetSpec:
    """Return a target's specification, which is imported now.

    Raises:
        ValueError: there is no such target.

    """
    if name not in TARGETS:
        raise ValueError(f"there is no target {name!r}")
    found: TargetSpec = resolved(TARGETS[name])
    return found


def every() -> list[TargetSpec]:
    """Return the specifications of all targets."""
    return [spec_of(name) for name in TARGETS]


def extras_of(names: Collection[str]) -> list[str]:
    """Return the names of the extras that targets need, sorted."""
    wanted = [one.extra.name for one in every() if one.name in names and one.extra is not None]
    return sorted({name for one in wanted for name in one.split(",")})


def configured(environment: EnvironmentConfig) -> TargetSpec:
    """Return the specification of the target that an environment is configured for."""
    return spec_of(environment.deploy_target)
