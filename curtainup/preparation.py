"""Settling both environments of a service before anything is previewed or built."""

from __future__ import annotations

from curtainup.contract import DockerEnvironment
from curtainup.rollout import Rollout


def prepare(live: Rollout, staging: Rollout, *, allow_replace: bool) -> None:
    """Settle both environments' own settings, live first, so that it gets the better port.

    Raises:
        CurtainupError: a target is not to be reached, or would have to be interrupted.

    """
    for one in (live, staging):
        one.require_ready()
    live.prepare(allow_replace=allow_replace)
    settings = live.environment.settings
    taken = {settings.port} if isinstance(settings, DockerEnvironment) else ()
    staging.prepare(allow_replace=allow_replace, taken=taken)
