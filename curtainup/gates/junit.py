"""Reads the JUnit XML that pytest writes, and takes the secrets out of it.

The format is pytest's `xunit1` family, which contains the file and line of each test.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from xml.etree import ElementTree as ET

from curtainup.gates.models import FailedTest
from curtainup.util.plain import clean, shortened

LONGEST_EXCERPT = 20  # lines
LONGEST_LINE = 2000  # characters
OWN = frozenset({"errors", "failures", "file", "line", "skipped", "tests", "time", "timestamp", "type"})
"""The attributes that hold numbers, times and files."""
SMOKE_MODULE = ("curtainup_acceptance", "smoke", "test_smoke.py")
_LOCATION = re.compile(r"(\S[^:]*):(\d+):(?: |$)")  # `testaccept/test_a.py:12: AssertionError`


@dataclass(frozen=True)
class Report:
    """The result of one pytest run.

    Attributes:
        tests: how many tests ran or were skipped.
        skipped: how many were skipped.
        failed: those that failed.
        ran: the dotted addresses, `testaccept.test_shop.TestIt.test_it`, of those that were not skipped.
        seen: the dotted addresses of all.

    """

    tests: int
    skipped: int
    failed: tuple[FailedTest, ...]
    ran: frozenset[str] = frozenset()
    seen: frozenset[str] = frozenset()


def redact_report(xml: bytes, redact: Callable[[str], str]) -> bytes:
    """Return the report with `redact` applied to each text and attribute, except pytest's own numbers.

    Raises:
        ValueError: the report is not XML, for example because pytest was killed while it wrote it.

    """
    root = _parse(xml)
    for element in root.iter():
        element.text = redact(element.text) if element.text else element.text
        element.tail = redact(element.tail) if element.tail else element.tail
        element.attrib.update({name: redact(element.attrib[name]) for name in element.attrib.keys() - OWN})
    try:
        redacted: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    except RecursionError as error:
        raise ValueError("the JUnit report is nested too deeply") from error
    return redacted


def read_report(xml: bytes, redact: Callable[[str], str] = clean) -> Report:
    """Count the tests of a report and explain those that failed, without secrets.

    A test that fails, and fails again in its teardown, counts once. `xml` is the report as pytest wrote it:
    a secret may be a number, or a word that this function looks for.

    Raises:
        ValueError: the report is not XML.

    """
    cases = list(_parse(xml).iter("testcase"))
    failed: dict[str, FailedTest] = {}
    for case in cases:
        problem = case.find("failure")
        if problem is None:
            problem = case.find("error")
        if problem is not None:
            test = _failed_test(case, problem)
            failed.setdefault(test.name, test)
    ran = [case for case in cases if case.find("skipped") is None]
    return Report(
        len({_name(case) for case in cases}),
        len(cases) - len(ran),
        tuple(_redacted(test, redact) for test in failed.values()),
        frozenset(_address(case) for case in ran),
        frozenset(_address(case) for case in cases),
    )


def _address(case: ET.Element) -> str:
    return ".".join(filter(None, [case.get("classname"), case.get("name")]))


def _parse(xml: bytes) -> ET.Element:
    try:
        return ET.fromstring(xml)  # noqa: S314 - written by the pytest we started; expat bounds entities
    except ET.ParseError as error:
        raise ValueError(f"the JUnit report is not XML: {error}") from error


def _failed_test(case: ET.Element, problem: ET.Element) -> FailedTest:
    text = problem.text or ""
    location, failing = _failing_line(text)
    said = [line for line in text.splitlines() if line.startswith("E ")] or text.strip().splitlines()
    message = problem.get("message") or (said or [problem.tag])[-1]
    excerpt = [failing, *said] if failing else said
    return FailedTest(
        name=_name(case),
        location=None if _is_smoke(case) else location or _beginning(case),
        message=message.removeprefix("Failed: ").strip().split("\n", 1)[0],
        excerpt="\n".join(excerpt[:LONGEST_EXCERPT]),
    )


def _redacted(test: FailedTest, redact: Callable[[str], str]) -> FailedTest:
    excerpt = "\n".join(shortened(redact(line), LONGEST_LINE) for line in test.excerpt.split("\n"))
    file, colon, line = (test.location or "").rpartition(":")
    return FailedTest(
        name=redact(test.name),
        location=f"{redact(file)}{colon}{line}" if test.location else None,
        message=shortened(redact(test.message), LONGEST_LINE),
        excerpt=excerpt,
    )


def _name(case: ET.Element) -> str:
    """Return the test's name as on pytest's command line: `file::Class::test`."""
    file, name = PurePath(case.get("file", "")), case.get("name", "")
    if _is_smoke(case):
        return f"smoke suite::{name}"
    if not file.parts:
        return name
    module = ".".join(file.with_suffix("").parts)
    inner = case.get("classname", "").removeprefix(module).strip(".")
    return "::".join([str(file), *filter(None, inner.split(".")), name])


def _is_smoke(case: ET.Element) -> bool:
    return PurePath(case.get("file", "")).parts[-3:] == SMOKE_MODULE


def _beginning(case: ET.Element) -> str:
    """Return the location where the test begins; pytest counts lines from 0 here."""
    file, line = case.get("file", ""), case.get("line")
    return f"{file}:{int(line) + 1}" if line else file


def _failing_line(text: str) -> tuple[str | None, str | None]:
    """Return location and line of the last traceback entry in the service's own files, else of the last one.

    When a library raises an error, the developer looks first at the line of the test that called it.
    """
    entries: list[tuple[str, str | None]] = []
    marked = None
    for line in text.splitlines():
        if line.startswith(">"):
            marked = line
        elif found := _LOCATION.match(line):
            entries.append((f"{found[1]}:{found[2]}", marked))
            marked = None
    own = [entry for entry in entries if _is_own(entry[0])]
    return (own or entries)[-1] if entries else (None, None)


def _is_own(location: str) -> bool:
    path = PurePath(location)
    return not path.is_absolute() and path.parts[0] != ".." and "site-packages" not in path.parts
