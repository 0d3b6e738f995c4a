"""How a run has ended, in one word, as its record and the list of several services say it."""

from __future__ import annotations

from curtainup.errors import CanaryPaused, CurtainupError, Interrupted, ProcessFailed, TrafficReturned


def of_result(result: object) -> str:
    """Return the outcome of a run that succeeded."""
    changed = getattr(result, "changed", None)
    if changed is None:
        return "done"
    if getattr(result, "held", False):
        return "held"
    if getattr(result, "until", None):
        return "stopped"
    return "live" if changed else "unchanged"


def of_error(error: CurtainupError) -> str:
    """Return the outcome of a run that failed."""
    if isinstance(error, Interrupted):
        return "interrupted"
    if isinstance(error, TrafficReturned) or (isinstance(error, ProcessFailed) and error.on_live):
        return "returned"
    return "paused" if isinstance(error, CanaryPaused) else "failed"
