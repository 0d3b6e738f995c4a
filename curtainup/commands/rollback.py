"""`rollback`: an older release gets all traffic again, without a build."""

from __future__ import annotations

from collections.abc import Sequence

from curtainup.environments.rollout import Rollout
from curtainup.errors import UnknownRelease
from curtainup.images import availability
from curtainup.model import release
from curtainup.model.names import LIVE
from curtainup.model.release import Deployment, Release
from curtainup.pipeline.candidate import GATE, GATE_TITLE
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.steps import Progress
from curtainup.pipeline.start import wait_until_healthy
from curtainup.pipeline.switch import CANDIDATE, Result
from curtainup.session import Session


def rollback(session: Session, recorder: Recorder, version: str | None, python: str | None) -> Result:
    """Give live's traffic to a kept release, under probe and gate.

    Args:
        session: the command's collaborators.
        recorder: of this run.
        version: a kept version or release id; None is the release that served before.
        python: the interpreter for the service's tests.

    Raises:
        UnknownRelease: it is not kept, what ran it or its image is gone, or there is none before.
        RefusedError: an edited program would do what is dangerous.
        TrafficReturned: it failed its gate, and traffic is back where it was.

    """
    context = RunContext.of(session, recorder, python)
    rollout = context.rollout(LIVE)
    wanted = choose(rollout.deployment, version, rollout.environment.retired)
    before = rollout.deployment
    if before.traffic.get(wanted.id) == 100:
        session.run.report.info(f"{wanted.version} serves already as {wanted.id}; nothing had to move")
        return Result(rollout.environment.url, wanted.version, wanted.id, changed=False)
    if before.find(wanted.id) is None:
        availability.require_image(session, wanted)
    else:
        rollout.target.require_there(rollout.environment, wanted)
    rollout.require_rendered()
    recorder.image("", wanted.image)
    if before.find(wanted.id) is None:
        _make_again(context, rollout, wanted)
    else:
        context.steps.run(
            "release",
            "check that the release answers",
            lambda progress: wait_until_healthy(rollout, wanted, progress),
        )
    context.switch.move(rollout, wanted, wanted.image, before)
    return Result(rollout.environment.url, wanted.version, wanted.id, changed=True)


def _make_again(context: RunContext, rollout: Rollout, wanted: Release) -> None:
    """Bring back a release that was removed when it was replaced, as one that nobody uses is billed."""
    before = rollout.deployment

    def stage(progress: Progress) -> None:
        progress.say(f"{wanted.version} is not kept, so it is made again")
        rollout.apply(release.stage(before, wanted, len(before.releases)), progress.say)
        wait_until_healthy(rollout, wanted, progress)

    try:
        with context.switch.gated(CANDIDATE, rollout, wanted, wanted.image) as judge:
            context.steps.run(CANDIDATE, "make the release again, without traffic", stage)
            context.steps.run(GATE, GATE_TITLE, judge)
    except BaseException as error:
        context.switch.undo("candidate-undo", "remove the release again", rollout, before, error)
        raise


def choose(deployment: Deployment, version: str | None, retired: Sequence[Release] = ()) -> Release:
    """Return the release to go back to: a kept one, else one that can be made again.

    Raises:
        UnknownRelease: it is not kept, or none served before.

    """
    if version is not None:
        return release.resolve(_with(deployment, retired), version)
    serving = deployment.serving()
    older = [
        one
        for one in deployment.releases
        if (serving is None or one.id != serving.id) and one.id != deployment.candidate
    ] or [one for one in retired if serving is None or one.id != serving.id]
    if not older:
        raise UnknownRelease(
            "no older release is kept",
            where=f"live holds {serving.version if serving else 'nothing'}",
            consequence="traffic has not moved",
            fix="deploy the commit you want again: git checkout COMMIT && curtainup deploy",
        )
    return older[-1]


def _with(deployment: Deployment, retired: Sequence[Release]) -> Deployment:
    again = [one for one in retired if deployment.find(one.id) is None]
    return Deployment(releases=(*again, *deployment.releases), traffic=deployment.traffic)
