"""Moving traffic while the probe watches, until the outgoing release has drained."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from curtainup.environments.rollout import Rollout
from curtainup.errors import Interrupted, TrafficReturned
from curtainup.gates.probe import Probe, ProbeResult
from curtainup.model.release import Deployment
from curtainup.pipeline.canary import PERIOD, Canary, trouble
from curtainup.pipeline.run.steps import Progress
from curtainup.util import durations

BEFORE = 4
BETWEEN = 25
"""Requests that the probe sends before the first move, and between two moves."""
PROBE_PATIENCE = 10.0
POLL = 0.05
TELL = 60.0
"""Seconds between two progress lines while a canary keeps its split."""
AT_ONCE = Canary()


class Watch:
    """The probe around a move of traffic: it runs from before the move until the live gate has passed.

    For a first release it sends nothing, because no traffic can be lost.
    """

    def __init__(self, rollout: Rollout) -> None:
        self._rollout = rollout
        serving = rollout.deployment.serving()
        self._outgoing = serving.id if serving is not None else None
        self._probe = Probe(rollout.url, rollout.config.health_path)
        if self._outgoing:
            self._probe.start()

    def move(self, stages: Sequence[Deployment], progress: Progress, canary: Canary = AT_ONCE) -> None:
        """Apply the deployments in turn, and wait until the outgoing release has drained.

        Args:
            stages: the deployments, such as 10 %, 50 % and 100 %.
            progress: shows each of them.
            canary: how long to keep each, and what to watch meanwhile.

        Raises:
            TrafficReturned: more requests failed than `max_failures` allows, or the canary watch failed.
            Interrupted: the run was cancelled.
            CurtainupError: an update failed.

        """
        self._rollout.make_ready()
        self._see(BEFORE)
        variables = self._variables(stages[-1])
        self._require_well(canary.watch, variables, "before traffic moved")
        self._probe.mark("during")
        for number, stage in enumerate(stages):
            if number:
                self._see(BETWEEN)
                self._keep(_shares(stages[number - 1]), canary, variables, progress)
            progress.say(_shares(stage))
            self._rollout.apply(stage, progress.say)
            self._rollout.require_moved()
            self.require_clean()
        leaving = [one for one in [self._outgoing] if one and not stages[-1].traffic.get(one)]
        drained = wait_until_drained(self._rollout, leaving)
        self._probe.mark("after")
        self.require_clean()
        progress.note = self._summary(drained=drained)

    def require_clean(self) -> None:
        """Check what the probe has seen up to now.

        Raises:
            TrafficReturned: more requests failed than `max_failures` allows.

        """
        failed = self._probe.failed_so_far
        if failed <= self._rollout.config.max_failures:
            return
        raise TrafficReturned(
            f"{failed} of {self._probe.total_so_far} requests failed while traffic moved",
            where=self._rollout.url,
            consequence="live is put back to what it was before",
            fix="the run's probe.json says which failed, when and how",
        )

    def stop(self) -> ProbeResult:
        """End the probe, and return its figures."""
        return self._probe.stop()

    def _keep(self, shares: str, canary: Canary, variables: Mapping[str, str], progress: Progress) -> None:
        """Keep a split for as long as the canary says, while the probe and the canary watch check live."""
        tell_at = started = time.monotonic()
        while True:
            self.require_clean()
            self._require_well(canary.watch, variables, f"at {shares}")
            now = time.monotonic()
            left = started + canary.every - now
            if left <= 0:
                return
            if now >= tell_at:
                tell_at = now + TELL
                progress.say(f"{shares}: {durations.render(left)} left, {self._figures()}")
            if self._rollout.cancelled.wait(min(left, PERIOD)):
                raise Interrupted("interrupted while traffic was split", where=self._rollout.url)

    def _require_well(self, watch: str | None, variables: Mapping[str, str], when: str) -> None:
        if watch is None or not self._outgoing:
            return
        found = trouble(watch, variables)
        if found is None:
            return
        what, _, rest = found.partition("\n")
        raise TrafficReturned(
            f"the canary watch failed {when}: {what}",
            where=self._rollout.url,
            consequence="live is put back to what it was before",
            fix="fix the new release, or what canary_watch or --watch checks, and deploy again",
            detail=rest or None,
        )

    def _variables(self, last: Deployment) -> dict[str, str]:
        incoming = last.serving()
        return {"CURTAINUP_URL": self._rollout.url, "CURTAINUP_RELEASE": incoming.id if incoming else ""}

    def _figures(self) -> str:
        return f"{self._probe.failed_so_far} of {self._probe.total_so_far} requests failed"

    def _see(self, requests: int) -> None:
        """Wait until the probe has sent that many more requests."""
        if self._outgoing:
            self._probe.wait_for(requests, PROBE_PATIENCE)

    def _summary(self, *, drained: bool) -> str:
        if not self._outgoing:
            return "first traffic"
        failed = self._figures()
        return failed if drained else f"{failed}; the outgoing release still has requests under way"


@contextmanager
def watched(rollout: Rollout, figures: Callable[[ProbeResult], None]) -> Iterator[Watch]:
    """Watch a move of traffic; `figures` gets the probe's result, even when the move fails."""
    watch = Watch(rollout)
    try:
        yield watch
    finally:
        figures(watch.stop())


def wait_until_drained(rollout: Rollout, releases: Sequence[str]) -> bool:
    """Wait until these releases have no request under way, for `drain_timeout` at most."""
    if not releases:
        return True
    deadline = time.monotonic() + rollout.config.drain_timeout
    while time.monotonic() < deadline:
        if rollout.drained(releases):
            return True
        if rollout.cancelled.wait(POLL):
            return False
    return False


def _shares(deployment: Deployment) -> str:
    return ", ".join(f"{one} {percent} %" for one, percent in deployment.traffic.items() if percent)
