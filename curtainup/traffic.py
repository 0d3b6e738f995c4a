"""Moving traffic under the eyes of the probe, until the outgoing release has drained."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.request import ProxyHandler, build_opener

from curtainup.errors import TrafficReturned
from curtainup.probe import Probe, ProbeResult
from curtainup.release import Deployment
from curtainup.rollout import Rollout
from curtainup.steps import Progress

BEFORE = 4
BETWEEN = 25
AFTER = 8
"""Requests the probe sends before the first move, between two, and after the last."""
PROBE_PATIENCE = 10.0
POLL = 0.05


@dataclass(frozen=True)
class Move:
    """A move of traffic that was made, and what the probe saw of it.

    Attributes:
        result: the probe's figures.
        drained: whether the outgoing releases had answered all their requests in time.

    """

    result: ProbeResult
    drained: bool


def move(
    rollout: Rollout,
    stages: Sequence[Deployment],
    progress: Progress,
    moved: Callable[[ProbeResult], None],
) -> Move:
    """Make one deployment after another real while the probe asks without pause.

    Args:
        rollout: the environment.
        stages: the deployments, such as 10 %, 50 % and 100 %.
        progress: told of each.
        moved: given the probe's figures, whatever comes of the move.

    Raises:
        TrafficReturned: more requests failed than `max_failures` allows.
        CurtainupError: an update failed.

    """
    serving = rollout.deployment.serving()
    outgoing = [serving.id] if serving is not None else []
    probe = Probe(rollout.environment.url, rollout.config.health_path)
    if outgoing:
        probe.start()
        probe.wait_for(BEFORE, PROBE_PATIENCE)
    drained = False
    try:
        probe.mark("during")
        for number, stage in enumerate(stages):
            if number and outgoing:
                probe.wait_for(BETWEEN, PROBE_PATIENCE)
            progress.say(_shares(stage))
            rollout.apply(stage)
            _require_clean(rollout, probe)
        leaving = [one for one in outgoing if not stages[-1].traffic.get(one)]
        drained = wait_until_drained(rollout, leaving)
        probe.mark("after")
        if outgoing:
            probe.wait_for(AFTER, PROBE_PATIENCE)
            _require_clean(rollout, probe)
    finally:
        result = probe.stop()
        moved(result)
    progress.note = _summary(result, drained)
    return Move(result, drained)


def wait_until_drained(rollout: Rollout, releases: Sequence[str]) -> bool:
    """Wait until the proxy has no request under way on these releases, `drain_timeout` at most."""
    if not releases:
        return True
    stats_url = str(rollout.environment.outputs["stats_url"])
    deadline = time.monotonic() + rollout.config.drain_timeout
    while time.monotonic() < deadline:
        sessions = current_sessions(stats_url)
        if sessions is not None and not any(sessions.get(one) for one in releases):
            return True
        if rollout.cancelled.wait(POLL):
            return False
    return False


def current_sessions(stats_url: str) -> dict[str, int] | None:
    """Return by release how many requests the proxy has under way on it; None when it does not say.

    The columns are those of HAProxy's management guide, section 9.1 (CSV format).
    """
    direct = build_opener(ProxyHandler({}))  # whatever HTTP_PROXY says: it is on this machine
    try:
        with direct.open(f"{stats_url}/stats;csv;norefresh", timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return None
    rows = csv.DictReader(text.removeprefix("# ").splitlines())
    return {
        row["svname"]: int(row["scur"] or 0)
        for row in rows
        if row["pxname"] == "releases" and row["svname"] not in {"FRONTEND", "BACKEND"}
    }


def _require_clean(rollout: Rollout, probe: Probe) -> None:
    allowed = rollout.config.max_failures
    if probe.failed_so_far <= allowed:
        return
    raise TrafficReturned(
        f"{probe.failed_so_far} of {probe.total_so_far} requests failed while traffic moved",
        where=rollout.environment.url,
        consequence="traffic goes back to the release that had it",
        fix="the run's probe.json says which failed, when and how",
    )


def _shares(deployment: Deployment) -> str:
    return ", ".join(f"{one} {percent} %" for one, percent in deployment.traffic.items() if percent)


def _summary(result: ProbeResult, drained: bool) -> str:
    if not result.total:
        return "first traffic"
    failed = f"{result.failed} of {result.total} requests failed"
    return failed if drained else f"{failed}; the outgoing release still has requests under way"
