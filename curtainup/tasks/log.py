"""What a task prints: kept in the run's folder and passed on, without the secrets."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

LOG_END = 20
"""Lines kept for the message, should the task fail."""


class Log:
    """Writes each line that a task prints to a file and passes it on, and keeps its end."""

    def __init__(self, file: Path, redact: Callable[[str], str], told: Callable[[str], None]) -> None:
        """Begin the file, in place of one that is there.

        Args:
            file: of the log; its folder is made.
            redact: takes the secrets out of a text.
            told: gets each line, without secrets.

        """
        file.parent.mkdir(parents=True, exist_ok=True)
        self._redact = redact
        self._told = told
        self._end: deque[str] = deque(maxlen=LOG_END)
        self._file = file.open("w", encoding="utf-8", errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, line: str) -> None:
        """Take one line."""
        line = self._redact(line)
        self._file.write(line + "\n")
        self._file.flush()
        self._end.append(line)
        self._told(line)

    @property
    def end(self) -> str:
        """Its last lines."""
        return "\n".join(self._end) or "(it printed nothing)"
