"""Waiting until what leads users to an environment does: a Gateway that was just made takes its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event

from curtainup.environments.view import EnvironmentView
from curtainup.targets import capabilities

STEADY = 3
"""How many answers in a row must be good: not all that leads there begins at the same moment."""
PAUSE = 0.3
"""Seconds between two looks."""


def wait(view: EnvironmentView, say: Callable[[str], None], cancelled: Event) -> None:
    """Wait until users get answers of the release that serves, or the target's time for that is over.

    Whoever judges the release then sees what users would.

    Args:
        view: the environment, whose release is well by itself.
        say: told what is waited for.
        cancelled: ends the wait.

    """
    if not isinstance(view.target, capabilities.OpensLate) or view.deployment.serving() is None:
        return
    deadline, good, told = time.monotonic() + view.target.opening(), 0, None
    while good < STEADY and time.monotonic() < deadline and not cancelled.is_set():
        trouble = view.look().trouble
        good = 0 if trouble else good + 1
        if trouble and trouble != told:
            say(f"waiting until requests are led there: {trouble}")
            told = trouble
        if good < STEADY:
            cancelled.wait(PAUSE)
