"""A clock that tests set forward, so that none waits for a limit, nor guesses what happens before it."""

from __future__ import annotations

import time
from collections.abc import Callable

HOUR = 3600.0


class Clock:
    """Stands for the module `time`: an hour passes as soon as something has happened.

    The reading that sees it first is still the old one: a limit that is set then ends later, too.
    """

    sleep = staticmethod(time.sleep)

    def __init__(self, happened: Callable[[], bool]) -> None:
        self._happened = happened
        self._seen = False
        self._later = 0.0

    def monotonic(self) -> float:
        """Seconds."""
        if self._seen:
            self._later = HOUR
        self._seen = self._seen or self._happened()
        return time.monotonic() + self._later
