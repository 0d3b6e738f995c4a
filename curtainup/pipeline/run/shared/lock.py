"""Holding the lock of a state, and taking it from a run that is proved to have ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from filelock import FileLock, Timeout

from curtainup.engine.aftermath import started
from curtainup.errors import Busy, CurtainupError
from curtainup.pipeline.run.holder import Holder, is_gone
from curtainup.pipeline.run.shared import place as places
from curtainup.pipeline.run.shared.place import UNSIGNED, Place, Taken
from curtainup.session import Session

PATIENCE = 10.0
"""Seconds to wait for a lock to be signed, or for another run that takes a dead one's over."""
PAUSE = 0.5
"""Seconds between two looks."""

Result = TypeVar("Result")


@contextmanager
def held(session: Session, this: Holder) -> Iterator[None]:
    """Hold the lock of a session's state, if others may have that state too.

    Raises:
        Busy: another run holds it; the message says which.
        CurtainupError: the backend does not answer, or refuses.

    """
    place = places.of(session)
    if place is None:
        yield
        return
    warn = session.run.report.warn
    acquire(place, session.service.config.name, this, warn)
    try:
        yield
    finally:
        _uninterrupted(lambda: _give_back(place, this, warn))


def acquire(place: Place, service: str, this: Holder, warn: Callable[[str], None]) -> None:
    """Take a lock, from a run that has ended if need be.

    Args:
        place: where the lock is kept.
        service: whose it is.
        this: this run.
        warn: is told of a run that has ended without giving the lock back.

    Raises:
        Busy: another run holds it, or may do so.

    """
    deadline = time.monotonic() + PATIENCE
    while not _take(place, this):
        found = place.taken()
        who = found.holder if found else None
        if found is not None and who is not None and _take_over(place, found, this):
            warn(f"took over the lock of {service} from process {who.pid}, which is dead")
        elif who is not None or time.monotonic() > deadline:
            raise _busy(place, service, who)
        elif found is not None:
            time.sleep(PAUSE)


def free(place: Place, found: Taken) -> bool:
    """Take a lock away from the run that was found to have it; return whether it is free now.

    Nobody else on this machine does the same meanwhile, so this is never the lock of a run that came after.
    """
    with turn() as is_ours:
        return is_ours and place.drop(found)


@contextmanager
def turn() -> Iterator[bool]:
    """Yield whether no other process of this user is taking a lock away; it waits for that."""
    folder = started.users_folder()
    with ExitStack() as stack:
        is_ours = folder is not None
        if folder is not None:
            try:
                stack.enter_context(FileLock(folder / "taking-over.lock", timeout=PATIENCE))
            except Timeout:
                is_ours = False
        yield is_ours


def _take_over(place: Place, found: Taken, this: Holder) -> bool:
    """Remove the lock of a run of this user that is proved to have ended."""
    dead = found.holder
    if dead is None or _user(dead) != _user(this) or not is_gone(dead, this):
        return False
    return free(place, found)


def _user(holder: Holder) -> str:
    return holder.who.rpartition("@")[0]


def _take(place: Place, this: Holder) -> bool:
    """Take the lock, or leave it as it was: Ctrl-C does not come between."""
    try:
        return _uninterrupted(lambda: place.take(this))
    except KeyboardInterrupt:
        _uninterrupted(lambda: place.drop(Taken(this)))
        raise


def _give_back(place: Place, this: Holder, warn: Callable[[str], None]) -> None:
    """Give the lock back; how the run ended matters more than whether that works."""
    try:
        if not place.drop(Taken(this)):
            warn("the lock was taken away from this run while it worked")
    except (CurtainupError, OSError) as error:
        warn(f"the lock is not given back ({error}); once this run has ended: curtainup unlock")


def _uninterrupted(work: Callable[[], Result]) -> Result:
    """Do work that Ctrl-C does not cut off; the Ctrl-C comes after it."""
    with ThreadPoolExecutor(1, thread_name_prefix="lock") as pool:
        running = pool.submit(work)
        try:
            return running.result()
        except KeyboardInterrupt:
            running.result()
            raise


def _busy(place: Place, service: str, who: Holder | None) -> Busy:
    return Busy(
        f"another run of {service} is under way",
        where=f"{who.told if who else UNSIGNED} ({place.where})",
        consequence="this run did not start",
        fix="wait for it to end; if you know that it is dead: curtainup unlock",
    )
