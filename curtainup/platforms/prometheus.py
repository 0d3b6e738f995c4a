"""Instant queries by the HTTP API of Prometheus, which other servers and Cloud Monitoring speak too.

It follows "HTTP API" in the documentation of Prometheus: `/api/v1/query` answers in JSON, with numbers as
texts, `NaN` and `+Inf` among them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import requests

from curtainup.errors import CurtainupError
from curtainup.util.deadlines import whole
from curtainup.util.plain import one_line

SECONDS = 10.0
"""How long an answer may take, and all of it."""
MOST = 1 << 20
"""Bytes of an answer: one number needs a few hundred."""
LONGEST = 300
"""Characters of a server's explanation."""
MONITORING = "https://monitoring.googleapis.com"
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""The statuses after which the same query may be answered later; 503 is a query that timed out."""
BAD_QUERY = frozenset({400, 422})
"""The statuses of a query that cannot be parsed or carried out."""
INFORMS = "PromQL info"
"""The beginning of a remark that is no warning; servers before 3.0 have both in one list."""


@dataclass(frozen=True)
class Reading:
    """The answer to a query.

    Attributes:
        value: the one number that it gave, if it gave one.
        trouble: why there is no number that counts; empty if there is one.
        again: whether the server may answer if it is asked again.
        is_refused: whether the server does not take whoever asks, or is no such server.
        is_bad_query: whether the query is wrong, or gives something else than one number.

    """

    value: float | None = None
    trouble: str = ""
    again: bool = False
    is_refused: bool = False
    is_bad_query: bool = False


@dataclass(frozen=True)
class Server:
    """A server that answers queries.

    Attributes:
        url: its address, below which is `/api/v1/query`.
        headers: makes the headers of a query, those that prove who asks among them.
        ca: a file with the certificates that it is trusted by; None trusts those of `requests`.

    """

    url: str
    headers: Callable[[], Mapping[str, str]]
    ca: str | None = None

    def ask(self, query: str) -> Reading:
        """Ask a query, as of now."""
        url = f"{self.url}/api/v1/query?{urlencode({'query': query})}"
        try:
            headers = self.headers()
            with requests.Session() as session:
                session.auth = _Untouched()
                answer = whole(
                    lambda: session.get(
                        url,
                        headers=dict(headers),
                        timeout=SECONDS,
                        stream=True,
                        allow_redirects=False,
                        verify=self.ca or True,
                    ),
                    seconds=SECONDS,
                    most=MOST,
                )
        except requests.exceptions.SSLError as error:
            return Reading(
                trouble=_short(f"its certificate is not trusted: {_cause(error)}"), is_refused=True
            )
        except (requests.RequestException, OSError) as error:
            return Reading(trouble=_short(f"it does not answer: {_cause(error)}"), again=True)
        except CurtainupError as error:
            return Reading(trouble=_short(f"nobody can log in to it: {error.what}"), again=True)
        except UnicodeError:
            return Reading(trouble="a header cannot be sent, as it is not Latin-1", is_refused=True)
        return reading(answer.status_code, answer.content)


class _Untouched(requests.auth.AuthBase):
    """Leaves the headers alone, where `requests` would put a login of ~/.netrc in their place."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def of_project(project: str) -> str:
    """Return the address of Cloud Monitoring for a project.

    Source: its method projects.location.prometheus.api.v1.query.
    """
    return f"{MONITORING}/v1/projects/{project}/location/global/prometheus"


def reading(status: int, body: bytes) -> Reading:
    """Return what an answer says. A number counts only if it is the only one, finite and complete."""
    said = _parsed(body)
    if status != 200:
        why = _complaint(said)
        told = f"it answers with status {status}{f': {why}' if why else ''}"
        wrong = status in BAD_QUERY and bool(why)
        again = status in AGAIN
        return Reading(None, _short(told), again, not (again or wrong), wrong)
    if (
        not isinstance(said, dict)
        or said.get("status") != "success"
        or not isinstance(said.get("data"), dict)
    ):
        why = _complaint(said)
        return Reading(
            trouble=_short(f"its answer is none of Prometheus{f': {why}' if why else ''}"), again=True
        )
    warnings = [str(one) for one in _listed(said.get("warnings")) if not str(one).startswith(INFORMS)]
    if warnings:
        return Reading(trouble=_short(f"its answer is not complete: {'; '.join(warnings)}"), again=True)
    return _number(said["data"])


def _number(data: Mapping[str, Any]) -> Reading:
    kind, result = data.get("resultType"), data.get("result")
    if kind == "vector" and isinstance(result, list):
        if not result:
            return Reading(trouble="there is no data")
        if len(result) > 1:
            many = f"the query gives {len(result)} series, not one: aggregate them, as by sum()"
            return Reading(trouble=many, is_bad_query=True)
        first = result[0]
        pair = first.get("value") if isinstance(first, dict) else None
    elif kind == "scalar":
        pair = result
    elif kind in ("matrix", "string", "vector"):
        return Reading(trouble=f"the query gives a {kind}, not a number", is_bad_query=True)
    else:
        return Reading(trouble="its answer is none of Prometheus", again=True)
    return _finite(pair)


def _finite(pair: object) -> Reading:
    """Read `[time, "number"]`; a histogram is no number."""
    if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[1], str):
        return Reading(trouble="its answer holds no number")
    try:
        value = float(pair[1])
    except ValueError:
        return Reading(trouble="its answer holds no number")
    if not math.isfinite(value):
        return Reading(trouble=f"the value is {one_line(pair[1])}, as after a division by zero")
    return Reading(value)


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _complaint(said: object) -> str:
    """Return the server's own words: Prometheus' `error`, or the `message` in that of Google."""
    error = said.get("error") if isinstance(said, dict) else None
    error = error.get("message") if isinstance(error, dict) else error
    return error if isinstance(error, str) else ""


def _cause(error: Exception) -> str:
    """Return why a request failed, without the whole query that `requests` repeats before it."""
    whole_text = str(error)
    return whole_text.partition("Caused by ")[2].removesuffix(")") or whole_text


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _short(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
