"""A server that speaks Prometheus' API as strictly as the real one, for what it is asked here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests import loopback

_TOKENS = re.compile(
    r"\s+|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|[A-Za-z_:][A-Za-z0-9_:]*|[0-9]+(?:\.[0-9]+)?(?:[smhdwy])?"
    r"|=~|!~|!=|==|<=|>=|[-+*/%^(){}\[\],=<>@]"
)
_PAIRS = {")": "(", "}": "{", "]": "["}


@dataclass
class Prometheus:
    """The server.

    Attributes:
        url: its address.
        values: by query, the values of the series that it gives; a text stands for the whole answer. A query
            that is not there gives no data.
        token: the bearer token that it wants; empty lets everybody ask.
        down: how many of the next queries it answers with status 503.
        queries: what it was asked.
        headers: of the last query.
        before: called before each answer.

    """

    url: str = ""
    values: dict[str, list[str] | str] = field(default_factory=dict)
    token: str = ""
    down: int = 0
    queries: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    before: Callable[[str], object] = bool

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, str]:
        """Return the status and body for a request."""
        parts = urlsplit(path)
        self.headers = headers
        if self.token and headers.get("Authorization") != f"Bearer {self.token}":
            return 401, "Unauthorized\n"
        if parts.path != "/api/v1/query":
            return 404, "404 page not found\n"
        query = parse_qs(parts.query).get("query", [""])[0]
        self.before(query)
        self.queries.append(query)
        if self.down:
            self.down -= 1
            return 503, _error("timeout", "query timed out in expression evaluation")
        if wrong := _mistake(query):
            return 400, _error("bad_data", f'invalid parameter "query": 1:1: parse error: {wrong}')
        values = self.values.get(query, [])
        if isinstance(values, str):
            return 200, values
        result = [{"metric": {"n": str(n)}, "value": [1.5, one]} for n, one in enumerate(values)]
        return 200, json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}})


def _error(kind: str, text: str) -> str:
    return json.dumps({"status": "error", "errorType": kind, "error": text})


def _mistake(query: str) -> str:
    """Return what is wrong with a query: the signs and brackets of PromQL, not its whole grammar."""
    if not query.strip():
        return "no expression found in input"
    at, opened = 0, list[str]()
    while at < len(query):
        found = _TOKENS.match(query, at)
        if found is None:
            return f"unexpected character: {query[at]!r}"
        if found[0] in "({[" and len(found[0]) == 1:
            if found[0] == "{" and opened[-1:] == ["{"]:
                return 'unexpected "{" in label matching'
            opened.append(found[0])
        elif found[0] in _PAIRS and (not opened or opened.pop() != _PAIRS[found[0]]):
            return f"unexpected {found[0]!r}"
        at = found.end()
    return f"unclosed {opened[-1]!r}" if opened else ""


@contextmanager
def prometheus() -> Iterator[Prometheus]:
    """Run a server until the end of the block."""
    known = Prometheus()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = known.answer(self.path, dict(self.headers))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

    with loopback.serving(Handler) as port:
        known.url = f"http://127.0.0.1:{port}"
        yield known
