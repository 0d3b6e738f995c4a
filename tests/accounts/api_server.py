"""An API server of Kubernetes on loopback that gives what a test has put there, and the way to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml

from curtainup.platforms.kubernetes.cluster import Cluster
from curtainup.platforms.kubernetes.kubeconfig import Chosen
from tests import loopback

CONTEXT, TOKEN, UID = "shop", "a-token", "6f3c0a52-0000-4000-8000-000000000001"
SYSTEM = "/api/v1/namespaces/kube-system"

Document = Mapping[str, Any]
Given = Document | bytes | Callable[["Asked"], "Document | bytes | Status"]


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True)
class Status:
    """A refusal, as the API has it."""

    code: int
    reason: str
    message: str

    @property
    def document(self) -> dict[str, Any]:
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }


@dataclass
class Api:
    """What the server gives, by path, and what it was asked."""

    port: int = 0
    objects: dict[str, Any] = field(default_factory=lambda: {SYSTEM: {"metadata": {"uid": UID}}})
    created: dict[str, Any] = field(default_factory=dict)
    deleted: dict[str, Any] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    everything: Status | None = None

    @property
    def chosen(self) -> Chosen:
        return Chosen("kubeconfig", CONTEXT, is_named=False)

    def put(self, path: str, given: Any) -> None:
        """Give something at a path: an object, bytes, a refusal, or what a function makes of the request."""
        self.objects[path] = given

    def items(self, path: str, *items: Document) -> None:
        """Give a list at a path."""
        self.objects[path] = {"kind": "List", "items": list(items)}

    def of(self, method: str) -> list[Asked]:
        """Return the requests of a method, but for the question which cluster it is."""
        return [one for one in self.asked if one.method == method and one.path != SYSTEM]

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        self.asked.append(asked)
        given = self.everything or self._given(asked)
        if callable(given):
            given = given(asked)
        if isinstance(given, Status):
            return given.code, json.dumps(given.document).encode()
        if isinstance(given, bytes):
            return 200, given
        return 200, json.dumps(given).encode()

    def _given(self, asked: Asked) -> Any:
        if asked.method == "POST":
            return self.created.get(asked.path, asked.body)
        if asked.method == "DELETE" and asked.path in self.deleted:
            return self.deleted[asked.path]
        if asked.path in self.objects:
            found = self.objects[asked.path]
            return {"kind": "Status", "status": "Success"} if asked.method == "DELETE" else found
        return Status(404, "NotFound", f"{asked.path} not found")


def kubeconfig(folder: Path, port: int, **user: Any) -> Path:
    """Write a kubeconfig with one context, and return its path."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": user or {"token": TOKEN}}],
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(document))
    return file


def cluster(folder: Path, api: Api) -> Cluster:
    """Return the cluster whose API server this is."""
    return Cluster(Chosen(str(kubeconfig(folder, api.port)), CONTEXT, is_named=False))


@contextmanager
def serving() -> Iterator[Api]:
    """Serve an API."""
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _any(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, url.path, dict(parse_qsl(url.query)), body, headers)
            status, said = api.answer(asked)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self._any
            raise AttributeError(name)

    with loopback.serving(Handler) as port:
        api.port = port
        yield api
