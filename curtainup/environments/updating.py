"""One update of an environment: what it means when it fails, and when the target tells late what it did."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from threading import Event

from curtainup.engine.events import OnMade
from curtainup.engine.operations import Engine
from curtainup.environments import processes
from curtainup.environments import stack as environments
from curtainup.errors import CurtainupError, Interrupted
from curtainup.model.environment import Environment
from curtainup.model.release import Deployment
from curtainup.targets import updates
from curtainup.targets.target import Target

LAG_PATIENCE, LAG_PAUSE = 60.0, 2.0
"""For how many seconds, and how often, curtainup reads again what a target tells of the time before."""


def update(
    engine: Engine,
    target: Target,
    environment: Environment,
    deployment: Deployment,
    on_progress: Callable[[str], None] | None,
    *,
    refresh: bool,
    on_made: OnMade | None,
    cancelled: Event,
) -> Environment:
    """Make a deployment real by one update, and return the environment as the target tells it then.

    Args:
        engine: runs the update.
        target: of the environment.
        environment: as it is.
        deployment: as it is to be.
        on_progress: told what is under way; None shows nothing.
        refresh: read first what is really there.
        on_made: takes the type of each resource once it is as declared, while the update goes on.
        cancelled: set when the run is to stop.

    Raises:
        CurtainupError: the update failed.
        Interrupted: the run was cancelled.

    """
    started, say = datetime.now(UTC), on_progress or say_nothing
    watches = on_progress is not None and isinstance(target, updates.Watches)
    with target.watching(on_progress) if watches else nullcontext():  # type: ignore[attr-defined]
        try:
            found = environments.apply(
                engine, environment, deployment, on_progress, refresh=refresh, on_made=on_made
            )
        except CurtainupError as error:
            if not (isinstance(target, updates.Reclaims) and target.reclaim(error, started, say)):
                raise _explained(target, error, started) from error
            found = _again(engine, target, environment, deployment, on_progress, on_made=on_made)
        found = _as_told_now(engine, target, found, deployment, say, cancelled)
    processes.limit(target, found.deployment)
    return found


def _again(
    engine: Engine,
    target: Target,
    environment: Environment,
    deployment: Deployment,
    on_progress: Callable[[str], None] | None,
    *,
    on_made: OnMade | None,
) -> Environment:
    """Update a second time, now that what the first one made unseen is gone."""
    started = datetime.now(UTC)
    try:
        return environments.apply(engine, environment, deployment, on_progress, refresh=True, on_made=on_made)
    except CurtainupError as error:
        raise _explained(target, error, started) from error


def _as_told_now(
    engine: Engine,
    target: Target,
    found: Environment,
    deployment: Deployment,
    say: Callable[[str], None],
    cancelled: Event,
) -> Environment:
    """Read again what the target tells, as long as that is of the time before the update.

    What is told stands for what is there, so each look is an update to the same deployment: else it would be
    taken for the one to make, and traffic would go back.
    """
    deadline = time.monotonic() + LAG_PATIENCE
    while isinstance(target, updates.Lags) and target.lags(found, deployment) and time.monotonic() < deadline:
        say(f"reading {found.stack} again: what is told of it is still of the time before")
        if cancelled.wait(LAG_PAUSE):
            raise Interrupted("interrupted while reading again", where=f"stack {found.stack}")
        found = environments.apply(engine, found, deployment, refresh=True)
    return found


def _explained(target: Target, error: CurtainupError, started: datetime) -> CurtainupError:
    return target.explained(error, started) if isinstance(target, updates.Explains) else error


def say_nothing(_text: str) -> None:
    """Tell nobody."""
