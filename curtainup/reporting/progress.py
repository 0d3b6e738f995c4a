"""The interface through which a run reports its progress."""

from __future__ import annotations

from typing import Protocol

from curtainup.errors import CurtainupError
from curtainup.model.run import Outcome


class Report(Protocol):
    """Receives the events of a run, from any thread; several steps may run at once."""

    def step_started(self, name: str, title: str) -> None:
        """Report that a step has started; `title` says what it does."""

    def step_progress(self, name: str, text: str) -> None:
        """Report in one line what a step is doing now."""

    def step_finished(self, name: str, outcome: Outcome, seconds: float, note: str) -> None:
        """Report how a step ended, and after how many seconds; `note` adds useful details, or is empty."""

    def info(self, text: str) -> None:
        """Report something that belongs to no step."""

    def warn(self, text: str) -> None:
        """Report a problem that does not end the run."""

    def error(self, error: CurtainupError) -> None:
        """Report the error that ended the run."""
