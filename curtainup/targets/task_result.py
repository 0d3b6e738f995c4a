"""What came of a task."""

from __future__ import annotations

from dataclasses import dataclass

from curtainup.util.process import Ended


@dataclass(frozen=True)
class Ran:
    """How a task ended.

    Attributes:
        code: the exit code of its command; None where there is none, as it was never begun or was stopped.
        ended: whether it ended by itself.
        place: where it ran, in words.
        why: what the target knows of its end, beyond the exit code; empty when that is nothing.
        fix: what mends that; empty when the output says so best.

    """

    code: int | None
    ended: Ended
    place: str
    why: str = ""
    fix: str = ""

    @property
    def passed(self) -> bool:
        """Whether it did what it was to do."""
        return self.ended is Ended.BY_ITSELF and self.code == 0
