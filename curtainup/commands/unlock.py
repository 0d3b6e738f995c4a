"""`unlock`: who holds the lock of a shared state, and taking it away from a run that is no more."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Literal

from curtainup.environments import names
from curtainup.errors import Busy, CurtainupError, HolderLives
from curtainup.pipeline.run import holder as holders
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.shared import lock
from curtainup.pipeline.run.shared import place as places
from curtainup.pipeline.run.shared.folders import LocalFolder
from curtainup.pipeline.run.shared.place import UNSIGNED, Place, Taken
from curtainup.session import Session

State = Literal["free", "gone", "alive", "unknown"]
POLL = 1.0
"""Seconds between two looks at the holder."""
STACK_PATIENCE = 5.0
"""Seconds to wait for an update that holds a stack."""


@dataclass(frozen=True)
class Found:
    """The lock of a service as it was found.

    Attributes:
        service: the service.
        where: where the lock is kept, in words; None if nobody else has the state.
        held_by: who holds it, in words; None if nobody does, or if the lock is not signed.
        state: `free`; `gone` if the holder is proved to have ended; `alive` if it is at work on this
            machine; `unknown` if that cannot be seen from here.

    """

    service: str
    where: str | None
    held_by: str | None
    state: State


@dataclass(frozen=True)
class Unlocked:
    """What became of the lock.

    Attributes:
        found: the lock as it was.
        freed: whether this command has freed it.
        held_stacks: the stacks that an update still holds, by a lock of Pulumi's.

    """

    found: Found
    freed: bool
    held_stacks: tuple[str, ...]


def look(session: Session, wait: float = 0) -> Found:
    """Return who holds the lock of a session's state; wait so many seconds for a run that lives to end."""
    place, deadline = places.of(session), time.monotonic() + wait
    while True:
        found = _found(session, place, place.taken() if place else None)
        if found.state != "alive" or time.monotonic() > deadline:
            return found
        time.sleep(POLL)


def unlock(session: Session, found: Found, *, only_gone: bool) -> Unlocked:
    """Free the lock that was found, and the stacks whose updates have ended; that is recorded.

    Args:
        session: the command's collaborators.
        found: the lock, which a person has seen.
        only_gone: whether to leave the lock of a run that may be alive.

    Raises:
        HolderLives: the run is at work on this machine.
        Busy: another run has the lock by now, or may be alive and is to be left alone.

    """
    if found.state == "alive":
        raise _alive(found)
    if found.state == "unknown" and only_gone:
        raise _unknown(found)
    if found.state != "free":
        _recorded(session, found)
    return Unlocked(found, found.state != "free", _held_stacks(session))


def _recorded(session: Session, found: Found) -> None:
    """Free the lock, and note whose it was."""
    recorder = Recorder(
        session.state.workspace.folder, found.service, "unlock", redact=session.service.redact
    )
    recorder.step_started("unlock")
    whose = f"held by {found.held_by or UNSIGNED}"
    with recorder.ending():
        try:
            _drop(session, found)
        except CurtainupError:
            recorder.step_finished("unlock", "failed", whose)
            raise
    recorder.step_finished("unlock", "passed", whose)
    recorder.succeeded(found)


def _found(session: Session, place: Place | None, taken: Taken | None) -> Found:
    service = session.service.config.name
    if place is None or taken is None:
        return Found(service, place.where if place else None, None, "free")
    return Found(service, place.where, taken.holder.told if taken.holder else None, _state(place, taken))


def _state(place: Place, taken: Taken) -> State:
    """Return what is known of a holder; the kernel keeps a lock of its own only for a process that lives."""
    if isinstance(place, LocalFolder):
        return "alive"
    this = holders.own("", None)
    if taken.holder is None:
        return "unknown"
    if holders.is_gone(taken.holder, this):
        return "gone"
    return "alive" if holders.lives_here(taken.holder, this) else "unknown"


def _drop(session: Session, found: Found) -> None:
    """Free the lock if it is still the one that was found."""
    place = places.of(session)
    taken = place.taken() if place else None
    if place is None or taken is None:
        return
    now = _found(session, place, taken)
    if replace(now, state=found.state) != found or not lock.free(place, taken):
        raise Busy(
            f"another run of {found.service} has taken the lock meanwhile",
            where=now.held_by or now.where,
            consequence="its lock was left alone",
            fix="wait for it to end",
        )


def _held_stacks(session: Session) -> tuple[str, ...]:
    """Return the stacks that an update holds, once those of dead processes are free."""
    own, known = session.service.names, set(session.state.memory.stacks())
    every = names.every(session)
    stacks = [own.image, *map(own.environment, every), *map(own.accessories, every)]
    there = [one for one in stacks if one in known]
    return tuple(one for one in there if not session.state.engine.release(one, STACK_PATIENCE))


def _alive(found: Found) -> HolderLives:
    return HolderLives(
        f"the run of {found.service} that holds the lock is at work on this machine",
        where=found.held_by or found.where,
        consequence="the lock was left alone",
        fix="wait for it to end, or stop it with Ctrl-C in its terminal",
    )


def _unknown(found: Found) -> Busy:
    return Busy(
        f"the run of {found.service} that holds the lock may be at work on another machine",
        where=f"{found.held_by or UNSIGNED} ({found.where})",
        consequence="the lock was left alone",
        fix="look at that machine; if the run is dead: curtainup unlock --yes",
    )
