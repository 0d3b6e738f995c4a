"""Moving traffic while the probe watches, until the outgoing release has drained."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event

from curtainup.environments.rollout import Rollout
from curtainup.errors import Interrupted, TrafficReturned
from curtainup.gates.probe import Probe
from curtainup.gates.tally import ProbeResult
from curtainup.model.measured import Measured
from curtainup.model.release import Deployment
from curtainup.pipeline.canary import PERIOD, Canary, trouble
from curtainup.pipeline.measuring import Measuring, Tell
from curtainup.pipeline.run.steps import Progress
from curtainup.pipeline.standing import OVERDUE, Standing
from curtainup.util import durations
from curtainup.util.beside import GoOn

BEFORE = 4
BETWEEN = 25
"""Requests that the probe sends before the first move and right after each, and between two moves."""
PROBE_PATIENCE = 10.0
POLL = 0.05
TELL = 60.0
"""Seconds between two progress lines while a canary keeps its split."""
AT_ONCE = Canary()
MIXED = (
    "until then a page of one version may be followed by a file of the other; see `sticky` in docs/proxy.md"
)


def _nobody_waits() -> None:
    """Do nothing."""


class Watch:
    """The probe around a move of traffic: it runs from before the move until the live gate has passed.

    For a first release it sends nothing, because no traffic can be lost.

    Attributes:
        outgoing: the id of the release that served before; None for a first release.

    """

    def __init__(self, rollout: Rollout, incoming: str, measured: Tell) -> None:
        self._rollout = rollout
        self._measured = measured
        serving = rollout.deployment.besides(incoming) or rollout.deployment.serving()
        self._incoming = incoming
        asking = rollout.asking()
        judged = rollout.judged_url or rollout.url
        self._url = rollout.from_here(judged)
        self._is_as_it_stands = self._url == judged
        self._probe = Probe(self._url, asking.path, timeout=asking.timeout, headers=asking.headers)
        self._heeds_watch = True
        self._given_up = Event()
        self.outgoing = serving.id if serving is not None else None
        if self.outgoing:
            self._probe.start()

    @property
    def standing(self) -> Standing:
        """How live was before, and how the incoming release answers until now."""
        return Standing.of(self._probe.tally, self._incoming)

    @property
    def is_clean(self) -> bool:
        """Whether the incoming release may keep the traffic, by what the probe has seen until now."""
        return self.standing.is_clean(self._rollout.config.max_failures)

    def move(
        self,
        stages: Sequence[Deployment],
        progress: Progress,
        canary: Canary = AT_ONCE,
        on_moved: GoOn = _nobody_waits,
    ) -> None:
        """Apply the deployments in turn, and wait until the outgoing release has drained.

        Args:
            stages: the deployments, such as 10 %, 50 % and 100 %.
            progress: shows each of them.
            canary: how long to keep each, and what to watch meanwhile.
            on_moved: called once the incoming release has all the traffic that it gets.

        Raises:
            TrafficReturned: more requests failed than `max_failures` allows, the canary watch failed, or a
                metric is bad.
            CanaryPaused: a metric says too little.
            ReleaseUnhealthy: the incoming release does not get as many copies as the outgoing one has.
            Interrupted: the run was cancelled.
            CurtainupError: an update failed.

        """
        self._rollout.make_ready()
        if self.outgoing:
            self._rollout.grow(self._incoming, self.outgoing, progress.say)
        self._look_before()
        variables = self._variables()
        self._check_before(canary.watch, variables, progress)
        self._probe.mark("during")
        if len(stages) > 1 and canary.every and not self._rollout.config.sticky:
            progress.say(MIXED)
        drained = True
        measuring = Measuring(self._rollout, canary, self._incoming, self.outgoing, self._measured)
        for number, stage in enumerate(stages):
            if number:
                self._see(BETWEEN)
                self._keep(_shares(stages[number - 1]), canary, variables, progress, measuring)
            progress.say(_shares(stage))
            with self._rollout.reached(stage, progress.say):
                self._rollout.require_moved(stage)
                self._see_answers()
                self.require_clean()
                measuring.begin(stage.traffic[self._incoming])
                if stage is stages[-1]:
                    on_moved()
                    drained = wait_until_drained(self._rollout, self._leaving(stage), self._given_up)
        if not self._given_up.is_set():
            self._probe.mark("after")
            if self.standing.was_failing:
                self._see(BEFORE)
            self.require_clean()
        progress.note = self._summary(drained=drained)

    def give_up(self) -> None:
        """Wait for no draining any more, because traffic goes back."""
        self._given_up.set()

    def require_clean(self) -> None:
        """Check what the probe has seen up to now.

        Raises:
            TrafficReturned: more requests failed than `max_failures` allows, and live was better before.

        """
        if self.is_clean:
            return
        held, before = self.standing.held, self.standing.before
        earlier = f"; {before.failed} of {before.total} failed before" if before.failed else ""
        raise TrafficReturned(
            f"{held.failed} of {held.total} requests failed while traffic moved{earlier}",
            where=f"{self._rollout.url}{self._way}",
            consequence="live is put back to what it was before",
            fix="the run's probe.json says which failed, when and how",
        )

    def stop(self) -> ProbeResult:
        """End the probe, and return its figures."""
        return self._probe.stop()

    def _keep(
        self,
        shares: str,
        canary: Canary,
        variables: Mapping[str, str],
        progress: Progress,
        measuring: Measuring,
    ) -> None:
        """Keep a split for as long as the canary says, while the probe, the watch and the metrics judge."""
        tell_at = started = time.monotonic()
        while True:
            self.require_clean()
            self._require_well(canary.watch, variables, f"at {shares}")
            now = time.monotonic()
            left = started + canary.every - now
            if measuring.is_over(left, progress.say):
                return
            if now >= tell_at and left > 0:
                tell_at = now + TELL
                progress.say(f"{shares}: {durations.render(left)} left, {self.standing}")
            if self._rollout.cancelled.wait(min(left, PERIOD) if left > 0 else PERIOD):
                raise Interrupted("interrupted while traffic was split", where=self._rollout.url)

    def _look_before(self) -> None:
        """See how live is before traffic moves; look longer if some requests fail and others do not."""
        if self.outgoing and self._probe.wait_for(BEFORE, OVERDUE + 0.1):
            before = self.standing.before
            if 0 < before.failed < before.total:
                self._see(BETWEEN)

    def _see_answers(self) -> None:
        """See the first answers after a move, so that nobody judges a release that does not answer at all."""
        if self.outgoing:
            self._probe.wait_for(BEFORE, OVERDUE)

    def _leaving(self, last: Deployment) -> list[str]:
        """Return the release to wait for until it has drained; none if it was down anyway."""
        leaves = self.outgoing and not last.traffic.get(self.outgoing) and not self.standing.was_down
        return [self.outgoing] if self.outgoing and leaves else []

    def _check_before(self, watch: str | None, variables: Mapping[str, str], progress: Progress) -> None:
        """Check the canary watch before traffic moves. If live is down, a watch that fails stops nothing."""
        if not self.standing.was_down:
            self._require_well(watch, variables, "before traffic moved")
            return
        found = trouble(watch, variables) if watch else None
        if found is not None:
            self._heeds_watch = False
            what, _, _ = found.partition("\n")
            progress.say(f"live is down, and the canary watch fails: {what}; it counts once it has passed")

    def _require_well(self, watch: str | None, variables: Mapping[str, str], when: str) -> None:
        if watch is None or not self.outgoing:
            return
        found = trouble(watch, variables)
        self._heeds_watch = self._heeds_watch or found is None
        if found is None or not self._heeds_watch:
            return
        what, _, rest = found.partition("\n")
        raise TrafficReturned(
            f"the canary watch failed {when}: {what}",
            where=self._rollout.url,
            consequence="live is put back to what it was before",
            fix="fix the new release, or what canary_watch or --watch checks, and deploy again",
            detail=rest or None,
        )

    def _variables(self) -> dict[str, str]:
        return {
            "CURTAINUP_URL": self._url,
            "CURTAINUP_RELEASE": self._incoming,
        }

    def _see(self, requests: int) -> None:
        """Wait until the probe has sent that many more requests."""
        if self.outgoing:
            self._probe.wait_for(requests, PROBE_PATIENCE)

    @property
    def _way(self) -> str:
        """How the probe asks where that is not as users do: then not only live may be what fails."""
        return "" if self._is_as_it_stands else f", asked {self._rollout.by_way_of()}"

    def _summary(self, *, drained: bool) -> str:
        if not self.outgoing:
            return "first traffic"
        figures = f"{self.standing}{self._way}"
        return figures if drained else f"{figures}; the outgoing release still has requests under way"


def _not_told(_share: int, _measured: Measured) -> None:
    """Tell nobody."""


@contextmanager
def watched(
    rollout: Rollout,
    incoming: str,
    figures: Callable[[ProbeResult], None],
    measured: Tell = _not_told,
) -> Iterator[Watch]:
    """Watch a move of traffic to a release.

    Args:
        rollout: the environment.
        incoming: the id of the release.
        figures: gets the probe's result, even when the move fails.
        measured: gets each metric of a canary.

    """
    watch = Watch(rollout, incoming, measured)
    try:
        yield watch
    finally:
        figures(watch.stop())


def wait_until_drained(rollout: Rollout, releases: Sequence[str], given_up: Event) -> bool:
    """Wait until these releases have no request under way, for `drain_timeout` at most."""
    if not releases:
        return True
    deadline = time.monotonic() + rollout.config.drain_timeout
    while time.monotonic() < deadline:
        if rollout.drained(releases):
            return True
        if given_up.wait(POLL) or rollout.cancelled.is_set():
            return False
    return False


def _shares(deployment: Deployment) -> str:
    return ", ".join(f"{one} {percent} %" for one, percent in deployment.traffic.items() if percent)
