"""`status`: what is live and staged, from what Pulumi remembers and what answers."""

from __future__ import annotations

from dataclasses import dataclass

from curtainup import health
from curtainup.environments import Environment
from curtainup.rollout import Rollout
from curtainup.session import Session

ANSWER_SECONDS = 2.0


@dataclass(frozen=True)
class ReleaseStatus:
    """One release of an environment."""

    id: str
    version: str
    image: str
    traffic: int
    url: str
    candidate: bool


@dataclass(frozen=True)
class EnvironmentStatus:
    """One environment.

    Attributes:
        name: `staging`, `live` …
        url: where users reach it; None when it was never deployed.
        answers: the release that answers there now, None when none does.
        releases: oldest first.
        costs: what is billed while nobody uses it, in words.

    """

    name: str
    url: str | None
    answers: str | None
    releases: tuple[ReleaseStatus, ...]
    costs: str | None = None


@dataclass(frozen=True)
class ServiceStatus:
    """A service and its environments."""

    service: str
    environments: tuple[EnvironmentStatus, ...]


def status(session: Session) -> ServiceStatus:
    """Return what is known of each environment of the service."""
    names = dict.fromkeys(("staging", "live", *session.config.environments))
    found = tuple(_environment(session, name) for name in names)
    return ServiceStatus(session.config.name, found)


def render(found: ServiceStatus) -> str:
    """Return the status as text, a line per release."""
    lines = []
    for environment in found.environments:
        if environment.url is None:
            lines.append(f"{found.service} {environment.name}: not deployed")
            continue
        lines.append(f"{found.service} {environment.name}: {environment.url}  {_answer(environment)}")
        for one in reversed(environment.releases):
            note = "  candidate" if one.candidate else ""
            lines.append(f"  {one.traffic:3} %  {one.version}  {one.id}  {one.url}{note}")
        if environment.costs:
            lines.append(f"  billed: {environment.costs}")
    return "\n".join(lines)


def _answer(environment: EnvironmentStatus) -> str:
    if environment.answers is None:
        return "no answer" if environment.releases else "no release"
    shares = {one.id: one.traffic for one in environment.releases}
    if not shares.get(environment.answers):
        return f"answered by {environment.answers}, which should have no traffic"
    return "answers"


def _environment(session: Session, name: str) -> EnvironmentStatus:
    rollout = Rollout(session, name)
    environment = rollout.environment
    if environment.settings is None or "url" not in environment.outputs:
        return EnvironmentStatus(name, None, None, ())
    return EnvironmentStatus(
        name,
        environment.url,
        _answering(rollout),
        _releases(environment),
        rollout.target.costs(environment),
    )


def _releases(environment: Environment) -> tuple[ReleaseStatus, ...]:
    deployment = environment.deployment
    urls = environment.outputs.get("release_urls") or {}
    return tuple(
        ReleaseStatus(
            one.id,
            one.version,
            one.image,
            deployment.traffic.get(one.id, 0),
            str(urls.get(one.id, "")),
            candidate=one.id == deployment.candidate,
        )
        for one in deployment.releases
    )


def _answering(rollout: Rollout) -> str | None:
    serving = rollout.deployment.serving()
    if serving is None:
        return None
    url, path = rollout.url, serving.settings.health_path
    if rollout.target.names_releases:
        return health.live_release(url, path, ANSWER_SECONDS)
    return serving.id if health.answers(url, path) else None
