"""`logs`: what the releases of an environment write, wherever they run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from curtainup.environments import names as environment_names
from curtainup.environments import stack as environments
from curtainup.errors import RefusedError, UnknownRelease
from curtainup.model import release
from curtainup.model.contract import EnvironmentSettings
from curtainup.model.environment import Environment
from curtainup.model.process import logged_of
from curtainup.model.release import Deployment
from curtainup.session import Session
from curtainup.setup import extras
from curtainup.targets import spec_of
from curtainup.targets.log_lines import Asked, Line, Source

__all__ = ["Line", "Wanted", "logs"]

TAIL = 100
"""Lines that are shown when nothing says how many."""
_ID = re.compile(r"r[0-9a-f]{7}")


@dataclass(frozen=True)
class Wanted:
    """What `curtainup logs` is asked for.

    Attributes:
        env: the environment.
        release: id or version, or a beginning of one; None is all releases.
        since: seconds back from now; None is no such bound.
        tail: the last so many lines; None is every one, or TAIL where `since` is None too.
        follow: whether to go on with lines as they are written.
        process: the process that wrote them; empty is the service itself.

    """

    env: str = "live"
    release: str | None = None
    since: int | None = None
    tail: int | None = None
    follow: bool = False
    process: str = ""


def logs(session: Session, wanted: Wanted) -> Iterator[Line]:
    """Give lines, oldest first, without the secrets that are at hand and without control characters.

    Raises:
        RefusedError: there is no such environment, it is not deployed, or it has no such process.
        UnknownRelease: there is no such release.
        SetupError: the log cannot be read.

    """
    environment, settings = _environment(session, wanted.env)
    _require_process(environment, wanted)
    session = session.at(wanted.env)
    source = _source(session, environment, settings.target)
    asked = Asked(
        _releases(environment, wanted.release, outlives=source.outlives),
        datetime.now(UTC) - timedelta(seconds=wanted.since) if wanted.since is not None else None,
        TAIL if wanted.tail is None and wanted.since is None else wanted.tail,
        wanted.process,
    )
    found = source.follow(asked) if wanted.follow else source.lines(asked)
    return (replace(one, text=session.service.redact(one.text)) for one in found)


def _environment(session: Session, name: str) -> tuple[Environment, EnvironmentSettings]:
    found = environments.of(session, name)
    if found.settings is not None:
        return found, found.settings
    names = environment_names.every(session)
    if name in names:
        raise RefusedError(
            f"{name} of {session.service.config.name} is not deployed",
            where=f"stack {found.stack}",
            consequence="there is no log",
            fix="curtainup status shows what is",
        )
    raise RefusedError(
        f"{session.service.config.name} has no environment {name!r}",
        where=f"environments: {', '.join(names)}",
        consequence="there is no log",
        fix="name one of them with --env",
    )


def _require_process(environment: Environment, wanted: Wanted) -> None:
    releases = environment.deployment.releases
    names = {name for one in releases for name in logged_of(one.settings)}
    if wanted.process and wanted.process not in names:
        raise RefusedError(
            f"{wanted.env} has no process {wanted.process!r}",
            where=f"processes: {', '.join(sorted(names)) or 'none'}",
            consequence="there is no log",
            fix="name one of them with --process, or leave it out for the log of the service itself",
        )


def _source(session: Session, environment: Environment, target: str) -> Source:
    spec = spec_of(target)
    extras.require(spec.extra)
    return spec.logs(session, environment, partial(environments.parse_again, session, environment))


def _releases(environment: Environment, wanted: str | None, *, outlives: bool) -> tuple[str, ...] | None:
    """Return the id of the release that is wanted; one that is gone has to be named by its whole id."""
    if wanted is None:
        return None
    there = environment.deployment.releases
    gone = [one for one in environment.retired if environment.deployment.find(one.id) is None]
    known = Deployment(releases=(*gone, *there) if outlives else there)
    try:
        return (release.resolve(known, wanted).id,)
    except UnknownRelease as error:
        if outlives and _ID.fullmatch(wanted):
            return (wanted,)
        raise UnknownRelease(
            error.what,
            where=error.where,
            consequence="there is no log to show",
            fix="name one of these releases, or leave --release out for all of them",
        ) from error
