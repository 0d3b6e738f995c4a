"""The state of a review environment: which version serves there, and when its time to live is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from curtainup.environments import history
from curtainup.environments import stack as environments
from curtainup.session import Session


@dataclass(frozen=True)
class Standing:
    """The state of a review environment.

    Attributes:
        environment: its name, `review-NAME`.
        stack: its stack.
        url: the URL where users reach it; None if its first deployment never got that far.
        version: the version that serves there, if any.
        deployed: when its last update began, UTC, ISO 8601; None if there never was one.
        age: seconds since that update.
        ttl: its time to live: seconds after that update.
        expired: whether its time to live is over.

    """

    environment: str
    stack: str
    url: str | None
    version: str | None
    deployed: str | None
    age: int | None
    ttl: int
    expired: bool


def standing(
    session: Session, name: str, older_than: int | None = None, now: datetime | None = None
) -> Standing:
    """Return the state of a review environment.

    Args:
        session: the session of its service.
        name: the name of the environment.
        older_than: a time to live in seconds that replaces the environment's own.
        now: the time to compare with; None means the present.

    Raises:
        StateError: what Pulumi remembers of it cannot be read.

    """
    environment = environments.of(session, name)
    stack = environment.stack
    serving = environment.deployment.serving()
    done = next((one for one in session.state.memory.updates(stack) if one.get("kind") == "update"), None)
    deployed = history.occasion(done).at if done else None
    own = environment.settings.ttl if environment.settings else None
    ttl = older_than if older_than is not None else own or session.service.config.review_ttl
    age = _age(deployed, now or datetime.now(UTC)) if deployed else None
    return Standing(
        name,
        stack,
        str(environment.outputs["url"]) if environment.outputs.get("url") else None,
        serving.version if serving else None,
        deployed,
        age,
        ttl,
        expired=age is not None and age >= ttl,
    )


def _age(at: str, now: datetime) -> int:
    return max(0, int((now - datetime.fromisoformat(at)).total_seconds()))
