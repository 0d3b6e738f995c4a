"""`status`: the releases of one or several services, from Pulumi's state and from what answers.

With a file backend this starts no process. It looks at all environments of all services at once, because one
that does not answer takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from curtainup.commands.status_of_schedules import ScheduleStatus, status_of
from curtainup.engine import recovery
from curtainup.environments import accessory_states, history, schedules
from curtainup.environments import names as environment_names
from curtainup.environments.accessory_states import AccessoryState
from curtainup.environments.history import Occasion
from curtainup.environments.view import EnvironmentView
from curtainup.errors import CurtainupError
from curtainup.model.environment import Environment
from curtainup.model.names import LIVE
from curtainup.model.process_state import ProcessState
from curtainup.pipeline import freeze
from curtainup.pipeline.run.shared import place as places
from curtainup.session import Session

ANSWER_SECONDS = 2.0
MOST_AT_ONCE = 32
"""How many environments are looked at side by side."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class ReleaseStatus:
    """One release of an environment.

    Attributes:
        id: the release's id.
        version: its version, for people.
        image: `repository@sha256:…`.
        traffic: its share of traffic, in per cent.
        url: the release's own URL.
        candidate: whether it is staged and has never had traffic.
        held: whether it waits for `curtainup promote`: a candidate, or with traffic a canary that is paused.
        commit: the commit that it was built from; None for an image that was built elsewhere.
        down: how the release's own URL fails; None if it answers, or if an answer may cost money.
        since: when the update that gave it this share began (UTC, ISO 8601); None when that is not known.
        by: who made that update, such as `ann@laptop`; None when that is not known.

    """

    id: str
    version: str
    image: str
    traffic: int
    url: str
    candidate: bool
    held: bool = False
    commit: str | None = None
    down: str | None = None
    since: str | None = None
    by: str | None = None


@dataclass(frozen=True)
class Freeze:
    """A freeze that is on: when it is over (ISO 8601, in its time zone), and why; in words in `told`."""

    until: str
    reason: str
    told: str


@dataclass(frozen=True)
class EnvironmentStatus:
    """One environment.

    Attributes:
        name: `staging`, `live` …
        url: the URL for users; None if the environment was never deployed.
        answers: the release that answers there now, well or not, or None.
        releases: its releases, oldest first.
        costs: in words, what is billed while nobody uses it.
        update: in words, the update that is under way or was cut off.
        down: how a request of a user fails now; None if it does not, or if there is no release. In
            maintenance, which every user's request meets, it is one past the page.
        freeze: the freeze that is on; None if there is none.
        maintenance: in words, since when and by whom users get the page of maintenance; None if they do not.
        processes: what the processes of the release that works do now.
        schedules: its schedules, when each comes due, and how its last runs ended.
        accessories: what the containers of the accessories beside it do now.

    """

    name: str
    url: str | None
    answers: str | None
    releases: tuple[ReleaseStatus, ...]
    costs: str | None = None
    update: str | None = None
    down: str | None = None
    freeze: Freeze | None = None
    maintenance: str | None = None
    processes: tuple[ProcessState, ...] = ()
    schedules: tuple[ScheduleStatus, ...] = ()
    accessories: tuple[AccessoryState, ...] = ()


@dataclass(frozen=True)
class ServiceStatus:
    """A service and its environments.

    Attributes:
        service: its name.
        environments: its environments.
        run: in words, the run that holds the lock of a state that others share; None if none does.

    """

    service: str
    environments: tuple[EnvironmentStatus, ...]
    run: str | None = None


@dataclass(frozen=True)
class Unreadable:
    """A service whose status cannot be read, and the reason."""

    service: str
    error: CurtainupError


