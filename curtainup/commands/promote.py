"""`promote`: a candidate that `deploy --hold` left proven and without traffic goes live, or is dropped."""

from __future__ import annotations

from dataclasses import dataclass

from curtainup.environments.rollout import Rollout
from curtainup.errors import CandidateGateFailed, UnknownRelease
from curtainup.model import release
from curtainup.model.names import LIVE
from curtainup.model.release import Release
from curtainup.pipeline import candidate as candidates
from curtainup.pipeline.canary import Canary
from curtainup.pipeline.candidate import GATE, GATE_TITLE, Candidate
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.steps import Progress
from curtainup.pipeline.start import wait_until_healthy
from curtainup.pipeline.switch import CANDIDATE, Result
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
    rollout = context.rollout(LIVE)
    one = _held(rollout)
    rollout.target.require_there(rollout.environment, one)
    candidates.require_splits(rollout, canary)
    rollout.require_rendered()
    recorder.image("", one.image)
    context.steps.run(
        "release",
        "check that the candidate answers",
        lambda progress: wait_until_healthy(rollout, one, progress),
    )
    _prove(context, rollout, one)
    back = release.retract(rollout.deployment, one.id)
    return candidates.move(context, rollout, Candidate(one, one.image, back), canary)


def discard(session: Session, recorder: Recorder) -> Discarded:
    """Remove the held candidate; what serves stays as it is.

    Raises:
        UnknownRelease: none is held.
        RefusedError: an edited program would do what is dangerous.

    """
    context = RunContext.of(session, recorder, None)
    rollout = context.rollout(LIVE)
    one = _held(rollout)
    rollout.require_rendered()

    def work(progress: Progress) -> None:
        rollout.put_back(release.retract(rollout.deployment, one.id), session.run.report.warn)
        progress.note = f"{one.version} ({one.id}) is gone"

    context.steps.run("discard", "remove the held candidate", work)
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


def _prove(context: RunContext, rollout: Rollout, one: Release) -> None:
    if context.recorder.is_proved(CANDIDATE, one.id):
        context.steps.skip(GATE, GATE_TITLE, "passed when it was staged")
        return
    try:
        with context.switch.gated(CANDIDATE, rollout, one, one.image) as gate:
            context.steps.run(GATE, GATE_TITLE, gate)
    except CandidateGateFailed as error:
        error.consequence = "it stays held, without traffic; live is as it was"
        raise
