"""What an environment shares with other services, such as the door of a Docker host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from curtainup.engine.changes import UpdateGuard
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
    guard: UpdateGuard | None,
    on_progress: Callable[[str], None] | None,
) -> None:
    """Make what an environment needs, if it is not there, and bring to it what is the environment's own."""
    settings = environment.settings
    if settings is None or not isinstance(target, capabilities.Shares) or not target.needs(settings):
        return
    shared = target.shared()
    if shared is not None:
        _look_at(session, shared, guard)
        target.make_ready_to_share()
        exists = session.state.memory.read(shared.stack).exists
        session.state.engine.up(shared.stack, shared.config, on_progress, refresh=exists)
    target.bring()


def as_before(target: Target, environment: Environment, before: EnvironmentSettings | None) -> Environment:
    """Return an environment that needs no more than with earlier settings: what failed may have been that."""
    settings = environment.settings
    if settings is None or not isinstance(target, capabilities.Shares):
        return environment
    return replace(environment, settings=target.as_before(settings, before))


def _look_at(session: Session, shared: Shared, guard: UpdateGuard | None) -> None:
    if guard is not None and guard.wants(changed=False):
        guard.check(shared.stack, session.state.engine.preview(shared.stack, shared.config).resources)
