"""Keeps pytest's output in the gate's folder."""

from __future__ import annotations

import re
from collections.abc import Callable

from curtainup.gates.models import UnitTestRequest
from curtainup.util.line_log import LineLog
from curtainup.util.redaction import redactor

OnLine = Callable[[str], None]
JUNIT = "junit.xml"
LOG = "pytest.log"
_REPORT_PATH = re.compile(r"(generated xml file: )\S+")


def log_of(request: UnitTestRequest, on_line: OnLine | None) -> LineLog:
    """Begin the log of a test run.

    pytest writes its report to a pipe and prints the path of that pipe. The log names the final file instead.
    """
    redact, junit = redactor(request.redact), request.folder / JUNIT
    return LineLog(
        request.folder / LOG,
        lambda line: redact(_REPORT_PATH.sub(lambda match: f"{match[1]}{junit}", line)),
        on_line,
    )
