"""`promote`: a candidate that `deploy --hold` left proven and without traffic goes live, or is dropped."""

from __future__ import annotations

from dataclasses import dataclass

from curtainup.environments.rollout import Rollout
from curtainup.errors import UnknownRelease
from curtainup.model.names import LIVE
from curtainup.model.release import Release
from curtainup.pipeline import planner
from curtainup.pipeline.canary import Canary
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.executor import Executor
from curtainup.pipeline.result import Result
from curtainup.pipeline.run.record import Recorder
from curtainup.session import Session


@dataclass(frozen=True)
class Discarded:
    """The candidate that is gone."""

    version: str
    release: str


def promote(session: Session, recorder: Recorder, python: str | None, canary: Canary | None = None) -> Result:
    """Give the held candidate all traffic, under probe and gate.

    It passes its own gate again first, unless a record of this machine says that it has.

    Args:
        session: the command's collaborators.
        recorder: of this run.
        python: the interpreter for the service's tests.
        canary: in place of the configured one.

    Raises:
        UnknownRelease: none is held, or what runs it is gone.
        RefusedError: an edited program would do what is dangerous, or the target splits no traffic.
        CandidateGateFailed: it failed its gate; it stays held.
        TrafficReturned: it failed on live, and traffic is back where it was.

    """
    context = RunContext.of(session, recorder, python)
    live = context.rollout(LIVE)
    one = _held(live)
    live.target.require_there(live.environment, one)
    planner.require_splits(live, canary)
    live.require_rendered()
    recorder.image("", one.image)
    transitions = planner.promoted(live, one, recorder.is_proved, canary)
    Executor(context, {LIVE: live}).carry_out(transitions)
    return Result(live.environment.url, one.version, one.id, changed=True)


def discard(session: Session, recorder: Recorder) -> Discarded:
    """Remove the held candidate; what serves stays as it is.

    Raises:
        UnknownRelease: none is held.
        RefusedError: an edited program would do what is dangerous.

    """
    context = RunContext.of(session, recorder, None)
    live = context.rollout(LIVE)
    one = _held(live)
    live.require_rendered()
    Executor(context, {LIVE: live}).carry_out(planner.discarded(live, one))
    return Discarded(one.version, one.id)


def _held(rollout: Rollout) -> Release:
    one = rollout.deployment.find(rollout.environment.held)
    if one is not None:
        return one
    left = rollout.deployment.candidate
    raise UnknownRelease(
        f"{left} was left by a run that was cut off, and is not held" if left else "no candidate is held",
        where=f"stack {rollout.environment.stack}",
        consequence="traffic has not moved",
        fix="curtainup deploy --hold",
    )
