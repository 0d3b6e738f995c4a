"""What stands for an environment's proxy where no container is needed: it answers, and tells its state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests import loopback

HEADER = "# pxname,svname,qcur,qmax,scur,smax"


@dataclass
class Proxy:
    """A server on the loopback interface.

    Attributes:
        port: where it answers, to users and about its state.
        release: the release that it names in its answers.
        status: of its answers.
        statuses: by release, the status of its answers; `status` is for the others.
        sessions: by release, how many requests it says are under way.
        asked: how often its state was asked for.
        before: called before each answer.

    """

    port: int = 0
    release: str = "r0000001"
    status: int = 200
    statuses: dict[str, int] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    asked: int = 0
    before: Callable[[], object] = bool

    def csv(self) -> str:
        """Return its state as HAProxy gives it: a front, the releases and their sum."""
        self.asked += 1
        rows = [f"releases,{name},0,0,{count},9" for name, count in self.sessions.items()]
        return "\n".join([HEADER, "public,FRONTEND,,,7,9", *rows, "releases,BACKEND,0,0,7,9", ""])


@contextmanager
def serving() -> Iterator[Proxy]:
    """Run a proxy until the end of the block."""
    proxy = Proxy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            proxy.before()
            body = proxy.csv().encode() if self.path.startswith("/stats") else b""
            status = proxy.statuses.get(proxy.release, proxy.status)
            self.send_response(200 if body else status)
            self.send_header("Curtainup-Release", proxy.release)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with loopback.serving(Handler) as port:
        proxy.port = port
        yield proxy
