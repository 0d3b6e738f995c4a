"""`rollback`: an older release gets all traffic again, without a build."""

from __future__ import annotations

from collections.abc import Collection, Sequence

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
        UnknownRelease: the release is not kept or not proven, its container or image is gone, or none
            served before.
        RefusedError: an edited program would make a dangerous change, or an update would reach another place.
        TrafficReturned: the release failed its gate, and traffic is back where it was.

    """
    origin.require_own(session)
    guard = Guard()
    live = Rollout(session, LIVE, guard)
    live.require_same_place()
    live.tell_of_maintenance()
    wanted = choose(live.deployment, version, live.environment.retired, live.environment.held)
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
    deployment: Deployment, version: str | None, retired: Sequence[Release] = (), held: str = ""
) -> Release:
    """Return the release to roll back to: a kept one, or one that can be created again.

    Without a version, and with a canary that is paused or was cut off, it is the one that served before the
    canary. A release that is not proven on live is not chosen: a candidate, or the release of a canary.

    Args:
        deployment: of live.
        version: a version or release id; None is the release that served before.
        retired: the releases that can be created again.
        held: the id of the release that waits for `curtainup promote`; empty if none does.

    Raises:
        UnknownRelease: the release is not kept, is not proven on live, or none served before.

    """
    before, newcomer = deployment.served_before(), deployment.newcomer()
    unproven = {deployment.candidate, held, newcomer.id if newcomer is not None else None}
    if version is not None:
        return _named(_with(deployment, retired), version, unproven, held)
    if before is not None:
        return before
    serving = deployment.serving()
    passed_over = {*unproven, serving.id if serving is not None else None}
    older = [one for one in deployment.releases if one.id not in passed_over] or [
        one for one in retired if one.id not in passed_over
    ]
    if not older:
        raise UnknownRelease(
            "no older release is kept",
            where=f"live serves {serving.version if serving else 'nothing'}",
            consequence="traffic has not moved",
            fix="deploy the commit that you want again: git checkout COMMIT && curtainup deploy",
        )
    return older[-1]


def _named(deployment: Deployment, version: str, unproven: Collection[str | None], held: str) -> Release:
    """Return the release of that name; of two with one version, the one that was proven."""
    named = release.called(deployment, version)
    if named and all(one.id in unproven for one in named):
        raise _not_proven(named[-1], held)
    proven = tuple(one for one in deployment.releases if one.id not in unproven)
    return release.resolve(Deployment(releases=proven), version)


def _not_proven(one: Release, held: str) -> UnknownRelease:
    why, how = (
        ": its run was cut off, or its canary taken back",
        "check out its commit, then curtainup deploy",
    )
    if one.id == held:
        why, how = ", and waits for curtainup promote", "curtainup promote"
    return UnknownRelease(
        f"{one.version} ({one.id}) is not proven on live{why}",
        where="live",
        consequence="traffic has not moved",
        fix=f"give it traffic as to a new release: {how}",
    )


def _with(deployment: Deployment, retired: Sequence[Release]) -> Deployment:
    again = [one for one in retired if deployment.find(one.id) is None]
    return Deployment(releases=(*again, *deployment.releases), traffic=deployment.traffic)
