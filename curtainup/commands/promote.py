"""`promote`: give the candidate that `deploy --hold` left without traffic the traffic, or drop it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from curtainup.environments.rollout import Rollout
from curtainup.errors import UnknownRelease
from curtainup.images import origin
from curtainup.model.names import LIVE
from curtainup.model.release import Release
from curtainup.pipeline import four_eyes, freeze, measuring, planner
from curtainup.pipeline.canary import Canary, asked
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.executor import Executor
from curtainup.pipeline.result import Result
from curtainup.pipeline.run.record import Recorder
from curtainup.session import Session


@dataclass(frozen=True)
class Discarded:
    """The candidate that was dropped."""

    version: str
    release: str


def promote(
    session: Session,
    recorder: Recorder,
    python: str | None,
    canary: Canary | None = None,
    during_freeze: str | None = None,
    *,
    metrics: bool = True,
) -> Result:
    """Give the held candidate all traffic, watched by the probe, and run the live gate.

    The candidate's own gate runs again first, unless a record on this machine has its proof.

    Args:
        session: the command's collaborators.
        recorder: keeps the record of this run.
        python: the interpreter for the service's tests.
        canary: replaces the configured canary, except its metrics.
        during_freeze: the reason to change live although it is frozen; None gives none.
        metrics: whether the configured metrics judge the canary.

    Raises:
        CanaryPaused: the metrics of the canary say too little.
        UnknownRelease: no candidate is held, or what ran it is gone.
        RefusedError: an edited program would make a dangerous change, the target cannot split traffic, an
            update would reach another place, or somebody else has to promote the candidate.
        Frozen: live is frozen, and there is no reason to change it.
        CandidateGateFailed: the candidate failed its gate; it stays held.
        TrafficReturned: the release failed on live, and traffic is back where it was.

    """
    origin.require_own(session)
    context = RunContext.of(session, recorder, python)
    live, one = _live(context)
    four_eyes.require_another(session, live, one)
    freeze.require_open(context, live, during_freeze, freeze.NOT_MOVED)
    live.require_there(one)
    planner.require_splits(live, canary)
    chosen = replace(asked(live.config, canary, metrics=metrics), may_ask_again=not four_eyes.apply(session))
    measuring.require_ready(live, chosen)
    live.require_rendered()
    recorder.image("", one.image)
    transitions = planner.promoted(live, one, recorder.is_proved, chosen)
    Executor(context, {LIVE: live}).carry_out(transitions)
    return Result(live.environment.url, one.version, one.id, changed=True)


def discard(session: Session, recorder: Recorder) -> Discarded:
    """Remove the held candidate; what serves stays as it is.

    Raises:
        UnknownRelease: no candidate is held.
        RefusedError: an edited program would make a dangerous change, or an update would reach another place.

    """
    origin.require_own(session)
    context = RunContext.of(session, recorder, None)
    live, one = _live(context)
    live.require_rendered()
    Executor(context, {LIVE: live}).carry_out(planner.discarded(live, one))
    return Discarded(one.version, one.id)


def _live(context: RunContext) -> tuple[Rollout, Release]:
    """Return live where it is, and the candidate that is held there."""
    live = context.rollout(LIVE)
    live.require_same_place()
    live.tell_of_maintenance()
    return live, _held(live)


def _held(rollout: Rollout) -> Release:
    one = rollout.deployment.find(rollout.environment.held)
    if one is not None:
        return one
    left = rollout.deployment.candidate or rollout.environment.newcomer
    why = f"{left} is not held: its run was cut off, or its canary taken back" if left else ""
    raise UnknownRelease(
        why or "no candidate is held",
        where=f"stack {rollout.environment.stack}",
        consequence="traffic has not moved",
        fix="curtainup deploy --hold",
    )
