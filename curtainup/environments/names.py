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
    return sorted(one.removeprefix(own) for one in stacks if _is_of(session, one))


def every(session: Session) -> list[str]:
    """Return the names of all environments: staging, live, those with a section, and review environments."""
    return list(dict.fromkeys((*session.service.config.environment_names, *reviews(session))))


def _is_of(session: Session, stack: str) -> bool:
    """Return whether a stack is the service's: `shop-review-live` may be live of a service `shop-review`."""
    try:
        config = session.state.memory.read(stack).config
    except CurtainupError as error:
        session.run.report.warn(f"{stack} is left out: {error.what}")
        return False
    return (
        config.get(f"{NAMESPACE}service") == session.service.config.name
        and f"{NAMESPACE}environment" in config
    )
