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

    """

    said: re.Pattern[str]
    what: str
    fix: str
    unhealthy: bool = False

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


def refusal(said: str, what: str, fix: str, *, unhealthy: bool = False) -> Refusal:
    """Return a refusal, by a regular expression for what the target says."""
    return Refusal(re.compile(said), what, fix, unhealthy)


def meaning(error: CurtainupError, where: str, refusals: Sequence[Refusal]) -> CurtainupError:
    """Return the error that says what a refusal means; the same error if it is none of these.

    Args:
        error: of an update.
        where: the place of the error, in words.
        refusals: those that are known; the first that fits counts.

    """
    text = (error.detail or error.what).strip()
    found = next((one for one in refusals if one.said.search(text)), None)
    return found.error(text, where) if found else error
