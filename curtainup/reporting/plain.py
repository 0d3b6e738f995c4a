"""Plain progress for CI and pipes: one line for each event, with the time since the start."""

from __future__ import annotations

import threading
import time
from typing import TextIO

from curtainup.errors import CurtainupError
from curtainup.model.run import Outcome
from curtainup.reporting.text import VERBS, clean, duration, one_line, render_error


class PlainReport:
    """A `Report` of plain lines; if `quiet`, it shows only warnings and errors.

    [  0.1s] build: build the image
    [  3.4s] build: done in 3.3 s, 260612-1015-12-3f9c2ab
    """

    def __init__(self, stream: TextIO, *, quiet: bool = False) -> None:
        self._stream = stream
        self._quiet = quiet
        self._started = time.monotonic()
        self._lock = threading.RLock()  # a signal's handler may warn while its thread is writing
        self._said: dict[str, str] = {}

    def step_started(self, name: str, title: str) -> None:
        """Write a line with the step's title."""
        self._event(f"{name}: {one_line(title)}")

    def step_progress(self, name: str, text: str) -> None:
        """Write a line, unless it repeats the step's last line."""
        line = one_line(text)
        if line and self._said.get(name) != line:
            self._said[name] = line
            self._event(f"{name}: ... {line}")

    def step_finished(self, name: str, outcome: Outcome, seconds: float, note: str) -> None:
        """Write a line with the outcome and the time it took."""
        took = VERBS[outcome] if outcome == "skipped" else f"{VERBS[outcome]} in {duration(seconds)}"
        self._event(f"{name}: {took}" + (f", {one_line(note)}" if note else ""))

    def info(self, text: str) -> None:
        """Write it."""
        self._event(clean(text))

    def warn(self, text: str) -> None:
        """Write the warning, even if quiet."""
        self._write(f"warning: {clean(text)}")

    def error(self, error: CurtainupError) -> None:
        """Write the error in full, even if quiet."""
        self._write(render_error(error))

    def _event(self, text: str) -> None:
        if not self._quiet:
            self._write(f"[{time.monotonic() - self._started:5.1f}s] {text}")

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        line = (text + "\n").encode(encoding, "backslashreplace").decode(encoding)
        with self._lock:
            self._stream.write(line)
            self._stream.flush()
