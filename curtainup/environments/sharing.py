"""What an environment shares with other services, such as the door of a Docker host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from curtainup.engine.changes import UpdateGuard
from curtainup.errors import CurtainupError, Interrupted, RefusedError
from curtainup.model.contract import EnvironmentSettings
from curtainup.model.environment import Environment
from curtainup.session import Session
from curtainup.targets import capabilities
from curtainup.targets.shared import Shared
from curtainup.targets.target import Target


def make(
    session: Session,
    target: Target,
    environment: Environment,
    before: EnvironmentSettings | None,
    guard: UpdateGuard | None,
    on_progress: Callable[[str], None] | None,
) -> Environment:
    """Make what an environment needs, if it is not there, and bring to it what is the environment's own.

    An update that needs nothing new of it, such as a rollback, goes on without it.

    Args:
        session: the command's.
        target: the environment's.
        environment: as it is to be.
        before: its settings before the command; None if it had none.
        guard: looks at what would be made; None lets all be made.
        on_progress: told what is under way.

    Returns:
        The environment, which finds what is there now: another service may have made it meanwhile.

    Raises:
        CurtainupError: what the environment needs now, and did not before, cannot be made.

    """
    settings = environment.settings
    if settings is None or not isinstance(target, capabilities.Shares) or not target.needs(settings):
        return environment
    needs_more = before is None or target.as_before(settings, before) != settings
    try:
        was_missing = _make(session, target, guard, on_progress)
        is_known = not (was_missing or needs_more)
        return environment if is_known else replace(environment, settings=target.as_found(settings))
    except (Interrupted, RefusedError):
        raise
    except CurtainupError as error:
        if needs_more:
            raise
        session.run.report.warn(f"what is shared with other services stays as it is: {error.what}")
        return environment


def _make(
    session: Session,
    target: capabilities.Shares,
    guard: UpdateGuard | None,
    on_progress: Callable[[str], None] | None,
) -> bool:
    """Make what is missing, and bring to it what is the environment's own; return whether it was missing."""
    missing = target.shared()
    if missing is not None:
        _look_at(session, missing, guard)
        with target.alone():
            shared = target.shared()
            if shared is not None:
                exists = session.state.memory.read(shared.stack).exists
                session.state.engine.up(shared.stack, shared.config, on_progress, refresh=exists)
    target.bring()
    return missing is not None


def _look_at(session: Session, shared: Shared, guard: UpdateGuard | None) -> None:
    if guard is not None and guard.wants(changed=False):
        guard.check(shared.stack, session.state.engine.preview(shared.stack, shared.config).resources)
