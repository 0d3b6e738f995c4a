"""The time in a rehearsed cloud.

A minute of the cloud can be shorter than ours. So what takes minutes in the real cloud takes seconds in a
rehearsal. What takes seconds takes as long as there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

MINUTE = 60.0


@dataclass(frozen=True)
class Clock:
    """The clock of a cloud.

    Attributes:
        now: gives the time, in seconds since 1970.
        minute: how many seconds a minute of the cloud takes.

    """

    now: Callable[[], float] = time.time
    minute: float = MINUTE

    def seconds(self, minutes: float) -> float:
        """Return how many seconds some minutes of the cloud take."""
        return minutes * self.minute

    def after(self, minutes: float) -> float:
        """Return when some minutes of the cloud are over, in seconds since 1970."""
        return self.now() + self.seconds(minutes)


SHORT = Clock(minute=1.0)
"""The clock of whoever rehearses: a minute takes a second."""
