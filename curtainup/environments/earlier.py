"""An environment with settings that it had before: new ones must not hold yet, or not any more."""

from __future__ import annotations

from dataclasses import replace

from curtainup.model.contract import EnvironmentSettings
from curtainup.model.environment import Environment
from curtainup.targets import capabilities
from curtainup.targets.target import Target


def with_ground_only(
    target: Target, environment: Environment, before: EnvironmentSettings | None
) -> Environment:
    """Return an environment with earlier settings, and only that of its own which belongs to the ground."""
    now = environment.settings
    if now is None or before is None or not isinstance(target, capabilities.NeedsGround):
        return environment
    return with_settings(environment, target.ground_of(before, now))


def put_back(target: Target, environment: Environment, before: EnvironmentSettings | None) -> Environment:
    """Return an environment as it was before a step that failed: what failed may have been its settings.

    What is shared with other services is needed no more than before. The ground stays: the next deployment
    needs it.
    """
    now = environment.settings
    if now is not None and before is not None and isinstance(target, capabilities.Reverts):
        return with_settings(environment, target.reverted(now, before))
    if now is not None and isinstance(target, capabilities.Shares):
        environment = with_settings(environment, target.as_before(now, before))
    return with_ground_only(target, environment, before)


def with_settings(environment: Environment, settings: EnvironmentSettings) -> Environment:
    """Return an environment with other settings, which are as new as its own."""
    now = environment.settings
    generation = now.generation if now is not None else settings.generation
    return replace(environment, settings=settings.model_copy(update={"generation": generation}))
