"""GitHub, GitLab and Bitbucket on loopback, as far as comments on requests go.

They answer with the statuses and bodies of the documented APIs and are as strict: who does not sign in the
documented way, uses another method, or sends what the API does not know, gets the documented refusal.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

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


class GitHubServer(Server):
    """REST API 2022-11-28: issue comments of octo/web, pull request 7."""

    longest = 65_536

    def answer(self, call: Call) -> Answer:
        return self._unsigned(call) or self._routed(call)

    def _unsigned(self, call: Call) -> Answer | None:
        if not call.headers.get("user-agent"):
            return Answer(403, {"message": "Request forbidden by administrative rules."})
        if call.headers.get("x-github-api-version", "2022-11-28") != "2022-11-28":
            return Answer(400, {"message": "API version not supported"})
        scheme, _, value = call.headers.get("authorization", "").partition(" ")
        if not value:
            return Answer(401, {"message": "Requires authentication"})
        if scheme.lower() not in {"bearer", "token"} or value != SECRET:
            return Answer(401, {"message": "Bad credentials"})
        return None

    def _routed(self, call: Call) -> Answer:
        if call.path == "/repos/octo/web/issues/7/comments":
            if call.method == "GET":
                return self._page(call)
            if call.method == "POST":
                return self._create(call)
        found = re.fullmatch("/repos/octo/web/issues/comments/([0-9]+)", call.path)
        if found and call.method == "PATCH":
            return self._edit(call, found[1])
        return Answer(404, {"message": "Not Found"})

    def _page(self, call: Call) -> Answer:
        size = min(int(call.query.get("per_page", "30")), 100)
        page = int(call.query.get("page", "1"))
        some = self.notes[(page - 1) * size : page * size]
        links = []
        if page * size < len(self.notes):
            query = urlencode({**call.query, "page": str(page + 1)})
            links.append(f'<{self.url}/repositories/42/issues/7/comments?{query}>; rel="next"')
        if page > 1:
            links.append(f'<{self.url}/repositories/42/issues/7/comments?page=1>; rel="first"')
        headers = {"Link": ", ".join(links)} if links else {}
        return Answer(200, [self._shown(note) for note in some], headers)

    def _create(self, call: Call) -> Answer:
        refusal = self._refusal(call)
        if refusal:
            return refusal
        return Answer(201, self._shown(self.seed(call.json()["body"], foreign=False)))

    def _edit(self, call: Call, number: str) -> Answer:
        note = self._find(number)
        if note is None:
            return Answer(404, {"message": "Not Found"})
        refusal = self._refusal(call)
        if refusal:
            return refusal
        if note.foreign:
            return Answer(403, {"message": "Must have admin rights to Repository."})
        note.text = call.json()["body"]
        return Answer(200, self._shown(note))

    def _refusal(self, call: Call) -> Answer | None:
        if not self.may_write:
            return Answer(403, {"message": "Resource not accessible by integration", "status": "403"})
        try:
            sent = call.json()
        except ValueError:
            return Answer(400, {"message": "Problems parsing JSON"})
        for key in sent.keys() - {"body"}:
            return Answer(422, {"message": f'Invalid request.\n\n"{key}" is not a permitted key.'})
        if not isinstance(sent.get("body"), str) or not sent["body"].strip():
            return Answer(422, {"message": 'Invalid request.\n\n"body" wasn\'t supplied.'})
        if len(sent["body"]) > self.longest:
            error = {"resource": "IssueComment", "code": "unprocessable", "field": "data"}
            error["message"] = f"Body is too long (maximum is {self.longest} characters)"
            return Answer(422, {"message": "Validation Failed", "errors": [error]})
        return None

    def _shown(self, note: Note) -> dict[str, Any]:
        page = f"https://github.example/octo/web/pull/7#issuecomment-{note.id}"
        return {"id": note.id, "body": note.text, "html_url": page, "user": {"login": "github-actions[bot]"}}


class GitLabServer(Server):
    """API v4: notes of merge request 3 of project 12; pages by offset, or by key."""

    longest = 1_000_000
    by_key = False

    def answer(self, call: Call) -> Answer:
        bearer = call.headers.get("authorization", "").removeprefix("Bearer ")
        if SECRET not in (call.headers.get("private-token"), bearer):
            return Answer(401, {"message": "401 Unauthorized"})
        return self._unscoped(call) or self._routed(call)

    def _unscoped(self, call: Call) -> Answer | None:
        if not self.may_write and call.method != "GET":
            words = "The request requires higher privileges than provided by the access token."
            refused = {"error": "insufficient_scope", "error_description": words, "scope": "api"}
            return Answer(403, refused)
        return None

    def _routed(self, call: Call) -> Answer:
        notes = "/api/v4/projects/12/merge_requests/3/notes"
        if call.path == notes:
            if call.method in {"GET", "POST"}:
                return self._page(call) if call.method == "GET" else self._create(call)
            return Answer(405, {"error": "405 Not Allowed"}, {"Allow": "OPTIONS, GET, POST, HEAD"})
        found = re.fullmatch(notes + "/([0-9]+)", call.path)
        if found:
            if call.method == "PUT":
                return self._edit(call, found[1])
            return Answer(405, {"error": "405 Not Allowed"}, {"Allow": "OPTIONS, GET, PUT, DELETE, HEAD"})
        return Answer(404, {"message": "404 Project Not Found"})

    def _page(self, call: Call) -> Answer:
        if call.query.get("sort", "desc") not in {"asc", "desc"}:
            return Answer(400, {"error": "sort does not have a valid value"})
        notes = self.notes if call.query.get("sort") == "asc" else self.notes[::-1]
        size = min(int(call.query.get("per_page", "20")), 100)
        key = "cursor" if self.by_key else "page"
        first = int(call.query.get(key, "0" if self.by_key else "1").removeprefix("after-"))
        start = first if self.by_key else (first - 1) * size
        headers = {}
        if start + size < len(notes):
            following = f"after-{start + size}" if self.by_key else str(first + 1)
            query = urlencode({**call.query, key: following})
            headers["Link"] = f'<http://gitlab.internal/{call.path}?{query}>; rel="next"'
        return Answer(200, [self._shown(note) for note in notes[start : start + size]], headers)

    def _create(self, call: Call) -> Answer:
        return self._refusal(call) or Answer(201, self._shown(self.seed(call.json()["body"], foreign=False)))

    def _edit(self, call: Call, number: str) -> Answer:
        note = self._find(number)
        if note is None:
            return Answer(404, {"message": "404 Note Not Found"})
        if note.foreign:
            return Answer(403, {"message": "403 Forbidden"})
        refusal = self._refusal(call)
        if refusal:
            return refusal
        note.text = call.json()["body"]
        return Answer(200, self._shown(note))

    def _refusal(self, call: Call) -> Answer | None:
        if call.headers.get("content-type") != "application/json":
            return Answer(406, {"error": "The requested content-type is not supported."})
        text = call.json().get("body")
        if not isinstance(text, str):
            return Answer(400, {"error": "body is missing"})
        if len(text) > self.longest:
            said = f'Note {{:note=>["is too long ({len(text)} characters). The maximum is {self.longest}."]}}'
            return Answer(400, {"message": f"400 Bad request - {said}"})
        return None

    def _shown(self, note: Note) -> dict[str, Any]:
        return {"id": note.id, "body": note.text, "system": False, "noteable_iid": 3}


class BitbucketServer(Server):
    """Cloud REST API 2.0: comments of pull request 5 of octo/web."""

    longest = 32_767

    def answer(self, call: Call) -> Answer:
        if not self._known(call.headers.get("authorization", "")):
            said = "Token is invalid, expired, or not supported for this endpoint."
            return Answer(401, self._error(said), {"WWW-Authenticate": 'Basic realm="Bitbucket.org HTTP"'})
        if not self.may_write and call.method != "GET":
            said = "Your credentials lack one or more required privilege scopes."
            return Answer(403, self._error(said))
        comments = "/2.0/repositories/octo/web/pullrequests/5/comments"
        if call.path == comments:
            if call.method in {"GET", "POST"}:
                return self._page(call) if call.method == "GET" else self._create(call)
            return Answer(405, self._error("Method not allowed"))
        found = re.fullmatch(comments + "/([0-9]+)", call.path)
        if found:
            return self._edit(call, found[1]) if call.method == "PUT" else Answer(405, self._error("no"))
        return Answer(404, self._error("Repository octo/other not found"))

    def _known(self, authorization: str) -> bool:
        scheme, _, value = authorization.partition(" ")
        if scheme == "Basic":
            return b64decode(value).decode() == f"{EMAIL}:{SECRET}"
        return scheme == "Bearer" and value == SECRET

    def _page(self, call: Call) -> Answer:
        size = int(call.query.get("pagelen", "10"))
        if size > 100:
            return Answer(400, self._error("Invalid pagelen"))
        page = int(call.query.get("page", "1"))
        some = self.notes[(page - 1) * size : page * size]
        said = {"values": [self._shown(note) for note in some], "pagelen": size, "page": page}
        if page * size < len(self.notes):
            said["next"] = f"{self.url}{call.path}?{urlencode({**call.query, 'page': str(page + 1)})}"
        return Answer(200, said)

    def _create(self, call: Call) -> Answer:
        raw = self._raw(call)
        if raw is None:
            return Answer(400, self._error("Bad request"))
        return Answer(201, self._shown(self.seed(raw, foreign=False)))

    def _edit(self, call: Call, number: str) -> Answer:
        note, raw = self._find(number), self._raw(call)
        if note is None or note.deleted:
            return Answer(404, self._error("Comment not found"))
        if note.foreign:
            return Answer(403, self._error("You may only edit your own comments"))
        if raw is None:
            return Answer(400, self._error("Bad request"))
        note.text = raw
        return Answer(200, self._shown(note))

    def _raw(self, call: Call) -> str | None:
        sent = call.json()
        content = sent.get("content")
        if sent.keys() != {"content"} or not isinstance(content, dict) or content.keys() != {"raw"}:
            return None
        raw = content["raw"]
        return raw if isinstance(raw, str) and 0 < len(raw) <= self.longest else None

    def _error(self, said: str) -> dict[str, Any]:
        return {"type": "error", "error": {"message": said}}

    def _shown(self, note: Note) -> dict[str, Any]:
        page = f"https://bitbucket.example/octo/web/pull-requests/5/_/diff#comment-{note.id}"
        text = "" if note.deleted else note.text
        shown = {"id": note.id, "deleted": note.deleted, "content": {"raw": text, "markup": "markdown"}}
        return {**shown, "links": {"html": {"href": page}}}


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

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=listening.serve_forever, args=(0.05,))
    thread.start()
    server.url = f"http://127.0.0.1:{listening.server_address[1]}"
    try:
        yield server
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()
