"""Times in which live is frozen: `deploy` and `promote` leave it alone, unless there is a reason not to.

A run asks before it builds anything, and once more right before it touches live. What it has begun on live it
ends: half a canary helps nobody. A return to an earlier release, by itself or by `rollback`, is never frozen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from curtainup.errors import Frozen
from curtainup.model.run import DuringFreeze
from curtainup.util import windows

if TYPE_CHECKING:
    from curtainup.config import ServiceConfig
    from curtainup.environments.rollout import Rollout
    from curtainup.pipeline.context import RunContext
    from curtainup.session import Session

NOT_BEGUN = "nothing was built, and live is as it was"
NOT_TOUCHED = "staging may have the new release already; live is as it was"
NOT_MOVED = "traffic has not moved, and the candidate stays held"


@dataclass(frozen=True)
class FrozenUntil:
    """A freeze that is on.

    Attributes:
        until: when it is over, in its time zone.
        zone: the name of that time zone.
        reason: why live is frozen; may be empty.

    """

    until: datetime
    zone: str
    reason: str

    @property
    def told(self) -> str:
        """When it is over, and why it is on."""
        return self.end + (f" ({self.reason})" if self.reason else "")

    @property
    def end(self) -> str:
        """When it is over, such as `Mon 2026-11-30 08:00 Europe/Berlin`."""
        return f"{windows.DAYS[self.until.weekday()]} {self.until:%Y-%m-%d %H:%M} {self.zone}"


def on(config: ServiceConfig, at: datetime | None = None) -> FrozenUntil | None:
    """Return the freeze of live that is on.

    Args:
        config: the service's.
        at: the moment; None is now.

    """
    if not config.freeze:
        return None
    found = windows.open_until([one.window for one in config.freeze], at or datetime.now(UTC))
    if found is None:
        return None
    window, until = found
    reason = next(one.reason for one in config.freeze if one.window == window)
    return FrozenUntil(until.astimezone(window.zone), str(window.zone), reason or "")


def of(session: Session) -> FrozenUntil | None:
    """Return the freeze of live that is on; a rehearsal has none."""
    return None if session.accounts.rehearsal else on(session.service.config)


def require_open(context: RunContext, live: Rollout, reason: str | None, consequence: str) -> None:
    """Check that live is not frozen, or note the reason to change it anyway.

    Args:
        context: the collaborators of the run.
        live: the environment.
        reason: the reason; None if nobody gave one.
        consequence: of a refusal.

    Raises:
        Frozen: live is frozen, and there is no reason.

    """
    found = of(context.session)
    if found is None:
        return
    if reason is None:
        raise refused(found, f"stack {live.environment.stack}", consequence)
    if context.recorder.record.during_freeze is not None:
        return
    context.session.run.report.warn(f"live is frozen until {found.told}, and this run changes it: {reason}")
    context.recorder.during_freeze(
        DuringFreeze(until=found.until.isoformat(timespec="minutes"), freeze=found.reason, reason=reason)
    )
    live.excuse(context.recorder.redact(reason))


def refused(found: FrozenUntil, where: str, consequence: str) -> Frozen:
    """Return the error for a change in a freeze."""
    return Frozen(
        f"live is frozen until {found.told}",
        where=where,
        consequence=consequence,
        fix='wait until then, or say why it cannot wait: --during-freeze "REASON"',
    )
