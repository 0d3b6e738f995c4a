"""The settings of an environment as configured now, with what its target chose for it."""

from __future__ import annotations

from collections.abc import Sequence

from curtainup.environments import earlier
from curtainup.model.contract import EnvironmentSettings
from curtainup.model.environment import Environment
from curtainup.targets import capabilities
from curtainup.targets.target import Target

Neighbours = Sequence[EnvironmentSettings]
"""The settings of the service's other environments."""


def configured(target: Target, environment: Environment, neighbours: Neighbours = ()) -> EnvironmentSettings:
    """Return an environment's settings as configured now; how long it lives stays as it was deployed.

    Raises:
        CurtainupError: something that they name is not to be had.

    """
    before = environment.settings
    if before is None and isinstance(target, capabilities.Chooses):
        return target.first_settings(neighbours)
    found = target.settings()
    if before is None:
        return found
    found = found.model_copy(update={"ttl": before.ttl})
    if environment.deployment.serving() is None and isinstance(target, capabilities.ChoosesAnew):
        return target.chosen_anew(found, neighbours)
    return found


def chosen_anew(target: Target, environment: Environment, neighbours: Neighbours) -> Environment:
    """Return an environment in which nothing is to serve, with what something else took chosen anew.

    Raises:
        CurtainupError: nothing is left to choose.

    """
    if environment.settings is None or not isinstance(target, capabilities.ChoosesAnew):
        return environment
    return earlier.with_settings(environment, target.chosen_anew(environment.settings, neighbours))
