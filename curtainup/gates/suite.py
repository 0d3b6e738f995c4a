"""Running a service's tests with its own pytest, and judging what came of it."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from types import TracebackType
from typing import Self

from curtainup.errors import SetupError
from curtainup.gates import process
from curtainup.gates.arguments import UNIT_TESTS, gate_arguments, has_tests, unit_test_arguments
from curtainup.gates.interpreter import THREE_WAYS
from curtainup.gates.junit import Report, read_report, redact_report
from curtainup.gates.models import (
    GateRequest,
    GateResult,
    ImageInterpreter,
    LocalInterpreter,
    UnitTestRequest,
)
from curtainup.gates.process import Ended, Finished
from curtainup.gates.redact import redactor
from curtainup.gates.variables import ACCEPTANCE, local_variables
from curtainup.gates.verdict import NO_TESTS, missing_module, reason
from curtainup.workspace import program_dir

OnLine = Callable[[str], None]
Arguments = Callable[[PurePath, str], Sequence[str]]
JUNIT = "junit.xml"
LOG = "pytest.log"
LOG_END = 20  # lines kept to explain what no failed test explains
_REPORT_PATH = re.compile(r"(generated xml file: )\S+")


def run_gate(
    request: GateRequest, *, on_line: OnLine | None = None, cancel: threading.Event | None = None
) -> GateResult:
    """Run `testaccept/`, if there is one, and the smoke suite against one URL.

    Args:
        request: what to test.
        on_line: takes each line that pytest prints, redacted, in the calling thread.
        cancel: stops the tests when set, from any thread; the result then says `stopped`.

    Raises:
        SetupError: the interpreter is missing, or has no pytest or no requests.

    """
    result = _run(
        request, lambda acceptance, report: gate_arguments(request, acceptance, report), on_line, cancel
    )
    if result.passed and result.skipped == result.tests:
        return replace(result, passed=False, reason="no test was run: all were skipped or left out")
    return result


def run_unit_tests(
    request: UnitTestRequest, *, on_line: OnLine | None = None, cancel: threading.Event | None = None
) -> GateResult:
    """Run `test/`. A service without tests passes, with a `reason` that says so.

    Args and errors are those of `run_gate`.
    """
    if not has_tests(request, UNIT_TESTS):
        return GateResult(True, 0, (), 0, 0.0, None, request.folder / LOG, "the service has no test/ folder")
    return _run(request, lambda _, report: unit_test_arguments(request, report), on_line, cancel)


def _run(
    request: UnitTestRequest, arguments: Arguments, on_line: OnLine | None, cancel: threading.Event | None
) -> GateResult:
    started = time.monotonic()
    request.folder.mkdir(parents=True, exist_ok=True)
    with _Log(request, on_line) as log:
        finished = _execute(request, arguments, log.add, cancel or threading.Event())
    seconds = time.monotonic() - started
    report = _keep_report(request, finished.report)
    _refuse_missing_modules(request, report, log.end)
    return _result(request, finished, report, log.end, seconds)


def _execute(
    request: UnitTestRequest, arguments: Arguments, on_line: OnLine, cancel: threading.Event
) -> Finished:
    match request.interpreter:
        case LocalInterpreter(python):
            return _execute_here(request, python, arguments, on_line, cancel)
        case ImageInterpreter(image):
            if image is None:
                raise ValueError("the service's image is not known yet")
            from curtainup.gates import in_image

            return in_image.run(request, image, arguments, on_line=on_line, cancel=cancel)


def _execute_here(
    request: UnitTestRequest, python: Path, arguments: Arguments, on_line: OnLine, cancel: threading.Event
) -> Finished:
    acceptance = program_dir() / ACCEPTANCE
    try:
        return process.run(
            lambda report: [str(python), "-m", "pytest", *arguments(acceptance, report)],
            cwd=request.service_dir,
            env=local_variables(request, os.environ, python),
            on_line=on_line,
            timeout=request.timeout,
            cancel=cancel,
        )
    except OSError as error:
        raise SetupError(
            "the Python that should run the service's tests cannot be started",
            where=str(python),
            consequence="nothing was tested, so nothing was deployed",
            fix=THREE_WAYS,
            detail=str(error),
        ) from error


class _Log:
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


def _keep_report(request: UnitTestRequest, xml: bytes) -> Report | None:
    """Write the redacted JUnit file and read it; None if pytest wrote none, or no whole one."""
    try:
        redacted = redact_report(xml, redactor(request.redact))
    except ValueError:
        return None
    (request.folder / JUNIT).write_bytes(redacted)
    return read_report(redacted)


def _refuse_missing_modules(request: UnitTestRequest, report: Report | None, log_end: Sequence[str]) -> None:
    module = missing_module(report, log_end)
    if module is None:
        return
    match request.interpreter:
        case LocalInterpreter(python):
            where, fix = str(python), f"{python} -m pip install pytest requests"
        case ImageInterpreter(image):
            where, fix = f"image {image}", THREE_WAYS
    raise SetupError(
        f"the Python that should run the service's tests has no {module}",
        where=where,
        consequence="nothing was tested, so nothing was deployed",
        fix=fix,
    )


def _result(
    request: UnitTestRequest,
    finished: Finished,
    report: Report | None,
    log_end: Sequence[str],
    seconds: float,
) -> GateResult:
    why = reason(finished, report, log_end, request.timeout)
    nothing = finished.returncode == NO_TESTS and finished.ended is Ended.BY_ITSELF
    report_or_empty = report or Report(0, 0, ())
    return GateResult(
        passed=why is None or (nothing and not isinstance(request, GateRequest)),
        tests=report_or_empty.tests,
        failed=report_or_empty.failed,
        skipped=report_or_empty.skipped,
        seconds=seconds,
        junit=request.folder / JUNIT if report is not None else None,
        log=request.folder / LOG,
        reason=why,
        detail=None if why is None or report_or_empty.failed else "\n".join(log_end),
        stopped=finished.ended is Ended.STOPPED,
    )
