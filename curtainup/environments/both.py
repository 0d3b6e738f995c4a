"""Staging and live together, before anything is built."""

from __future__ import annotations

from curtainup.environments import complaints
from curtainup.environments.rollout import Rollout
from curtainup.model.contract import EnvironmentSettings


def prepare(live: Rollout, staging: Rollout, *, allow_replace: bool) -> None:
    """Settle both environments' own settings, live first, so that it gets the better port.

    Raises:
        CurtainupError: a target is not to be reached, or would have to be interrupted.

    """
    complaints.require([one.require_ready for one in (live, staging)])
    live.prepare(allow_replace=allow_replace, neighbours=_settings_of(staging))
    staging.prepare(allow_replace=allow_replace, neighbours=_settings_of(live))


def _settings_of(rollout: Rollout) -> tuple[EnvironmentSettings, ...]:
    settings = rollout.environment.settings
    return (settings,) if settings is not None else ()
