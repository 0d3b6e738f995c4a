"""How a command reports its progress, and how it stops."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event

from curtainup.engine.processes import Processes
from curtainup.reporting import Report


@dataclass(frozen=True)
class Run:
    """How a command reports its progress, and how it stops.

    Attributes:
        report: receives the progress.
        cancelled: set when the run must stop.
        processes: the running engine processes.
        id: of the run, on whatever it makes beside Pulumi.
        at_end: ends what lives as long as the run does.

    """

    report: Report
    cancelled: Event = field(default_factory=Event)
    processes: Processes = field(default_factory=Processes)
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    at_end: ExitStack = field(default_factory=ExitStack)
