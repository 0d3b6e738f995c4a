"""Reports as pytest writes them; the shapes are copied from pytest 6.2 and 9.2."""

from __future__ import annotations

import pytest

from curtainup.gates.junit import read_report, redact_report
from curtainup.util.redaction import redactor
from curtainup.util.secrets import Secret

CASES = """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" tests="5">
<testcase classname="testaccept.test_a" name="test_fine" file="testaccept/test_a.py" line="0" time="0.1" />
<testcase classname="testaccept.test_a" name="test_left_out" file="testaccept/test_a.py" line="3" time="0">
  <skipped type="pytest.skip" message="not today">reason</skipped></testcase>
<testcase classname="testaccept.test_a.TestIt" name="test_two[a::b]" file="testaccept/test_a.py" line="7">
  <failure message="AssertionError: one&#10;assert 1 == 2">def test_two(x):
&gt;       helper(x)

testaccept/test_a.py:9:
_ _ _ _ _
testaccept/helpers.py:3: in helper
&gt;       assert 1 == 2
E       AssertionError: one
E       assert 1 == 2

.venv/lib/python3.9/site-packages/library/deep.py:40: AssertionError</failure></testcase>
<testcase classname="testaccept.test_a.TestIt" name="test_two[a::b]" file="testaccept/test_a.py" line="7">
  <error message="failed on teardown with RuntimeError">text</error></testcase>
<testcase classname="" name="testaccept.test_b" time="0">
  <error message="collection failure">testaccept/test_b.py:1: in &lt;module&gt;
    import nothing
E   ModuleNotFoundError: No module named 'nothing'</error></testcase>
</testsuite></testsuites>"""


def test_a_report_is_counted_and_explained() -> None:
    report = read_report(CASES.encode())

    assert (report.tests, report.skipped) == (4, 1)
    two, broken = report.failed
    assert two.name == "testaccept/test_a.py::TestIt::test_two[a::b]"
    assert two.location == "testaccept/helpers.py:3"
    assert two.message == "AssertionError: one"
    assert broken.name == "testaccept.test_b"
    assert broken.location == "testaccept/test_b.py:1"
    assert broken.excerpt == "E   ModuleNotFoundError: No module named 'nothing'"


def test_a_failure_without_a_traceback_is_where_its_test_begins() -> None:
    xml = (
        b'<testsuite><testcase classname="t.test_a" name="test_it" file="t/test_a.py" line="7">'
        b'<failure message="Failed: no">no</failure></testcase></testsuite>'
    )

    (failed,) = read_report(xml).failed

    assert (failed.location, failed.message, failed.excerpt) == ("t/test_a.py:8", "no", "no")


def test_secrets_are_taken_out_of_texts_and_attributes() -> None:
    secret = b"a&lt;b"
    case = b'<testcase name="%s&#10;c"><property value="%s"/>%s</testcase>' % (secret, secret, secret)
    xml = b"<testsuite>%s%s</testsuite>" % (case, secret)

    redacted = redact_report(xml, redactor([Secret("a<b")])).decode()

    assert "a&lt;b" not in redacted
    assert redacted.count("***") == 4


@pytest.mark.parametrize("xml", [b"", b"<testsuite><testcase"])
def test_half_a_report_is_none(xml: bytes) -> None:
    with pytest.raises(ValueError, match="not XML"):
        read_report(xml)


@pytest.mark.parametrize("value", ["3", "8", "testcase", "failure", "7", "py"])
def test_a_secret_that_is_a_word_or_number_of_the_report_does_not_break_it(value: str) -> None:
    redact = redactor([Secret(value)])

    report = read_report(CASES.encode(), redact)

    assert (report.tests, report.skipped, len(report.failed)) == (4, 1, 2)
    assert (report.failed[0].location or "").endswith(":3")
    again = read_report(redact_report(CASES.encode(), redact))
    assert (again.tests, len(again.failed)) == (4, 2)


def test_secrets_are_taken_out_of_what_explains_a_failure() -> None:
    (two, broken) = read_report(CASES.encode(), redactor([Secret("nothing"), Secret("a::b")])).failed
    assert two.name == "testaccept/test_a.py::TestIt::test_two[***]"
    assert broken.excerpt == "E   ModuleNotFoundError: No module named '***'"


def test_what_explains_a_failure_is_bounded() -> None:
    failure = f"<failure message='{'x' * 9000}'>E  {'y' * 9000}</failure>"
    xml = f"<testsuite><testcase name='a'>{failure}</testcase></testsuite>"
    (failed,) = read_report(xml.encode()).failed
    assert len(failed.message) < 2100
    assert len(failed.excerpt) < 2100
