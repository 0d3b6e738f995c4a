"""JSON over HTTP as Google's APIs speak it, on this machine's loopback interface."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import Any

from curtainup.rehearsal.front import TOKEN
from curtainup.rehearsal.gcp.common import number
from curtainup.util.peers import OwnHTTPServer

Answer = Callable[[str, str, Any], Mapping[str, Any]]
"""Takes a call's method, path and document, and returns the answer; raises `Refusal`."""


class Refusal(Exception):
    """A call that is refused.

    Args:
        status: the HTTP status.
        name: the status of google.rpc.
        message: the real service's message.

    """

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.document = {"error": {"code": status, "message": message, "status": name}}


def invalid(message: str) -> Refusal:
    """Return the refusal of a request that does not match the API."""
    return Refusal(400, "INVALID_ARGUMENT", message)


def exhausted(metric: str, limit: str, service: str, project: str) -> Refusal:
    """Return the refusal of a call that is one too many, by the rate of a project.

    Args:
        metric: what is counted, such as `Read requests`.
        limit: the quota, such as `Read requests per minute per region`.
        service: the API.
        project: the project's id.

    """
    message = (
        f"Quota exceeded for quota metric '{metric}' and limit '{limit}' of service '{service}' for consumer "
        f"'project_number:{number(project)}'."
    )
    return Refusal(429, "RESOURCE_EXHAUSTED", message)


def serve(name: str, answer: Answer) -> str:
    """Serve an API on a free loopback port until the process ends; return its URL.

    Args:
        name: the name of the thread that serves.
        answer: answers each call that has the rehearsal's token.

    """

    class Handler(_Handler):
        answer_to = staticmethod(answer)

    server = OwnHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, name=name, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    """Else an answer on a kept connection takes 40 ms: its head and its body are sent apart."""
    answer_to: Answer

    def do_GET(self) -> None:
        """Answer a call without a body."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a call."""
        self._answer()

    do_PATCH = do_POST  # noqa: N815
    do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep no log."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                raise Refusal(
                    401,
                    "UNAUTHENTICATED",
                    "Request had invalid authentication credentials. Expected OAuth 2 access token, login "
                    "cookie or other valid authentication credential.",
                )
            self._send(200, self.answer_to(self.command, self.path, _read(body)))
        except Refusal as refusal:
            self._send(refusal.status, refusal.document)

    def _send(self, status: int, document: Mapping[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _read(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise invalid("Invalid JSON payload received.") from error
