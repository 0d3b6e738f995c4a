"""`sweep`: remove the review environments whose time to live is over, one by one, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from curtainup.commands import destroy
from curtainup.engine import recovery
from curtainup.environments import names as environment_names
from curtainup.environments import review
from curtainup.environments.review import Standing
from curtainup.errors import Busy, CurtainupError, Interrupted, SweepFailed
from curtainup.pipeline.run import recorded as runs
from curtainup.pipeline.run.record import Recorder
from curtainup.session import Session
from curtainup.util import durations

SweepOutcome = Literal["stays", "expired", "removed", "skipped", "failed"]
PRECISION = ((86400, 3600), (3600, 60), (60, 1))
"""The precision of an age: from so many seconds on, an age is rounded to so many seconds."""


@dataclass(frozen=True)
class Swept:
    """The result of a sweep for one review environment.

    Attributes:
        standing: the environment's age, release and URL.
        outcome: what happened to it; `expired` means that it is to be removed.
        why: the reason, in words.

    """

    standing: Standing
    outcome: SweepOutcome
    why: str


def look(session: Session, older_than: int | None = None) -> list[Swept]:
    """Return the review environments of the service, and whether the time of each is over.

    Args:
        session: the service's session.
        older_than: the age in seconds at which an environment is removed; replaces its own time to live.

    """
    names = environment_names.reviews(session)
    return [_judged(review.standing(session, name, older_than), older_than) for name in names]


def render(found: Sequence[Swept], service: str) -> str:
    """Return a line for each environment."""
    return "\n".join(f"{service} {_line(one)}" for one in found)


def remove(session: Session, found: Sequence[Swept], older_than: int | None = None) -> list[Swept]:
    """Remove the expired environments, and return the result for each environment.

    Each removal holds the service's lock, and happens only if the environment is still expired then. If
    another run holds the lock, the environment is left to the next sweep. A failure does not stop the others.

    Raises:
        Interrupted: Ctrl-C stopped the sweep after the operation in flight.

    """
    return [_removed(session, one, older_than) if one.outcome == "expired" else one for one in found]


def require_swept(found: Sequence[Swept]) -> None:
    """Check that nothing failed.

    Raises:
        SweepFailed: an environment could not be removed.

    """
    failed = [one for one in found if one.outcome == "failed"]
    if failed:
        names = ", ".join(one.standing.environment for one in failed)
        raise SweepFailed(
            f"{names} could not be removed",
            consequence="what remains of it may cost money; the next sweep tries again",
            fix=f"curtainup destroy --env {failed[0].standing.environment} shows what is in the way",
            detail="\n".join(f"{one.standing.environment}: {one.why}" for one in failed),
        )


def _judged(standing: Standing, older_than: int | None) -> Swept:
    if standing.age is None:
        return Swept(standing, "stays", "it was never deployed; curtainup destroy --env removes it")
    limit = durations.render(standing.ttl)
    if standing.expired:
        why = f"older than {limit}" if older_than is not None else f"its time to live, {limit}, is over"
        return Swept(standing, "expired", why)
    if older_than is not None:
        return Swept(standing, "stays", f"not older than {limit}")
    left = _roughly(standing.ttl - standing.age)
    return Swept(standing, "stays", f"its time to live, {limit}, is over in {left}")


def _line(one: Swept) -> str:
    standing = one.standing
    age = f"deployed {_roughly(standing.age)} ago" if standing.age is not None else None
    parts = (standing.environment, standing.version, standing.url, age, f"{one.outcome}: {one.why}")
    return "  ".join(part for part in parts if part)


def _roughly(seconds: int) -> str:
    """Return a duration in its two largest units, because nobody counts the seconds of a week."""
    unit = next((unit for least, unit in PRECISION if seconds >= least), 1)
    return durations.render(seconds - seconds % unit)


def _removed(session: Session, one: Swept, older_than: int | None) -> Swept:
    name = one.standing.environment
    try:
        return runs.recorded(
            session, "sweep", lambda recorder: _swept(session, recorder, one, older_than), environment=name
        )
    except Busy as busy:
        session.run.report.warn(f"{name} is left to the next sweep: {busy.what}")
        return replace(one, outcome="skipped", why=busy.what)
    except Interrupted:
        raise
    except CurtainupError as error:
        session.run.report.error(error)
        return replace(one, outcome="failed", why=error.what)


def _swept(session: Session, recorder: Recorder, one: Swept, older_than: int | None) -> Swept:
    """Remove one environment, unless somebody has removed it or deployed to it in the meantime."""
    name = one.standing.environment
    if not session.state.memory.read(one.standing.stack).exists:
        return replace(one, outcome="removed", why="another run has removed it")
    again = _judged(review.standing(session, name, older_than), older_than)
    if again.outcome != "expired":
        return replace(again, why="it was deployed again meanwhile")
    _require_free(session, one.standing.stack)
    destroy.remove(session, recorder, [name])
    return replace(one, outcome="removed")


def _require_free(session: Session, stack: str) -> None:
    """Check the stack's lock at once, for which the engine would wait a minute; only files show locks.

    Raises:
        Busy: another update holds the stack's lock.

    """
    locks = session.state.memory.locks(stack)
    if locks and not recovery.take_over(locks, session.run.report.warn):
        raise Busy(
            f"another update holds stack {stack}",
            where=str(locks[0]),
            consequence="the sweep has not changed it",
            fix="wait for it to end",
        )
