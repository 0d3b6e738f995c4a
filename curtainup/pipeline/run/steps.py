"""The steps of a run: each is shown while it works and recorded when it ends; none starts after Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TypeVar

from curtainup.errors import CurtainupError, Interrupted
from curtainup.model.run import Outcome
from curtainup.pipeline.run.record import Recorder
from curtainup.reporting import Report
from curtainup.reporting.concealing import conceal
from curtainup.util import full_disk

Result = TypeVar("Result")

SILENCE = 10.0
"""Seconds without a word after which a step says where it is."""


@dataclass
class Progress:
    """Shows the progress of a step.

    Attributes:
        report: where the progress is shown.
        name: the step's name.
        note: the text to show when the step has ended.
        where: tells where a step is that says nothing by itself.

    """

    report: Report
    name: str
    note: str = ""
    where: Callable[[], str] = str
    _said: float = field(default_factory=time.monotonic, repr=False)

    def say(self, text: str) -> None:
        """Show what the step is doing now."""
        self._said = time.monotonic()
        self.report.step_progress(self.name, text)

    def is_silent(self, seconds: float) -> bool:
        """Return whether nothing was said for that long."""
        return time.monotonic() - self._said >= seconds


@dataclass(frozen=True)
class Stopped:
    """The text for a run that was interrupted.

    Attributes:
        consequence: the consequence for staging and live.
        fix: what you can do next.

    """

    consequence: str
    fix: str


UNDONE = Stopped(
    "curtainup has undone what was in flight; what staging has proven stays there",
    "run the same command again; it does not repeat what is already built and proven",
)


@dataclass(frozen=True)
class Steps:
    """Runs the steps of one run.

    Attributes:
        report: shows each step.
        recorder: records each step.
        cancelled: is set when the run has to stop.
        stopped: the text for that case.

    """

    report: Report
    recorder: Recorder
    cancelled: Event
    stopped: Stopped = UNDONE

    def run(
        self, name: str, title: str, work: Callable[[Progress], Result], *, undoing: bool = False
    ) -> Result:
        """Run one step to its end.

        Args:
            name: the step's name in the record.
            title: the step's title for people.
            work: the work of the step; takes a `Progress`.
            undoing: whether the step undoes another one, and so runs after Ctrl-C too.

        Raises:
            Interrupted: the run was cancelled before the step began.
            CurtainupError: the step failed.

        """
        if self.cancelled.is_set() and not undoing:
            raise self._interrupted(f"before: {title}")
        progress = Progress(self.report, name)
        started = time.monotonic()
        self.report.step_started(name, title)
        self.recorder.step_started(name)
        try:
            with _beating(progress, started), full_disk.told():
                result = work(progress)
        except BaseException as error:
            interrupted = isinstance(error, Interrupted) or (self.cancelled.is_set() and not undoing)
            if isinstance(error, CurtainupError):
                conceal(error, self.recorder.redact)
            detail = error.what if isinstance(error, CurtainupError) else type(error).__name__
            self._ended(name, "cancelled" if interrupted else "failed", started, detail)
            if interrupted and isinstance(error, CurtainupError) and not isinstance(error, Interrupted):
                raise self._interrupted(title) from error
            raise
        self._ended(name, "passed", started, progress.note)
        return result

    def skip(self, name: str, title: str, why: str) -> None:
        """Record a step that does not have to run."""
        self.report.step_started(name, title)
        self.recorder.step_started(name)
        self._ended(name, "skipped", time.monotonic(), why)

    def _ended(self, name: str, outcome: Outcome, started: float, detail: str) -> None:
        self.recorder.step_finished(name, outcome, detail)
        self.report.step_finished(name, outcome, time.monotonic() - started, detail)

    def _interrupted(self, where: str) -> Interrupted:
        said = self.stopped
        return Interrupted("interrupted", where=where, consequence=said.consequence, fix=said.fix)


@contextmanager
def _beating(progress: Progress, started: float) -> Iterator[None]:
    """Say where a step is whenever it has said nothing for a while, until it ends."""
    ended = Event()

    def beat() -> None:
        while not ended.wait(SILENCE / 4):
            if progress.is_silent(SILENCE):
                at = progress.where()
                progress.say(f"{time.monotonic() - started:.0f} s so far" + (f": {at}" if at else ""))

    thread = Thread(target=beat, name=f"{progress.name} is at work", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
