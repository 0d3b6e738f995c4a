"""Live progress in a terminal: a spinner for each running step, and a line for each finished step."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from curtainup.errors import CurtainupError
from curtainup.model.run import Outcome
from curtainup.reporting.text import VERBS, clean, duration, one_line, render_error

MARKS: dict[Outcome, tuple[str, str]] = {
    "passed": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "skipped": ("-", "dim"),
    "cancelled": ("✗", "yellow"),
}
"""The mark of a finished step, and its style."""
FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
"""The frames of the spinner, ten a second."""


@dataclass
class _Running:
    """A running step, and a text that says what it is doing."""

    title: str
    started: float = field(default_factory=time.monotonic)
    text: str = ""


class TerminalReport:
    """A `Report` for a terminal. It draws spinners only while a step is running."""

    def __init__(self, stream: TextIO, *, environ: Mapping[str, str]) -> None:
        self._console = Console(
            file=stream,
            force_terminal=True,
            no_color=bool(environ.get("NO_COLOR")) or None,
            highlight=False,
            markup=False,
            emoji=False,
            _environ=environ,
        )
        self._running: dict[str, _Running] = {}
        self._live: Live | None = None
        self._lock = threading.RLock()  # a signal's handler may warn while its thread is drawing

    def step_started(self, name: str, title: str) -> None:
        """Show a spinner."""
        with self._lock:
            self._running[name] = _Running(one_line(title))
            if self._live is None:
                self._live = Live(
                    get_renderable=self._picture,
                    console=self._console,
                    transient=True,
                    redirect_stdout=False,
                    redirect_stderr=False,
                    refresh_per_second=10,
                )
                self._live.start()

    def step_progress(self, name: str, text: str) -> None:
        """Show the text beside the spinner; ignore empty lines."""
        with self._lock:
            line = one_line(text)
            if line and name in self._running:
                self._running[name].text = line

    def step_finished(self, name: str, outcome: Outcome, seconds: float, note: str) -> None:
        """Turn the spinner into a line that stays."""
        with self._lock:
            ended = self._running.pop(name, None)
            if not self._running:
                self._stop()
            mark, style = MARKS[outcome]
            line = Text.assemble((mark, style), f" {ended.title if ended else name}")
            if outcome in ("failed", "cancelled"):
                line.append(f" {VERBS[outcome]}", style)
            line.append(f"  {VERBS[outcome] if outcome == 'skipped' else duration(seconds)}", "dim")
            line.append(f"  {one_line(note)}" if note else "", "dim")
            self._print(line)

    def info(self, text: str) -> None:
        """Show a line."""
        self._print(Text(clean(text)))

    def warn(self, text: str) -> None:
        """Show a line that stands out."""
        self._print(Text.assemble(("warning: ", "bold yellow"), clean(text)))

    def error(self, error: CurtainupError) -> None:
        """Show the error in full."""
        text = Text(render_error(error))
        text.stylize("bold red", 0, len("error:"))
        self._print(text)

    def _print(self, text: Text) -> None:
        with self._lock:
            if self._live is not None:
                self._live.refresh()  # otherwise the print would show finished steps as running again
            self._console.print(text, soft_wrap=True)

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _picture(self) -> Group:
        """Return one line for each running step, none wider than the terminal."""
        now = time.monotonic()
        frame = FRAMES[int(now * 10) % len(FRAMES)]
        return Group(*(_line(frame, step, now) for step in list(self._running.values())))


def _line(frame: str, step: _Running, now: float) -> Text:
    line = Text.assemble((frame, "cyan"), f" {step.title}", (f"  {duration(now - step.started)}", "dim"))
    line.append(f"  {step.text}" if step.text else "", "dim")
    line.no_wrap, line.overflow = True, "ellipsis"
    return line
