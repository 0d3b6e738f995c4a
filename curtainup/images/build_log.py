"""The output of a build, which Docker's plugin writes to a file as it comes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from curtainup.util.line_log import LineLog
from curtainup.util.process import LONGEST_LINE, Lines

LAST = 30
"""Lines that explain a build that failed."""


class BuildLog:
    """The log of one build.

    Attributes:
        end: its last lines, without secrets, once the build has ended.

    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.end = ""

    def prepare(self) -> None:
        """Create an empty file that only its owner can read, in the place of an earlier build's."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.unlink(missing_ok=True)
        os.close(os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    def redact(self, redact: Callable[[str], str]) -> None:
        """Take the secrets out of the file, and remember its end."""
        written = self._file.with_suffix(".raw")
        with suppress(FileNotFoundError):
            self._file.replace(written)
            try:
                self.end = self._copied(written, redact)
            finally:
                written.unlink(missing_ok=True)

    def _copied(self, written: Path, redact: Callable[[str], str]) -> str:
        end: deque[str] = deque(maxlen=LAST)
        self.prepare()
        with LineLog(self._file, redact, end.append) as log, written.open("rb") as stream:
            lines = Lines(log.add)
            while chunk := stream.read(1 << 16):
                lines.feed(chunk)
            lines.close()
        return "\n".join(end)


def last_line(file: Path) -> str:
    """Return the last line that a build has written so far, with its secrets; empty if there is none."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - LONGEST_LINE))
            end = stream.read(LONGEST_LINE).decode(errors="replace")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(end.splitlines()) if line.strip()), "")
