"""Why a release does not count as healthy, as the health check saw it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trouble:
    """How the last request to a release ended.

    Attributes:
        what: the request and its end, such as `GET /ping: HTTP 404`.
        fix: what helps.
        answered: whether an HTTP answer came, whatever its status.
        lasting: whether the same answer will come again, however long somebody waits.

    """

    what: str
    fix: str
    answered: bool = False
    lasting: bool = False

    def headline(self, seconds: float) -> str:
        """Return the error's first line after `seconds` of waiting."""
        if self.lasting:
            return f"the release answers, and no waiting will change the answer: {self.what}"
        return f"the release did not answer within {seconds:g} s: {self.what}"
