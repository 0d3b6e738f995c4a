"""Which environments a service has: those that its configuration names, and its review environments."""

from __future__ import annotations

from collections.abc import Sequence

from curtainup.config.review import PREFIX
from curtainup.engine.settings_file import NAMESPACE
from curtainup.errors import CurtainupError
from curtainup.session import Session


def reviews(session: Session, known: Sequence[str] | None = None) -> list[str]:
    """Return the names of the service's existing review environments, sorted.

    Args:
        session: the command's.
        known: the stacks that there are; None asks for them.

    """
    own = f"{session.service.config.name}-"
    there = session.state.memory.stacks() if known is None else known
    stacks = [one for one in there if one.startswith(f"{own}{PREFIX}")]
    found = {one: _named(session, one) for one in stacks}
    return sorted({name for name in found.values() if name})


def every(session: Session, known: Sequence[str] | None = None) -> list[str]:
    """Return the names of all environments: staging, live, those with a section, and review environments.

    Args:
        session: the command's.
        known: the stacks that there are; None asks for them.

    """
    return list(dict.fromkeys((*session.service.config.environment_names, *reviews(session, known))))


def _named(session: Session, stack: str) -> str | None:
    """Return the environment that a stack is of; None if it is another service's.

    `shop-review-live` may be live of a service `shop-review`. Of an environment that was never deployed there
    may be the accessories alone.
    """
    try:
        config = session.state.memory.read(stack).config
    except CurtainupError as error:
        session.run.report.warn(f"{stack} is left out: {error.what}")
        return None
    if config.get(f"{NAMESPACE}service") != session.service.config.name:
        return None
    accessories = config.get(f"{NAMESPACE}accessories")
    if accessories is not None:
        return str(accessories["environment"])
    own = f"{session.service.config.name}-"
    return stack.removeprefix(own) if f"{NAMESPACE}environment" in config else None
