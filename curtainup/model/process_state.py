"""What a process of a release does right now, as whatever runs it tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

RUNNING: Final = "running"
STARTING: Final = "starting"
"""It has not run yet, and nothing says that it cannot."""
RESTARTING: Final = "restarting"
ENDED: Final = "ended"
GONE: Final = "gone"
UNKNOWN: Final = "unknown"
"""Whatever runs it does not answer."""
OF_CONTAINERS: Final[Mapping[str, str]] = {"running": RUNNING, "created": STARTING, "restarting": RESTARTING}
"""By what Docker says of a container; anything else has ended."""


@dataclass(frozen=True)
class ProcessState:
    """One copy of a process.

    Attributes:
        process: the name of the process.
        number: which of its copies, from 1.
        release: the id of the release that it belongs to.
        state: `running`, `starting`, `restarting`, `ended`, `gone` or `unknown`.
        restarts: how often it was started again.
        seconds: for how long it has run since it was last started; 0 if it does not run.
        place: what runs it, such as `container shop-live.worker.1`.
        why: in words, how it ended last, or why nobody knows; empty if it never did.

    """

    process: str
    number: int
    release: str
    state: str
    restarts: int = 0
    seconds: float = 0.0
    place: str = ""
    why: str = ""
