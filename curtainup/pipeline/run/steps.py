"""One step of a run: shown while it works, recorded when it ends, and never started after Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

from curtainup.errors import CurtainupError, Interrupted
from curtainup.model.run import Outcome
from curtainup.pipeline.run.record import Recorder
from curtainup.reporting import Report

Result = TypeVar("Result")


@dataclass
class Progress:
    """What a step may say of itself while it works.

    Attributes:
        report: where it is shown.
        name: of the step.
        note: what is shown of it when it has ended.

    """

    report: Report
    name: str
    note: str = ""

    def say(self, text: str) -> None:
        """Show what the step is doing now."""
        self.report.step_progress(self.name, text)


@dataclass(frozen=True)
class Stopped:
    """What is said of a run that was interrupted.

    Attributes:
        consequence: for staging and live.
        fix: what to do next.

    """

    consequence: str
    fix: str


UNDONE = Stopped(
    "what was in flight has been undone; what staging has proven stays there",
    "run the same command again; what was already built and proven is not done twice",
)


@dataclass(frozen=True)
class Steps:
    """Runs the steps of one run.

    Attributes:
        report: is told of each.
        recorder: of the run.
        cancelled: set when it is to stop.
        stopped: what is said then.

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
            name: for the record.
            title: for people.
            work: what it does; takes a `Progress`.
            undoing: whether it undoes another step, and so runs after Ctrl-C as well.

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
            result = work(progress)
        except BaseException as error:
            interrupted = isinstance(error, Interrupted) or (self.cancelled.is_set() and not undoing)
            detail = error.what if isinstance(error, CurtainupError) else type(error).__name__
            self._ended(name, "cancelled" if interrupted else "failed", started, detail)
            if interrupted and isinstance(error, CurtainupError) and not isinstance(error, Interrupted):
                raise self._interrupted(title) from error
            raise
        self._ended(name, "passed", started, progress.note)
        return result

    def skip(self, name: str, title: str, why: str) -> None:
        """Note a step that does not have to run."""
        self.report.step_started(name, title)
        self.recorder.step_started(name)
        self._ended(name, "skipped", time.monotonic(), why)

    def _ended(self, name: str, outcome: Outcome, started: float, detail: str) -> None:
        self.recorder.step_finished(name, outcome, detail)
        self.report.step_finished(name, outcome, time.monotonic() - started, detail)

    def _interrupted(self, where: str) -> Interrupted:
        said = self.stopped
        return Interrupted("interrupted", where=where, consequence=said.consequence, fix=said.fix)
