"""Asking an API server again that is away for a moment: while it restarts, or while the network is gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from curtainup.errors import SetupError
from curtainup.platforms.kubernetes.cluster import Refused, may_pass

Result = TypeVar("Result")
PAUSE = 1.0
"""Seconds between two calls."""


def patiently(call: Callable[[], Result], seconds: float, cancel: Event | None = None) -> Result:
    """Return what a call returns; one that fails while the API server is away is made again.

    Args:
        call: what is asked; it may be made twice.
        seconds: for which the API server may be away.
        cancel: ends the waiting when set.

    Raises:
        Refused, SetupError: what the last call raised: another one does not help, or the time is over.

    """
    deadline, waiting = time.monotonic() + seconds, cancel or Event()
    while True:
        try:
            return call()
        except (Refused, SetupError) as error:
            if not may_pass(error) or time.monotonic() > deadline or waiting.wait(PAUSE):
                raise
