from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
import requests

from curtainup.platforms.google.auth_proxy import door
from tests import loopback

IDENTITY = {"X-Serverless-Authorization": "Bearer token"}


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = {
            "method": self.command,
            "path": self.path,
            "headers": dict(self.headers),
            "body": body.decode(),
        }
        text = json.dumps(said).encode()
        self.send_response(302 if self.path.startswith("/away") else 200)
        self.send_header("Location", "/elsewhere")
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815


@pytest.fixture
def url() -> Iterator[str]:
    with loopback.serving(Echo) as port:
        yield f"http://127.0.0.1:{port}"


def test_requests_pass_with_the_identity_added(url: str) -> None:
    with door(url, IDENTITY) as local:
        answer = requests.get(f"{local}/a/b?c=d%2Fe", headers={"Authorization": "Bearer own"}, timeout=60)
    said = answer.json()
    assert (said["method"], said["path"]) == ("GET", "/a/b?c=d%2Fe")
    assert said["headers"]["X-Serverless-Authorization"] == "Bearer token"
    assert said["headers"]["Authorization"] == "Bearer own", "the service's own authorisation is its own"
    assert said["headers"]["Host"] == url.removeprefix("http://")


def test_nobody_can_bring_another_identity(url: str) -> None:
    with door(url, IDENTITY) as local:
        headers = {"x-serverless-authorization": "Bearer other"}
        said = requests.get(local, headers=headers, timeout=60).json()["headers"]
    assert [value for name, value in said.items() if name.lower() == "x-serverless-authorization"] == [
        "Bearer token"
    ]


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_bodies_pass(url: str, method: str) -> None:
    with door(url, {}) as local:
        whole = requests.request(method, local, data="abc", timeout=60).json()
        parts = requests.request(method, local, data=iter([b"ab", b"c"]), timeout=60).json()
    assert whole["body"] == parts["body"] == "abc"
    assert whole["method"] == method


def test_answers_come_back_as_they_are(url: str) -> None:
    with door(url, {}) as local, requests.Session() as session:
        away = session.get(f"{local}/away", allow_redirects=False, timeout=60)
        head = session.head(local, timeout=60)
    assert (away.status_code, away.headers["Location"]) == (302, "/elsewhere")
    assert away.raw.headers.getlist("Set-Cookie") == ["a=1", "b=2"]
    assert int(head.headers["Content-Length"]) > 0


def test_who_is_not_there_is_a_bad_gateway() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with door(f"http://127.0.0.1:{port}", {}) as local:
            assert requests.get(local, timeout=60).status_code == 502
