"""What the hosts on loopback share: github_server, gitlab_server and bitbucket_server.

They answer with the statuses and bodies of the documented APIs and are as strict: who does not sign in the
documented way, uses another method, or sends what the API does not know, gets the documented refusal.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests import loopback

SECRET = "t0ken-of-the-job"
EMAIL = "ci@example.com"


@dataclass(frozen=True)
class Call:
    """What was asked: the headers' names in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What is said."""

    status: int
    value: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What is said instead, once, to the next call by a method; `done`: it is carried out all the same."""

    method: str
    answer: Answer
    done: bool = False


@dataclass
class Note:
    """A comment on the server: `foreign` ones may not be edited by the job."""

    id: int
    text: str
    foreign: bool = False
    deleted: bool = False


class Server(ABC):
    """A host with one repository and one request."""

    longest: int

    def __init__(self) -> None:
        self.url = ""
        self.notes: list[Note] = []
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.may_write = True
        self._ids = iter(range(1000, 10_000))

    @abstractmethod
    def answer(self, call: Call) -> Answer:
        """Answer as the API does."""

    def seed(self, text: str, *, foreign: bool = True, deleted: bool = False) -> Note:
        """Add a comment, at first of somebody else."""
        self.notes.append(Note(next(self._ids), text, foreign, deleted))
        return self.notes[-1]

    def methods(self) -> list[str]:
        return [call.method for call in self.calls]

    def texts(self) -> list[str]:
        return [note.text for note in self.notes]

    def respond(self, call: Call) -> Answer:
        self.calls.append(call)
        for fault in self.faults:
            if fault.method == call.method:
                self.faults.remove(fault)
                if fault.done:
                    self.answer(call)
                return fault.answer
        return self.answer(call)

    def _find(self, number: str) -> Note | None:
        return next((note for note in self.notes if note.id == int(number)), None)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Serve on a free port, and set the server's URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0))).decode()
            parts = urlsplit(self.path)
            call = Call(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
            answer = server.respond(call)
            said = answer.value if isinstance(answer.value, str) else json.dumps(answer.value)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.encode())))
            self.end_headers()
            self.wfile.write(said.encode())

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    with loopback.serving(Handler) as port:
        server.url = f"http://127.0.0.1:{port}"
        yield server
