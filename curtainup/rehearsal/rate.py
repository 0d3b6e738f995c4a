"""A limit of calls by rate: so many in so many seconds, whoever makes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from time import monotonic

CALLS = 3
SECONDS = 2.0
"""With the fault `throttle` so many calls are answered in so many seconds.

The real quotas are the account's in a region. AWS's support told of 2 calls in a second, and 15 at once
(aws/aws-toolkit-azure-devops#62). AWS throttled a call every 10 s with several environments
(hashicorp/terraform-provider-aws#177), every 5 s (einaregilsson/beanstalk-deploy#9) and every 2 s. Google
counts the calls of a minute (https://cloud.google.com/run/quotas).
"""


class Rate:
    """A limit that all threads share."""

    def __init__(
        self, calls: int = CALLS, seconds: float = SECONDS, now: Callable[[], float] = monotonic
    ) -> None:
        self._calls = calls
        self._seconds = seconds
        self._now = now
        self._admitted: deque[float] = deque()
        self._lock = Lock()

    def admits(self) -> bool:
        """Return whether a call is answered now; one that is refused does not count."""
        now = self._now()
        with self._lock:
            while self._admitted and self._admitted[0] <= now - self._seconds:
                self._admitted.popleft()
            if len(self._admitted) >= self._calls:
                return False
            self._admitted.append(now)
        return True
