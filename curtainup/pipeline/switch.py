"""Switching live to another release, under probe and gate, and back by itself when either fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event

from curtainup.environments.rollout import Rollout
from curtainup.environments.view import EnvironmentView, pym_env
from curtainup.errors import CurtainupError, ReturnFailed
from curtainup.gates.probe import ProbeResult
from curtainup.model import release
from curtainup.model.release import Deployment, Release
from curtainup.pipeline import traffic
from curtainup.pipeline.canary import Canary
from curtainup.pipeline.gatekeeper import Gate, Gatekeeper
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.steps import Progress, Steps
from curtainup.pipeline.traffic import AT_ONCE
from curtainup.session import Session

LIVE_GATE = "acceptance tests on live"
CANDIDATE = "candidate"


@dataclass(frozen=True)
class Result:
    """What a run came to.

    Attributes:
        url: where live is reached.
        version: what serves there.
        release: its id.
        changed: whether anything had to move.
        held: whether it is a candidate without traffic yet; `url` is its own then.
        until: the step after which the run was to stop, before live; None when it went on.
        image: what the run has built, when that is in no environment yet.

    """

    url: str
    version: str
    release: str
    changed: bool
    held: bool = False
    until: str | None = None
    image: str = ""


def gate_of(session: Session, name: str, view: EnvironmentView, one: Release) -> Gate | None:
    """Return the gate of an environment for the release that should answer there.

    That of a candidate goes to the release alone. None while the URL is not known yet.
    """
    alone = name == CANDIDATE
    url = view.known_release_url(one) if alone else view.known_url
    if url is None:
        return None
    named = view.target.names_releases and not alone
    pym = pym_env(session, view.name)
    return Gate(name, url, view.config, pym, one.version, one.id, through_proxy=named)


class Switch:
    """Moves an environment's traffic, and undoes what fails."""

    def __init__(self, session: Session, recorder: Recorder, steps: Steps, gatekeeper: Gatekeeper) -> None:
        self._session = session
        self._recorder = recorder
        self._steps = steps
        self._gatekeeper = gatekeeper

    def move(
        self, rollout: Rollout, new: Release, image: str, before: Deployment, canary: Canary = AT_ONCE
    ) -> None:
        """Give a release all traffic and judge it there.

        Args:
            rollout: the environment.
            new: a release that is there and healthy.
            image: what its tests run in when they run in the image.
            before: what to return to when it fails.
            canary: the steps to go by.

        Raises:
            TrafficReturned: the probe or the gate failed, and traffic is back where it was.
            ReturnFailed: it could not be put back.

        """
        serving = before.serving()
        shares = [*canary.shares, 100] if serving is not None else [100]
        stages = [release.shift(rollout.deployment, new.id, percent) for percent in shares]

        shifted, moved_at = Event(), time.monotonic()

        def figures(result: ProbeResult) -> None:
            self._recorder.probe(result)
            if shifted.is_set():
                self._recorder.moved(rollout.name, serving.id if serving else None, new.id)

        try:
            with (
                traffic.watched(rollout, figures) as watch,
                self.gated("live", rollout, new, image) as judge,
            ):

                def shift(progress: Progress) -> None:
                    nonlocal moved_at
                    watch.move(stages, progress, canary)
                    moved_at = time.monotonic()
                    shifted.set()

                def prove(progress: Progress) -> None:
                    judge(progress)
                    watch.require_clean()

                self._steps.run("shift", "move traffic", shift)
                self._steps.run("live-gate", LIVE_GATE, prove)
        except BaseException as error:
            self._return(rollout, before, error)
            raise
        self.retire("retire", rollout, moved_at)

    @contextmanager
    def gated(
        self, name: str, rollout: Rollout, new: Release, image: str
    ) -> Iterator[Callable[[Progress], None]]:
        """Have a gate ready to run while what it tests is brought up, where its URL is known by then.

        What has to be made anew gets another.
        """
        gate = gate_of(self._session, name, rollout, new)
        if gate is not None and not rollout.is_private and not rollout.has_lost:
            with self._gatekeeper.prepared(gate, image) as judge:
                yield judge
            return

        def judge_then(progress: Progress) -> None:
            known = gate_of(self._session, name, rollout, new)
            if known is None:
                raise RuntimeError(f"{rollout.name} has no URL after its update")
            with rollout.reachable(known.url) as door:
                self._gatekeeper.judge(replace(known, door=door), progress, image)

        yield judge_then

    def retire(self, name: str, rollout: Rollout, moved_at: float) -> None:
        """Remove at once what has no traffic, where idle releases are billed and none is to be kept.

        Args:
            name: of the step.
            rollout: the environment, proven.
            moved_at: when its traffic moved (monotonic): requests may come to the old release for a while.

        """
        rest = release.retired(rollout.deployment, rollout.keep)
        if not rollout.target.bills_idle or rest == rollout.deployment:
            return
        gone = len(rollout.deployment.releases) - len(rest.releases)

        def work(progress: Progress) -> None:
            left = moved_at + rollout.lingering - time.monotonic()
            if left > 0:
                progress.say(f"waiting {left:.0f} s, as names are remembered for as long")
                rollout.cancelled.wait(left)
            rollout.apply(rest, progress.say)
            progress.note = f"{gone} release{'s' * (gone != 1)} without traffic, billed until now"

        self._steps.run(name, "remove what the new release replaced", work)

    def judge(self, rollout: Rollout, new: Release, image: str, before: Deployment | None) -> None:
        """Run the live gate; when it fails return to `before`, if there is such a thing."""
        try:
            with self.gated("live", rollout, new, image) as judge:
                self._steps.run("live-gate", LIVE_GATE, judge)
        except BaseException as error:
            if before is not None:
                self._return(rollout, before, error)
            raise

    def undo(self, name: str, title: str, rollout: Rollout, before: Deployment, error: BaseException) -> None:
        """Make an environment what it was before a step that failed or was interrupted.

        Where the step ended before its first update there is nothing to undo.

        Raises:
            ReturnFailed: that failed too.

        """
        untouched = not rollout.is_touched and rollout.deployment == before
        if rollout.environment.settings is None or untouched:
            return
        self._session.run.processes.resume()

        def work(progress: Progress) -> None:
            outgoing = rollout.deployment.serving()
            rollout.put_back(before, self._session.run.report.warn)
            serving = before.serving()
            if outgoing and serving and outgoing.id != serving.id:
                self._recorder.moved(rollout.name, outgoing.id, serving.id)
            progress.note = (
                f"{serving.version} ({serving.id}) serves" if serving else "nothing serves, as before"
            )

        try:
            self._steps.run(name, title, work, undoing=True)
        except CurtainupError as failure:
            raise ReturnFailed(
                f"{rollout.name} could not be put back: {failure.what}",
                where=failure.where,
                consequence=f"{rollout.name} may be left half-way; look at it now",
                fix="curtainup status, then `curtainup deploy` again; it goes on from what is there",
                detail=f"it was to be put back because: {error}\n{failure.detail or ''}",
            ) from error

    def _return(self, rollout: Rollout, before: Deployment, error: BaseException) -> None:
        self.undo("return", "put traffic back", rollout, before, error)
