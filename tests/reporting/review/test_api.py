"""Reading answers: reasons and pauses."""

from __future__ import annotations

import json
from email.utils import formatdate

import pytest
import requests

from curtainup.reporting.review import api
from curtainup.reporting.review.api import Comments, Later, pause_asked, said
from curtainup.reporting.review.github import GitHub
from curtainup.reporting.review.models import Request
from curtainup.util.secrets import Secret
from tests.gates.peers import HEAD, endless, peer

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, None),
        ({"Retry-After": "30"}, 30.0),
        ({"Retry-After": formatdate(NOW + 90, usegmt=True)}, 90.0),
        ({"Retry-After": formatdate(NOW - 90, usegmt=True)}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800000010"}, 11.0),
        ({"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "1800000010"}, None),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "1800000010"}, 11.0),
        ({"Retry-After": "2", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800009999"}, 2.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "never"}, None),
    ],
)
def test_how_long_a_host_asks_to_wait(headers: dict[str, str], pause: float | None) -> None:
    assert pause_asked(headers, NOW) == pause


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"message": "Bad credentials"}, "Bad credentials"),
        (
            {"message": "Validation Failed", "errors": [{"field": "body"}]},
            "Validation Failed; [{'field': 'body'}]",
        ),
        ({"error": "insufficient_scope", "error_description": "more"}, "insufficient_scope; more"),
        ({"type": "error", "error": {"message": "No such thing"}}, "No such thing"),
        (["odd"], '["odd"]'),
        ("<html>oops</html>", "<html>oops</html>"),
        ("", "Teapot"),
    ],
)
def test_the_reason_a_host_gives(body: object, reason: str) -> None:
    answer = requests.Response()
    answer.status_code, answer.reason = 418, "Teapot"
    answer._content = (body if isinstance(body, str) else json.dumps(body)).encode()
    assert said(answer) == reason


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "LONGEST", 0.5)
    with peer(lambda: endless(HEAD + b"X-A: ", b"x")) as url, requests.Session() as http:
        request = Request("pull request 7", f"{url}/comments", f"{url}/comment", Secret("a token"))
        with pytest.raises(Later, match="no whole answer"):
            Comments(http, GitHub(), request).all()
