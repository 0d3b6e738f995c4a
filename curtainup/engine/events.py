"""The engine's events of an operation: its errors, its changes, and how long each resource takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

from curtainup.engine.changes import Change, EngineSteps

if TYPE_CHECKING:
    from pulumi.automation import EngineEvent
    from pulumi.automation.events import StepEventMetadata

WORDS = {
    "create": "creating",
    "update": "updating",
    "delete": "deleting",
    "refresh": "reading",
    "replace": "replacing",
    "create-replacement": "creating",
    "delete-replaced": "deleting",
}
MADE = frozenset({"create", "update", "same"})
"""What an update does with a resource so that it is as declared. A refresh only looks."""
QUIET = 2.0
"""Seconds that a resource may take before curtainup shows it."""
REPEAT = 10.0
"""Seconds after which curtainup repeats a line."""
LOOK = 0.5


OnMade = Callable[[str], None]
"""Takes the type of a resource that an update has made as declared."""


@dataclass
class _Work:
    """The work on a resource: its name in words, its monotonic start, and the provider's last message."""

    words: str
    since: float
    said: str = ""


class Events:
    """Collects from an operation's events what the caller needs."""

    def __init__(self, at_work: Callable[[], None], on_made: OnMade | None = None) -> None:
        """Collect events.

        Args:
            at_work: called with every event.
            on_made: called with the type of each resource once it is as declared; it must not wait.

        """
        self._at_work = at_work
        self._on_made = on_made
        self.errors: list[str] = []
        self.failing: list[str] = []
        self.changes: dict[str, int] = {}
        self._steps = EngineSteps()
        self._under_way: dict[str, _Work] = {}

    def __call__(self, event: EngineEvent) -> None:
        """Handle one event."""
        self._at_work()
        self._diagnose(event)
        before, after = event.resource_pre_event, event.res_outputs_event
        if before is not None:
            self._steps.add(before.metadata)
        if before is not None and before.metadata.provider:  # stacks and components have none
            self._begin(before.metadata.urn, _operation(before.metadata))
        if after is not None:
            self._under_way.pop(after.metadata.urn, None)
            if self._on_made is not None and _operation(after.metadata) in MADE:
                self._on_made(after.metadata.type)
        if event.res_op_failed_event is not None:
            self.failing.append(event.res_op_failed_event.metadata.urn)
        if event.summary_event is not None:
            self.changes = {str(kind): count for kind, count in event.summary_event.resource_changes.items()}

    @property
    def resources(self) -> tuple[Change, ...]:
        """The change of each resource that does not stay the same."""
        return self._steps.changes()

    def slowest(self) -> tuple[str, str, float] | None:
        """Return the work that takes longest: its words, the provider's last message, and its seconds."""
        works = sorted(self._under_way.copy().values(), key=lambda work: work.since)
        for work in works:
            seconds = time.monotonic() - work.since
            if seconds >= QUIET:
                return work.words, work.said, seconds
        return None

    def _begin(self, urn: str, operation: str) -> None:
        if operation in WORDS:
            self._under_way[urn] = _Work(f"{WORDS[operation]} {_name(urn)}", time.monotonic())

    def _diagnose(self, event: EngineEvent) -> None:
        diagnostic = event.diagnostic_event
        if diagnostic is None:
            return
        if diagnostic.severity == "error":
            self.errors.append(diagnostic.message.strip())
        elif diagnostic.severity == "info" and diagnostic.urn in self._under_way:
            self._under_way[diagnostic.urn].said = diagnostic.message.strip()


@contextmanager
def telling(events: Events, on_progress: Callable[[str], None] | None) -> Iterator[None]:
    """Report what an operation waits for while it runs: every change at once, and repeats now and then."""
    if on_progress is None:
        yield
        return
    ended = Event()
    teller = Thread(target=_tell, args=(events, on_progress, ended), name="progress", daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()


def _tell(events: Events, on_progress: Callable[[str], None], ended: Event) -> None:
    last, at = ("", ""), 0.0
    while not ended.wait(LOOK):
        found = events.slowest()
        if found is None:
            continue
        words, said, seconds = found
        if (words, said) != last or time.monotonic() - at >= REPEAT:
            last, at = (words, said), time.monotonic()
            on_progress(f"{words} for {seconds:.0f} s" + (f": {said}" if said else ""))


def _operation(metadata: StepEventMetadata) -> str:
    return str(getattr(metadata.op, "value", metadata.op))


def _name(urn: str) -> str:
    """Return a resource's short type and its name, such as `Service shop-live`."""
    *_, kind, name = urn.split("::")
    return f"{kind.rpartition(':')[2]} {name}"
