"""`rollback`: an older release gets all traffic again, without a build."""

from __future__ import annotations

from collections.abc import Sequence

from curtainup.environments.rollout import Rollout
from curtainup.errors import UnknownRelease
from curtainup.images import availability, origin
from curtainup.model import release
from curtainup.model.names import LIVE
from curtainup.model.release import Deployment, Release
from curtainup.pipeline import planner
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.executor import Executor
from curtainup.pipeline.plan.guard import Guard
from curtainup.pipeline.result import Result
from curtainup.pipeline.run.record import Recorder
from curtainup.session import Session


def rollback(session: Session, recorder: Recorder, version: str | None, python: str | None) -> Result:
    """Give live's traffic to an older release, watched by the probe, and run the live gate.

    Args:
        session: the command's collaborators.
        recorder: keeps the record of this run.
        version: a kept version or release id; None is the release that served before.
        python: the interpreter for the service's tests.

    Raises:
        UnknownRelease: the release is not kept, its container or image is gone, or none served before.
        RefusedError: an edited program would make a dangerous change, or an update would reach another place.
        TrafficReturned: the release failed its gate, and traffic is back where it was.

    """
    origin.require_own(session)
    guard = Guard()
    live = Rollout(session, LIVE, guard)
    live.require_same_place()
    live.tell_of_maintenance()
    wanted = choose(live.deployment, version, live.environment.retired, live.paused)
    if live.deployment.traffic.get(wanted.id) == 100:
        session.run.report.info(f"{wanted.version} already serves as {wanted.id}; nothing had to move")
        return Result(live.environment.url, wanted.version, wanted.id, changed=False)
    _require_at_hand(session, live, wanted)
    context = RunContext.of(session, recorder, python, guard=guard)
    live.require_rendered()
    recorder.image("", wanted.image)
    Executor(context, {LIVE: live}).carry_out(planner.rolled_back(live, wanted))
    return Result(live.environment.url, wanted.version, wanted.id, changed=True)


def _require_at_hand(session: Session, live: Rollout, wanted: Release) -> None:
    """Check that a kept release still runs, or that the image of a release to be created again exists."""
    if live.deployment.find(wanted.id) is None:
        availability.require_image(session, wanted)
    else:
        live.require_there(wanted)


def choose(
    deployment: Deployment, version: str | None, retired: Sequence[Release] = (), paused: str = ""
) -> Release:
    """Return the release to roll back to: a kept one, or one that can be created again.

    Without a version, and with a canary that is paused, it is the one that served before the canary.

    Raises:
        UnknownRelease: the release is not kept, or none served before.

    """
    if version is not None:
        return release.resolve(_with(deployment, retired), version)
    before = deployment.besides(paused) if paused else None
    if before is not None:
        return before
    serving = deployment.serving()
    older = [
        one
        for one in deployment.releases
        if (serving is None or one.id != serving.id) and one.id != deployment.candidate
    ] or [one for one in retired if serving is None or one.id != serving.id]
    if not older:
        raise UnknownRelease(
            "no older release is kept",
            where=f"live serves {serving.version if serving else 'nothing'}",
            consequence="traffic has not moved",
            fix="deploy the commit that you want again: git checkout COMMIT && curtainup deploy",
        )
    return older[-1]


def _with(deployment: Deployment, retired: Sequence[Release]) -> Deployment:
    again = [one for one in retired if deployment.find(one.id) is None]
    return Deployment(releases=(*again, *deployment.releases), traffic=deployment.traffic)
