"""Runs a service's tests with the service's own pytest, and judges the result."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import PurePath

from curtainup.errors import SetupError
from curtainup.gates import left_out
from curtainup.gates.arguments import gate_arguments, unit_test_arguments
from curtainup.gates.fork_server import REPORT, Order
from curtainup.gates.forks import Forks
from curtainup.gates.interpreter import THREE_WAYS
from curtainup.gates.junit import Report, read_report, redact_report
from curtainup.gates.lending import command
from curtainup.gates.log import JUNIT, LOG, OnLine, log_of
from curtainup.gates.models import (
    GateRequest,
    GateResult,
    ImageInterpreter,
    LocalInterpreter,
    UnitTestRequest,
)
from curtainup.gates.variables import ACCEPTANCE, local_variables
from curtainup.gates.verdict import NO_TESTS, missing_module, reason
from curtainup.setup.paths import program_dir
from curtainup.util import process
from curtainup.util.child import Lost
from curtainup.util.line_log import LineLog
from curtainup.util.process import Cancel, Ended, Finished
from curtainup.util.redaction import redactor

OTHER_PYTHON = (
    "if another Python of the image has them, put its folder first on PATH in the Dockerfile, such as "
    "`ENV PATH=/opt/venv/bin:$PATH`"
)
Arguments = Callable[[PurePath, str], Sequence[str]]


def run_gate(
    request: GateRequest,
    *,
    on_line: OnLine | None = None,
    cancel: Cancel | None = None,
    forks: Forks | None = None,
) -> GateResult:
    """Run `testaccept/`, if there is one, and the smoke suite against one URL.

    Args:
        request: the gate to run.
        on_line: receives each line that pytest prints, redacted, in the calling thread.
        cancel: stops the tests when set, from any thread; `stopped` is then true in the result.
        forks: forks a pytest if it can; None starts one.

    Raises:
        SetupError: the interpreter, or its pytest or requests package, is missing.

    """
    return _run(request, on_line, cancel, forks)


def run_unit_tests(
    request: UnitTestRequest,
    *,
    on_line: OnLine | None = None,
    cancel: Cancel | None = None,
    forks: Forks | None = None,
) -> GateResult:
    """Run the unit tests. A service without tests passes; the `reason` then says that it has none.

    Args and errors are those of `run_gate`.
    """
    if not request.tests:
        return GateResult(True, 0, (), 0, 0.0, None, request.folder / LOG, "the service has no unit tests")
    return _run(request, on_line, cancel, forks)


def _judge(request: UnitTestRequest, finished: Finished, log: LineLog, seconds: float) -> GateResult:
    """Store the report of a pytest run, and judge the result.

    Raises:
        SetupError: the interpreter lacks pytest or requests.

    """
    report = _keep_report(request, finished.report)
    _refuse_missing_modules(request, report, log.said)
    result = _result(request, finished, report, log.end, seconds)
    if not isinstance(request, GateRequest) or not result.passed or report is None:
        return result
    if result.skipped == result.tests:
        return replace(result, passed=False, reason="no test ran: all were skipped or left out")
    lost = None if request.extra_args else left_out.why(request.service_dir, report)
    return result if lost is None else replace(result, passed=False, reason=lost)


def _run(
    request: UnitTestRequest, on_line: OnLine | None, cancel: Cancel | None, forks: Forks | None
) -> GateResult:
    started = time.monotonic()
    request.folder.mkdir(parents=True, exist_ok=True)
    with log_of(request, on_line) as log:
        finished = _execute(request, log.add, cancel or threading.Event(), forks)
    return _judge(request, finished, log, time.monotonic() - started)


def _execute(request: UnitTestRequest, on_line: OnLine, cancel: Cancel, forks: Forks | None) -> Finished:
    match request.interpreter:
        case LocalInterpreter() as here:
            finished = _forked(request, here, on_line, cancel, forks) if forks else None
            return finished or _started(request, here, on_line, cancel)
        case ImageInterpreter(image):
            if image is None:
                raise ValueError("the service's image is not known yet")
            from curtainup.gates import in_image

            return in_image.run(request, image, _arguments(request), on_line=on_line, cancel=cancel)


def _forked(
    request: UnitTestRequest, interpreter: LocalInterpreter, on_line: OnLine, cancel: Cancel, forks: Forks
) -> Finished | None:
    """Fork a pytest; return None if there is nothing to fork it from, or if it was lost."""
    order = Order(
        _arguments(request)(program_dir() / ACCEPTANCE, REPORT),
        request.service_dir,
        local_variables(request, os.environ, interpreter.python),
        isinstance(request, GateRequest),
    )
    running = forks.fork(interpreter, order)
    if running is None:
        return None
    try:
        return running.follow(on_line=on_line, timeout=request.timeout, cancel=cancel)
    except Lost as lost:
        if lost.has_begun:
            on_line("curtainup: what ran these tests was killed, so pytest starts again")
        forks.give_up(interpreter)
        return None


def _started(
    request: UnitTestRequest, interpreter: LocalInterpreter, on_line: OnLine, cancel: Cancel
) -> Finished:
    acceptance = program_dir() / ACCEPTANCE
    pytest = command(str(interpreter.python), interpreter.lent)
    try:
        running = process.start(
            lambda report: [*pytest, *_arguments(request)(acceptance, report)],
            cwd=request.service_dir,
            env=local_variables(request, os.environ, interpreter.python),
        )
    except OSError as error:
        raise SetupError(
            "the Python for the service's tests does not start",
            where=str(interpreter.python),
            consequence="nothing was tested, so nothing was deployed",
            fix=THREE_WAYS,
            detail=str(error),
        ) from error
    return running.follow(on_line=on_line, timeout=request.timeout, cancel=cancel)


def _arguments(request: UnitTestRequest) -> Arguments:
    if isinstance(request, GateRequest):
        return lambda acceptance, report: gate_arguments(request, acceptance, report)
    return lambda _, report: unit_test_arguments(request, report)


def _keep_report(request: UnitTestRequest, xml: bytes) -> Report | None:
    """Write the redacted JUnit file and read it; return None if pytest wrote none or an incomplete one."""
    try:
        redact = redactor(request.redact)
        (request.folder / JUNIT).write_bytes(redact_report(xml, redact))
        return read_report(xml, redact)
    except ValueError:
        return None


def _refuse_missing_modules(request: UnitTestRequest, report: Report | None, said: Iterable[str]) -> None:
    module = missing_module(report, said)
    if module is None:
        return
    match request.interpreter:
        case LocalInterpreter(python):
            where, fix = str(python), f"{python} -m pip install pytest requests"
        case ImageInterpreter(image):
            where = f"image {image}: python3, the first on PATH there"
            fix = f"{OTHER_PYTHON}; or {THREE_WAYS}"

    raise SetupError(
        f"the Python for the service's tests has no {module}",
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
