"""The candidate of live: staged without traffic, proven, held for as long as wanted, and then promoted."""

from __future__ import annotations

from dataclasses import dataclass

from curtainup.environments.rollout import Rollout
from curtainup.errors import RefusedError
from curtainup.model import release
from curtainup.model.release import Deployment, Release
from curtainup.pipeline import start as starting
from curtainup.pipeline.canary import Canary
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.image_steps import AnyImage
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.steps import Progress
from curtainup.pipeline.switch import CANDIDATE, Result

TITLE = "start the candidate, without traffic"
GATE, GATE_TITLE = "candidate-gate", "acceptance tests on the candidate"


@dataclass(frozen=True)
class Candidate:
    """A proven candidate, what its tests run in, and what to return to when it fails on live."""

    release: Release
    image: str
    back: Deployment


def require_splits(rollout: Rollout, canary: Canary | None) -> None:
    """Check that the target can split traffic as asked.

    Raises:
        RefusedError: it moves all of it at once.

    """
    if canary is not None and canary.shares and not rollout.target.splits:
        raise RefusedError(
            f"{rollout.config.deploy_target} moves all traffic at once",
            where="--canary",
            consequence="nothing was built or changed",
            fix="leave --canary out",
        )


def stage(context: RunContext, rollout: Rollout, image: AnyImage, *, held: bool) -> Candidate:
    """Start a release beside those that serve, without traffic, and prove it.

    Args:
        context: of the run.
        rollout: live; it is made what it was before when a step fails.
        image: in its registry.
        held: whether the candidate is to stay until it is promoted.

    Raises:
        CurtainupError: a step failed.

    """
    before = rollout.deployment
    new = rollout.new_release(image.reference, image.version)
    proven = _proven(context.recorder, _without(new, before))
    staged = release.stage(before, new, rollout.keep, proven)

    def work(progress: Progress) -> None:
        rollout.seal(new)
        rollout.hold(new.id if held else "")
        rollout.apply(staged, progress.say)

    try:
        with context.switch.gated(CANDIDATE, rollout, new, image.runnable) as gate:
            starting.start(context, rollout, new, starting.Update(CANDIDATE, TITLE, work))
            context.steps.run(GATE, GATE_TITLE, gate)
    except BaseException as error:
        undone = _without(new, before)
        context.switch.undo("candidate-undo", "remove the candidate", rollout, undone, error)
        raise
    back = _without(new, staged)
    return Candidate(new, image.runnable, release.shift(back, proven) if proven else back)


def move(context: RunContext, rollout: Rollout, new: Candidate, canary: Canary | None) -> Result:
    """Give a proven candidate the traffic, under probe and gate."""
    chosen = canary or Canary.of(rollout.config)
    context.switch.move(rollout, new.release, new.image, new.back, canary=chosen)
    return Result(rollout.environment.url, new.release.version, new.release.id, changed=True)


def held(rollout: Rollout, one: Release) -> Result:
    """Return what a run came to that stopped with a proven candidate."""
    return Result(rollout.release_url(one), one.version, one.id, changed=True, held=True)


def _proven(recorder: Recorder, live: Deployment) -> str | None:
    """Return what traffic goes back to: what serves, unless a killed run left it there unproven."""
    serving = live.serving()
    if serving is None:
        return None
    if recorder.is_proved("live", serving.id):
        return serving.id
    proven = [one.id for one in live.releases if recorder.is_proved("live", one.id)]
    return proven[-1] if proven else serving.id


def _without(new: Release, deployment: Deployment) -> Deployment:
    """Return the deployment without the new release, unless that serves already."""
    if deployment.find(new.id) is None or deployment.traffic.get(new.id):
        return deployment
    return release.retract(deployment, new.id)
