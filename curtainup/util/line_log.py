"""A log that writes a program's output to a file and passes it on, without secrets."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

LAST = 20
"""How many lines the log keeps to explain a failure."""
MOST = 64 << 20
"""Characters of the file; a program may write without end."""


class LineLog:
    """Writes each line to a file and passes it on.

    Attributes:
        end: the last lines, without secrets.
        said: the same lines as they were written; only for decisions, never to be shown.

    """

    def __init__(
        self, file: Path, redact: Callable[[str], str], on_progress: Callable[[str], None] | None = None
    ) -> None:
        """Create the file, or replace an existing one.

        Args:
            file: the path of the log; its folder exists.
            redact: takes the secrets out of a text.
            on_progress: receives each line, without secrets.

        """
        self.end: deque[str] = deque(maxlen=LAST)
        self.said: deque[str] = deque(maxlen=LAST)
        self._redact = redact
        self._told = on_progress
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", errors="replace")
        self._room = MOST

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, line: str) -> None:
        """Add one line."""
        self.said.append(line)
        line = self._redact(line)
        self._write(line)
        self.end.append(line)
        if self._told is not None:
            self._told(line)

    def _write(self, line: str) -> None:
        if self._room < 0:
            return
        self._room -= len(line) + 1
        self._file.write(line + "\n" if self._room >= 0 else "… (the rest is left out)\n")
        self._file.flush()
