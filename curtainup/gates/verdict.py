"""Works out what the end of a pytest run means for a gate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from curtainup.gates.junit import Report
from curtainup.util.process import Ended, Finished

# The values of pytest.ExitCode, a documented part of pytest's interface.
TESTS_FAILED, INTERRUPTED, INTERNAL_ERROR, USAGE_ERROR, NO_TESTS = 1, 2, 3, 4, 5
_ENDINGS = {
    TESTS_FAILED: "pytest failed before it ran a test",
    INTERRUPTED: "pytest was interrupted",
    INTERNAL_ERROR: "pytest had an internal error",
    USAGE_ERROR: "pytest could not start: it rejected its arguments, its settings or a conftest.py",
    NO_TESTS: "pytest collected no test",
}
_STOPPED = re.compile(r"curtainup: stopped in (.+)")
_THRESHOLD = re.compile(r"(FAIL|ERROR|FAILED)\b[: ].+")
_REFUSED = re.compile(r"curtainup: the proxy refused (\w+)$")
_REFUSALS = {
    "request": "the proxy refused a request, which is malformed or has larger headers than `header_limit` "
    "allows (docs/proxy.md)",
    "answer": "the proxy refused an answer, which the release broke off, or which is malformed or has larger "
    "headers than `header_limit` allows (docs/proxy.md)",
}
_MISSING = re.compile(r"No module named '?(pytest|requests)'?$")


def missing_module(report: Report | None, said: Iterable[str]) -> str | None:
    """Return the module that the interpreter lacks, if pytest did not start because of that."""
    found = [match[1] for line in said if (match := _MISSING.search(line))]
    return found[-1] if report is None and found else None


def reason(finished: Finished, report: Report | None, log_end: Sequence[str], timeout: float) -> str | None:
    """Return one line that says why the tests did not pass; None if they passed."""
    if finished.ended is Ended.STOPPED:
        return "the tests were stopped before they ended"
    if finished.ended is Ended.TIMED_OUT:
        return f"the tests took longer than {timeout:g} s and were stopped{_hanging(log_end)}"
    if report is not None and report.failed:
        return f"{len(report.failed)} of {_count(report.tests, 'test')} failed{_refused(log_end)}"
    if finished.returncode == TESTS_FAILED and report is not None and report.tests:
        passed = "the test" if report.tests == 1 else f"all {report.tests} tests"
        return f"{passed} passed, but pytest or a plugin of it ended with exit code 1{_said(log_end)}"
    if finished.returncode:
        return _ENDINGS.get(finished.returncode, f"pytest ended with exit code {finished.returncode}")
    return "pytest reported success, but wrote no report" if report is None else None


def _said(log_end: Sequence[str]) -> str:
    """Return what a plugin says of a threshold that was not met, as pytest-cov does."""
    found = [line.strip() for line in log_end if _THRESHOLD.match(line)]
    return f": {found[-1]}" if found else ""


def _refused(log_end: Sequence[str]) -> str:
    """Return what the proxy refused, if anything; curtainup's plugin prints it at the end."""
    found = dict.fromkeys(match[1] for line in log_end if (match := _REFUSED.match(line)))
    return "".join(f"; {_REFUSALS[kind]}" for kind in found if kind in _REFUSALS)


def _hanging(log_end: Sequence[str]) -> str:
    """Return which test was running when pytest stopped; curtainup's plugin prints it at the end."""
    found = [match[1] for line in log_end if (match := _STOPPED.match(line))]
    return f", in {found[-1]}" if found else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