def statuses(
    services: Mapping[str, Callable[[], Session]],
) -> list[ServiceStatus | Unreadable]:
    """Return the status of services, in the same order.

    Args:
        services: a function that opens each service's session, by the service's name or folder.

    """
    with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="status") as pool:
        looks = [_or_why(name, partial(_looks, pool, opening)) for name, opening in services.items()]
        return [
            one if isinstance(one, Unreadable) else _or_why(name, one)
            for name, one in zip(services, looks, strict=True)
        ]


def _or_why(name: str, ask: Callable[[], Found]) -> Found | Unreadable:
    try:
        return ask()
    except CurtainupError as error:
        return Unreadable(name, error)


def _looks(pool: ThreadPoolExecutor, opening: Callable[[], Session]) -> Callable[[], ServiceStatus]:
    """Begin to look at each environment of a service; return a function that waits for all of them."""
    session = opening()
    stacks = session.state.memory.stacks()  # alone: two first connections may both make a database's table
    run = pool.submit(_run, session)
    looks = [
        pool.submit(_environment, session, name, stacks) for name in environment_names.every(session, stacks)
    ]
    name = session.service.config.name
    return lambda: ServiceStatus(name, tuple(look.result() for look in looks), run.result())


def _run(session: Session) -> str | None:
    place = places.of(session)
    taken = place.taken() if place else None
    return taken.told if taken else None


def _environment(session: Session, name: str, stacks: Sequence[str]) -> EnvironmentStatus:
    view = EnvironmentView(session, name)
    environment = view.environment
    memory = session.state.memory
    update = recovery.unfinished(
        memory.locks(environment.stack), environment.pending, sees_locks=memory.sees_locks
    )
    accessories = _accessories(session, name, stacks)
    if environment.settings is None or "url" not in environment.outputs:
        return EnvironmentStatus(
            name, None, None, (), update=update, freeze=_freeze(session, name), accessories=accessories
        )
    found = view.look(ANSWER_SECONDS)
    return EnvironmentStatus(
        name,
        environment.url,
        found.release,
        _releases(environment, _occasions(session, environment), view.down(ANSWER_SECONDS)),
        view.costs(),
        update,
        found.trouble if environment.deployment.serving() else None,
        _freeze(session, name),
        view.maintenance.told if view.maintenance else None,
        tuple(view.process_states()),
        _schedules(view),
        accessories,
    )


def _schedules(view: EnvironmentView) -> tuple[ScheduleStatus, ...]:
    now = datetime.now(UTC)
    return tuple(status_of(one, now) for one in schedules.states(view.target, view.deployment, now))


def _accessories(session: Session, name: str, stacks: Sequence[str]) -> tuple[AccessoryState, ...]:
    """Return what accessories do; where none are configured and none were made, nobody is asked."""
    configured = session.service.config.for_environment(name).accessories
    if not configured and session.service.names.accessories(name) not in stacks:
        return ()
    return tuple(accessory_states.states(session, name))


def _freeze(session: Session, name: str) -> Freeze | None:
    found = freeze.of(session) if name == LIVE else None
    return Freeze(found.until.isoformat(timespec="minutes"), found.reason, found.told) if found else None


def _occasions(session: Session, environment: Environment) -> dict[str, Occasion]:
    return history.occasions(environment.deployment, session.state.memory.updates(environment.stack))


def _releases(
    environment: Environment, occasions: Mapping[str, Occasion], down: Mapping[str, str]
) -> tuple[ReleaseStatus, ...]:
    deployment = environment.deployment
    urls = environment.outputs.get("release_urls") or {}
    nothing = Occasion("", "", "", "")
    return tuple(
        ReleaseStatus(
            one.id,
            one.version,
            one.image,
            deployment.traffic.get(one.id, 0),
            str(urls.get(one.id, "")),
            candidate=one.id == deployment.candidate,
            held=one.id == environment.held,
            commit=history.commit_of(one.version, occasions.values()),
            down=down.get(one.id),
            since=occasions.get(one.id, nothing).at or None,
            by=occasions.get(one.id, nothing).by or None,
        )
        for one in deployment.releases
    )
