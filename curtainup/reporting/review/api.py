"""Calls to a host's API about the comments of one request; a failed call is not repeated here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from curtainup.errors import ReviewFailed
from curtainup.reporting.review.models import Comment, Host, Page, Request
from curtainup.util.deadlines import whole
from curtainup.util.redaction import redactor

TIMEOUT = (10.0, 30.0)
"""Time limits in seconds: to connect, and for each wait for an answer."""
LONGEST = 60.0
"""Seconds of a whole call, however slowly its answer trickles in."""
LIMITED_PAUSE = 60.0
"""Seconds to wait if a rate limit names no time: GitHub asks for at least a minute."""
MOST_PAGES = 500
"""More than any request has: GitHub allows 2,500 comments, and a page holds 100."""
BROKEN = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class Refused(Exception):
    """The host refused a call.

    Args:
        status: the HTTP status.
        message: the host's own words.

    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Later(Exception):
    """The host did not answer, or wants the call again later.

    Args:
        what: what happened, in words.
        wait: seconds until the call may be repeated, if the host names a time.

    """

    def __init__(self, what: str, wait: float | None) -> None:
        super().__init__(what)
        self.what = what
        self.wait = wait


class Comments:
    """The comments of a request.

    Every method raises Refused or Later, or ReviewFailed when something other than the API answers.
    The calls follow no redirects, because the token is for this host alone.
    """

    def __init__(
        self,
        http: requests.Session,
        host: Host,
        request: Request,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._host = host
        self._request = request
        self._now = now
        self._redact = redactor([request.token])

    def all(self) -> list[Comment]:
        """Return all comments, page after page.

        It uses only the query of the next page's address, so that no answer can send the token elsewhere.
        """
        found: list[Comment] = []
        query: Mapping[str, str] | str = self._host.listing
        for _ in range(MOST_PAGES):
            answer = self._ask("GET", self._request.comments, query=query)
            page: Page = self._read(answer, lambda one: self._host.page(one, self._request))
            found += page.comments
            if page.following is None:
                break
            query = page.following
        return found

    def create(self, text: str) -> Comment:
        """Write a comment."""
        return self._written(self._ask("POST", self._request.comments, body=self._host.body(text)))

    def edit(self, comment: Comment, text: str) -> Comment:
        """Replace a comment's text."""
        url = f"{self._request.comment}/{comment.id}"
        return self._written(self._ask(self._host.editing, url, body=self._host.body(text)))

    def _written(self, answer: requests.Response) -> Comment:
        comment: Comment = self._read(answer, lambda one: self._host.comment(one.json(), self._request))
        return comment

    def _ask(
        self,
        method: str,
        url: str,
        query: Mapping[str, str] | str | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        try:
            answer = whole(
                lambda: self._http.request(
                    method,
                    url,
                    params=query,
                    json=body,
                    headers=dict(self._host.headers),
                    auth=self._host.sign(self._request),
                    timeout=TIMEOUT,
                    allow_redirects=False,
                    stream=True,
                ),
                seconds=LONGEST,
            )
        except BROKEN as error:
            raise Later(f"cannot reach {self._host.name}: {self._redact(str(error))}", None) from error
        except (requests.RequestException, ValueError) as error:  # a ValueError is of an odd address
            raise ReviewFailed(
                f"the call to {self._host.name} failed",
                where=url,
                fix="check the address in the job's variables",
                detail=self._redact(str(error)),
            ) from error
        self._judge(answer)
        return answer

    def _judge(self, answer: requests.Response) -> None:
        """Raise the error that an answer means, unless it is a success."""
        status, message = answer.status_code, self._redact(said(answer))
        if answer.is_redirect:
            raise Refused(status, f"it redirects to {answer.headers['Location']}")
        if limited(answer, message):
            wait = pause_asked(answer.headers, self._now())
            what = f"{self._host.name} limits the rate of calls: {message}"
            raise Later(what, LIMITED_PAUSE if wait is None else wait)
        if status >= 500:
            wait = pause_asked(answer.headers, self._now())
            raise Later(f"{self._host.name} answered {status}: {message}", wait)
        if not answer.ok:
            raise Refused(status, message)

    def _read(self, answer: requests.Response, reader: Callable[[requests.Response], Any]) -> Any:
        try:
            return reader(answer)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ReviewFailed(
                f"the answer does not come from the API of {self._host.name}",
                where=str(answer.url),
                fix="check the address in the job's variables, and the proxy (HTTPS_PROXY)",
                detail=self._redact(answer.text[:500]),
            ) from error


def said(answer: requests.Response) -> str:
    """Return the reason that a host gives, in its own words, else the start of its answer.

    GitHub uses `message` and `errors`, GitLab `message` or `error` and `error_description`, Bitbucket
    `error.message`.
    """
    try:
        told = answer.json()
    except (ValueError, RecursionError):
        return answer.text.strip()[:500] or str(answer.reason)
    if not isinstance(told, dict):
        return answer.text[:500]
    error = told.get("error")
    if isinstance(error, dict):
        return str(error.get("message", error))
    parts = (told.get("message"), error, told.get("error_description"), told.get("errors"))
    return "; ".join(str(part) for part in parts if part)[:500] or answer.text[:500]


def limited(answer: requests.Response, message: str) -> bool:
    """Return whether an answer is a rate limit; GitHub's may be a 403 ("Rate limits for the REST API")."""
    if answer.status_code != 403:
        return answer.status_code == 429
    headers = answer.headers
    spent = headers.get("X-RateLimit-Remaining") == "0"
    return spent or "Retry-After" in headers or "rate limit" in message.lower()


def pause_asked(headers: Mapping[str, str], now: float) -> float | None:
    """Return after how many seconds a host wants the call again, if it names a time.

    Args:
        headers: `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), else the epoch seconds at which a
            spent limit is renewed: GitHub's `X-RateLimit-Reset`, GitLab's `RateLimit-Reset`.
        now: epoch seconds.

    """
    after = headers.get("Retry-After", "").strip()
    if after.isdecimal():
        return float(after)
    if after:
        try:
            return max(0.0, parsedate_to_datetime(after).timestamp() - now)
        except (ValueError, OverflowError):
            return None
    for prefix in ("X-RateLimit", "RateLimit"):
        reset = headers.get(f"{prefix}-Reset", "")
        if headers.get(f"{prefix}-Remaining") == "0" and reset.isdecimal():
            return max(0.0, float(reset) - now) + 1.0
    return None
