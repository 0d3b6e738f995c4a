"""What a run tells its reader."""

from __future__ import annotations

from typing import Protocol

from curtainup.errors import CurtainupError
from curtainup.model.run import Outcome


class Report(Protocol):
    """Takes the events of a run, from any thread; several steps may be under way at once."""

    def step_started(self, name: str, title: str) -> None:
        """Say that a step has begun; `title` tells people what it does."""

    def step_progress(self, name: str, text: str) -> None:
        """Say what a step is doing now, in one line."""

    def step_finished(self, name: str, outcome: Outcome, seconds: float, note: str) -> None:
        """Say how a step has ended, after how long; `note` is what is worth knowing, or empty."""

    def info(self, text: str) -> None:
        """Say something that belongs to no step."""

    def warn(self, text: str) -> None:
        """Say something that should be looked at, and does not end the run."""

    def error(self, error: CurtainupError) -> None:
        """Say what ended the run."""
