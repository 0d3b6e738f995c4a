"""`rollback`: an older release gets all traffic again, without a build."""

from __future__ import annotations

from curtainup import release
from curtainup.errors import UnknownRelease
from curtainup.gatekeeper import Gatekeeper
from curtainup.record import Recorder
from curtainup.release import Deployment, Release
from curtainup.rollout import Rollout
from curtainup.session import Session
from curtainup.steps import Steps
from curtainup.switch import Result, Switch


def rollback(session: Session, recorder: Recorder, version: str | None, python: str | None) -> Result:
    """Give live's traffic to a kept release, under probe and gate.

    Args:
        session: the command's collaborators.
        recorder: of this run.
        version: a kept version or release id; None is the release that served before.
        python: the interpreter for the service's tests.

    Raises:
        UnknownRelease: it is not kept, or there is none before.
        TrafficReturned: it failed its gate, and traffic is back where it was.

    """
    rollout = Rollout(session, "live")
    wanted = choose(rollout.deployment, version)
    before = rollout.deployment
    if before.traffic.get(wanted.id) == 100:
        session.report.info(f"{wanted.version} serves already as {wanted.id}; nothing had to move")
        return Result(rollout.environment.url, wanted.version, wanted.id, changed=False)
    steps = Steps(session.report, recorder, session.cancelled)
    gatekeeper = Gatekeeper(session, recorder, python, ())
    recorder.image("", wanted.image)
    steps.run(
        "release",
        "check that the release answers",
        lambda progress: rollout.wait_until_healthy(wanted, progress),
    )
    Switch(session, recorder, steps, gatekeeper).move(rollout, wanted, wanted.image, before, canary=False)
    return Result(rollout.environment.url, wanted.version, wanted.id, changed=True)


def choose(deployment: Deployment, version: str | None) -> Release:
    """Return the kept release to go back to.

    Raises:
        UnknownRelease: it is not kept, or none served before.

    """
    if version is not None:
        return release.resolve(deployment, version)
    serving = deployment.serving()
    older = [
        one
        for one in deployment.releases
        if (serving is None or one.id != serving.id) and one.id != deployment.candidate
    ]
    if not older:
        raise UnknownRelease(
            "no older release is kept",
            where=f"live holds {serving.version if serving else 'nothing'}",
            consequence="traffic has not moved",
            fix="deploy the commit you want again: git checkout COMMIT && curtainup deploy",
        )
    return older[-1]
