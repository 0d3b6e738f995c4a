"""What pytest prints: written to the gate's folder and passed on, without the secrets."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from curtainup.gates.models import UnitTestRequest
from curtainup.gates.redact import redactor

OnLine = Callable[[str], None]
JUNIT = "junit.xml"
LOG = "pytest.log"
LOG_END = 20  # lines kept to explain what no failed test explains
_REPORT_PATH = re.compile(r"(generated xml file: )\S+")


class Log:
    """Writes what pytest prints to a file and passes it on, without the secrets, and keeps its end."""

    def __init__(self, request: UnitTestRequest, on_line: OnLine | None) -> None:
        self.end: deque[str] = deque(maxlen=LOG_END)
        self._redact = redactor(request.redact)
        self._junit = request.folder / JUNIT
        self._on_line = on_line
        self._file = (request.folder / LOG).open("w", encoding="utf-8", errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, line: str) -> None:
        """Take one line; the report's way to us is ours to know, so the line names the file it becomes."""
        line = self._redact(_REPORT_PATH.sub(lambda match: f"{match[1]}{self._junit}", line))
        self._file.write(line + "\n")
        self._file.flush()
        self.end.append(line)
        if self._on_line is not None:
            self._on_line(line)
