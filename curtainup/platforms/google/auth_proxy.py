"""A local proxy, the door, to a URL that requires an identity: it adds the headers that prove one.

Acceptance tests know nothing about identities. Through the door they run unchanged against a service that
the public may not call yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import urllib3

from curtainup.util.peers import OwnHTTPServer

HOP_BY_HOP = frozenset(  # RFC 9110, section 7.6.1
    ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"]
)
OWN = HOP_BY_HOP | {"content-length", "host"}
"""The headers that the door does not pass on, but sets itself on each side."""
TIMEOUT = urllib3.Timeout(connect=10, read=300)
CHUNK = 65536


class _Door(OwnHTTPServer):
    """A server that knows where to send requests, and which headers to add."""

    def __init__(self, url: str, added: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Visitor)
        self.url = url.rstrip("/")
        self.added = {"Host": urlsplit(url).netloc, **added}
        self.replaced = {name.lower() for name in self.added} | OWN
        self.pool = urllib3.PoolManager(timeout=TIMEOUT, retries=False)


@contextmanager
def door(url: str, headers: Mapping[str, str]) -> Iterator[str]:
    """Open a door on the loopback interface, and yield its URL.

    Args:
        url: the destination of the requests, without a path.
        headers: headers to add to each request; they replace the client's headers of the same name.

    """
    server = _Door(url, headers)
    thread = Thread(target=server.serve_forever, name="door", daemon=True, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        server.pool.clear()


class _Visitor(BaseHTTPRequestHandler):
    """One connection; passes its requests on."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    """Else an answer on a kept connection takes 40 ms: its head and its body are sent apart."""
    server: _Door

    def __getattr__(self, name: str) -> Any:
        """Handle every HTTP method in the same way: http.server looks for `do_METHOD`."""
        if name.startswith("do_"):
            return self._pass_on
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Print nothing, because the tests report their own requests."""

    def _pass_on(self) -> None:
        server = self.server
        kept = {name: value for name, value in self.headers.items() if name.lower() not in server.replaced}
        try:
            answer = server.pool.request(
                self.command,
                server.url + self.path,
                body=self._body(),
                headers={**kept, **server.added},
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            self.send_error(502, "Bad Gateway", str(error))
            return
        try:
            self._give_back(answer)
        finally:
            answer.release_conn()

    def _body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(self._chunks())
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length) if length else None

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            continue

    def _give_back(self, answer: urllib3.BaseHTTPResponse) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.headers.iteritems():
            if name.lower() not in OWN:
                self.send_header(name, value)
        if self.command == "HEAD" or answer.status in {204, 304}:
            length = answer.headers.get("Content-Length")
            if length is not None:
                self.send_header("Content-Length", length)
            self.end_headers()
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in answer.stream(CHUNK, decode_content=False):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")
