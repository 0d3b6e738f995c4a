"""What a cloud or a cluster refuses in an update, by its own words, and what that means for a deployment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from curtainup.errors import CurtainupError, EngineFailed, ReleaseUnhealthy


@dataclass(frozen=True)
class Refusal:
    """One refusal.

    Attributes:
        said: what the target says.
        what: what it means.
        fix: what to do.
        unhealthy: whether the release itself is refused, and not the change.
        passes: whether it may pass within minutes, because something that was just made has no effect yet.

    """

    said: re.Pattern[str]
    what: str
    fix: str
    unhealthy: bool = False
    passes: bool = False

    def error(self, text: str, where: str) -> CurtainupError:
        """Return the error; `text` is what the engine and the target have said."""
        if self.unhealthy:
            return ReleaseUnhealthy(
                self.what, where=where, consequence="it gets no traffic", fix=self.fix, detail=text
            )
        return EngineFailed(
            self.what,
            where=where,
            consequence="the update stopped there; the stack has recorded what it did until then",
            fix=self.fix,
            detail=text,
        )


def refusal(said: str, what: str, fix: str, *, unhealthy: bool = False, passes: bool = False) -> Refusal:
    """Return a refusal, by a regular expression for what the target says."""
    return Refusal(re.compile(said), what, fix, unhealthy, passes)


def first(text: str, refusals: Sequence[Refusal]) -> Refusal | None:
    """Return the first refusal that fits what the target says, or None."""
    return next((one for one in refusals if one.said.search(text)), None)


def passes(error: CurtainupError, refusals: Sequence[Refusal]) -> bool:
    """Return whether an update failed by a refusal that may pass within minutes."""
    found = first(error.detail or error.what, refusals)
    return found is not None and found.passes


def meaning(error: CurtainupError, where: str, refusals: Sequence[Refusal]) -> CurtainupError:
    """Return the error that says what a refusal means; the same error if it is none of these.

    Args:
        error: of an update.
        where: the place of the error, in words.
        refusals: those that are known; the first that fits counts.

    """
    text = (error.detail or error.what).strip()
    found = first(text, refusals)
    return found.error(text, where) if found else error
