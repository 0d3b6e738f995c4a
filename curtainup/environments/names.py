"""Which environments a service has: those that its configuration names, and its review environments."""

from __future__ import annotations

from curtainup.config.review import PREFIX
from curtainup.engine.settings_file import NAMESPACE
from curtainup.errors import CurtainupError
from curtainup.session import Session


def reviews(session: Session) -> list[str]:
    """Return the names of the service's existing review environments, sorted."""
    own = f"{session.service.config.name}-"
    stacks = [one for one in session.state.memory.stacks() if one.startswith(f"{own}{PREFIX}")]
    found = {one: _named(session, one) for one in stacks}
    return sorted({name for name in found.values() if name})


def every(session: Session) -> list[str]:
    """Return the names of all environments: staging, live, those with a section, and review environments."""
    return list(dict.fromkeys((*session.service.config.environment_names, *reviews(session))))


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
