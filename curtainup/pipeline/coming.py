"""A release that comes: it is made again while a cloud refuses it only because it is too early.

What curtainup enables, makes and grants takes minutes until a cloud enforces it, and so does what somebody
grants while the run goes on. A release that was refused for that is taken away, and comes again: under
another id where a target never takes a name twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from curtainup.environments import earlier
from curtainup.environments.rollout import Rollout
from curtainup.errors import CurtainupError, Interrupted
from curtainup.pipeline.transition import Transition, Update, instead

PATIENCE = 600.0
"""For how many seconds a release is made again: grants take "potentially 7 minutes or longer".

Source: https://cloud.google.com/iam/docs/access-change-propagation
"""
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 60.0
"""Seconds between two tries, growing from the one to the other: each leaves a revision that failed."""


@contextmanager
def brought(
    rollout: Rollout,
    transition: Transition,
    number: int,
    say: Callable[[str], None],
    warn: Callable[[str], None],
) -> Iterator[Transition]:
    """Carry out an update of a transition, and enter the block as `Rollout.reached` does.

    Args:
        rollout: the environment.
        transition: what the update belongs to.
        number: which of its acts it is.
        say: told what is under way, and what is waited for.
        warn: told what could not be read while a release was taken away.

    Yields:
        The transition, about the release as it has come.

    Raises:
        CurtainupError: the update failed, or is refused for longer than `PATIENCE`.
        Interrupted: the run was cancelled.

    """
    over, pause = time.monotonic() + PATIENCE, FIRST_PAUSE
    while True:
        act, has_come = transition.acts[number], False
        if not isinstance(act, Update):
            raise TypeError(f"{act.__class__.__name__} is no update")
        try:
            with rollout.reached(act.deployments[0], say):
                has_come = True
                yield transition
        except CurtainupError as error:
            if has_come or not _comes_again(rollout, transition, act, error) or time.monotonic() > over:
                raise
            _wait(rollout, error, pause, say)
            transition, pause = _anew(rollout, transition, warn), min(pause * 2, LONGEST_PAUSE)
        else:
            return


def _comes_again(rollout: Rollout, transition: Transition, act: Update, error: CurtainupError) -> bool:
    """Return whether a release that is new there was refused only because it came too early.

    One that was there before may be proven already, and another one in its place would not be.
    """
    is_there = rollout.deployment.find(transition.release.id) is not None
    if is_there or not act.seals or transition.undo is None or isinstance(error, Interrupted):
        return False
    return rollout.is_too_early(error)


def _wait(rollout: Rollout, error: CurtainupError, seconds: float, say: Callable[[str], None]) -> None:
    why = f"waiting, as it is too early: {error.what}"
    lasting = f"; curtainup tries again for {PATIENCE / 60:.0f} min. If it stays so: {error.fix}"
    say(why + (lasting if seconds == FIRST_PAUSE else f"; trying again in {seconds:.0f} s"))
    if rollout.cancelled.wait(seconds):
        raise Interrupted(f"interrupted while {why}", where=f"stack {rollout.environment.stack}")


def _anew(rollout: Rollout, transition: Transition, warn: Callable[[str], None]) -> Transition:
    """Take away what was refused, and return the transition about the release that comes in its place.

    The environment's settings, and which release is to be held, stay those of this run.
    """
    release, before = transition.release, rollout.deployment
    settings, held = rollout.environment.settings, rollout.environment.held
    rollout.put_back(before, warn)
    if settings is not None:
        rollout.environment = earlier.with_settings(rollout.environment, settings)
    other = rollout.new_release(release.image, release.version)
    rollout.seal(other)
    rollout.hold(other.id if held == release.id else held)
    return instead(transition, release.id, other)
