"""The part of Cloud Logging's query language that a rehearsal understands; it refuses everything else.

A filter is a list of comparisons joined by AND. One of them may be a list of alternatives, in parentheses and
joined by OR. Follows "Logging query language" of the Cloud Logging documentation.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

_FIELDS = frozenset(
    {
        "insertId",
        "logName",
        'labels."run.googleapis.com/execution_name"',
        "resource.labels.job_name",
        "resource.labels.location",
        "resource.labels.project_id",
        "resource.labels.revision_name",
        "resource.labels.service_name",
        "resource.type",
        "severity",
        "textPayload",
        "timestamp",
    }
)
_ORDER: Mapping[str, Callable[[str, str], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_COMPARISON = re.compile(r'([\w.]+(?:"[^"\\]+")?)\s*(>=|<=|!=|=|>|<)\s*"([^"\\]*)"')
_PARTS = re.compile(r'"([^"]+)"|(\w+)')
_LOG_ID = re.compile(r'log_id\("([^"\\]+)"\)')
_ALTERNATIVES = re.compile(r"\((.+)\)", re.DOTALL)

Test = Callable[[Mapping[str, Any]], bool]


class BadFilter(Exception):
    """A filter that is refused; the text is the real service's."""


def parse(text: str) -> Test:
    """Return a function that says whether a LogEntry passes the filter.

    Raises:
        BadFilter: the filter cannot be parsed, or names an unknown field.

    """
    tests = [_term(part.strip()) for part in re.split(r"\sAND\s", text)] if text.strip() else []
    return lambda entry: all(test(entry) for test in tests)


def _term(text: str) -> Test:
    within = _ALTERNATIVES.fullmatch(text)
    if within is None or _LOG_ID.fullmatch(text):
        return _comparison(text)
    tests = [_comparison(part.strip()) for part in re.split(r"\sOR\s", within[1])]
    return lambda entry: any(test(entry) for test in tests)


def _comparison(text: str) -> Test:
    if log := _LOG_ID.fullmatch(text):
        wanted = log[1].replace("/", "%2F")
        return lambda entry: str(entry["logName"]).rpartition("/logs/")[2] == wanted
    found = _COMPARISON.fullmatch(text)
    if found is None:
        raise BadFilter(f"Unparseable filter: syntax error near {text!r}")
    field, compare, value = found[1], _ORDER[found[2]], found[3]
    if field not in _FIELDS:
        raise BadFilter(f"Field not found: '{field}'.")
    if field == "timestamp":
        return lambda entry: compare(_digits(entry["timestamp"]), _digits(value))
    return lambda entry: compare(str(_value(entry, field)), value)


def _value(entry: Mapping[str, Any], field: str) -> Any:
    found: Any = entry
    for quoted, plain in _PARTS.findall(field):
        found = (found or {}).get(quoted or plain)
    return found


def _digits(stamp: str) -> str:
    """Return a time in UTC with nine digits of a second, which sorts as text."""
    moment = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", stamp)
    if moment is None:
        raise BadFilter(f"Unparseable filter: {stamp!r} is not a time in UTC")
    return f"{moment[1]}.{moment[2] or '':0<9}"
