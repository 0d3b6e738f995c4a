"""Whether a return helps: nothing is put back that is known to be worse than what serves now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curtainup.errors import CurtainupError, Interrupted, ReturnDidNotHelp, TrafficKept
from curtainup.gates import health
from curtainup.model.names import LIVE

if TYPE_CHECKING:
    from curtainup.environments.rollout import Rollout
    from curtainup.model.release import Deployment, Release
    from curtainup.pipeline.traffic import Watch

ANSWER_WITHIN = 5.0
"""Seconds that a release has to answer after traffic is back."""


def reason_to_stay(rollout: Rollout, back: Deployment, watch: Watch | None) -> str | None:
    """Return why live should not go back to a deployment; None if it should.

    The release that would get the traffic was down before this run moved any, or it does not answer now, and
    the one that has the traffic does answer.
    """
    now, then = rollout.deployment.serving(), back.serving()
    if rollout.name != LIVE or now is None or then is None or now.id == then.id:
        return None
    if watch is not None and watch.outgoing == then.id and watch.standing.is_better:
        return str(watch.standing)
    if _answers(rollout, then) is False and _answers(rollout, now):
        return f"{then.version} ({then.id}) does not answer"
    return None


def keep(rollout: Rollout, error: BaseException, reason: str) -> BaseException:
    """Return the error of a run that leaves live's traffic where it is, because going back is worse.

    Ctrl-C and defects of ours keep their own error.
    """
    shares = ", ".join(f"{one} {share} %" for one, share in rollout.deployment.traffic.items() if share)
    consequence = f"traffic stays as it is ({shares}), because {reason}"
    if isinstance(error, Interrupted):
        error.consequence = consequence
    if isinstance(error, Interrupted) or not isinstance(error, CurtainupError):
        return error
    return TrafficKept(
        error.what,
        where=error.where,
        consequence=consequence,
        fix="fix the service and deploy again, or name a release that works: curtainup rollback VERSION",
        detail=error.detail,
    )


def require_answer(rollout: Rollout, release: Release) -> None:
    """Check that live answers now that a release has its traffic back.

    Raises:
        ReturnDidNotHelp: it does not.

    """
    url, asking = rollout.judged_url or rollout.url, rollout.asking(release)
    if rollout.lingering:
        url = rollout.known_release_url(release) or url
    with rollout.reachable(url) as reached:
        how = health.trouble_after(reached, asking, ANSWER_WITHIN)
    if how is not None:
        failing = f"GET {asking.path}: {how}"
        raise ReturnDidNotHelp(
            f"traffic is back on {release.version} ({release.id}), and live still fails: {failing}",
            where=url,
            consequence="live is down; look at it now",
            fix="read `curtainup logs --env live`; deploy a fix, or go further back: curtainup rollback ID",
        )


def _answers(rollout: Rollout, release: Release) -> bool | None:
    """Return whether a release answers on its own URL; None if that cannot be found out."""
    try:
        return rollout.answers(release)
    except CurtainupError:
        return None
