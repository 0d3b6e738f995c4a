"""Which cloud accounts the doctor looks at for a service."""

from __future__ import annotations

from curtainup.config import STANDARD_ENVIRONMENTS, ServiceConfig
from curtainup.model.checks import Piece
from curtainup.targets import every


def pieces(config: ServiceConfig) -> list[Piece]:
    """Return what to look at of the accounts that a service's environments are deployed to."""
    names = dict.fromkeys([*STANDARD_ENVIRONMENTS, *config.environments])
    environments = [config.for_environment(name) for name in names]
    found: list[Piece] = []
    for spec in every():
        here = [one for one in environments if one.deploy_target == spec.name]
        if here and spec.checks is not None:
            found += spec.checks(config, here)
    return found
