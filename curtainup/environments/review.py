"""How a review environment stands: what serves there, and how long it has left to live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from curtainup.environments import history
from curtainup.environments import stack as environments
from curtainup.session import Session


@dataclass(frozen=True)
class Standing:
    """How a review environment stands.

    Attributes:
        environment: its name, `review-NAME`.
        stack: its stack.
        url: where it is reached; None when its first deployment never got that far.
        version: what serves there, if anything does.
        deployed: when its last update began, UTC, ISO 8601; None when there never was one.
        age: seconds since then.
        ttl: seconds that it may live from then on.
        expired: whether they are over.

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
    """Return how a review environment stands.

    Args:
        session: of its service.
        name: the environment's.
        older_than: seconds that it may live, in place of its own time.
        now: the time; None is the present.

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
