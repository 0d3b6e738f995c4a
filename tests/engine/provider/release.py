"""A release for tests of the proxy: says its name, and does what a path asks for.

Run in a container as `python3 -c SOURCE NAME`; standard library only.
"""

import http.server
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    go = threading.Event()
    waiting = threading.Event()
    attempts = 0

    def do_GET(self) -> None:
        Handler.attempts += self.path == "/dies"
        if self.path == "/dies":
            self.close_connection = True
        elif self.path == "/hold":
            self.hold()
        elif self.path == "/stream":
            self.stream()
        elif self.path == "/socket":
            self.echo()
        else:
            self.answer(self.text())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def text(self) -> str:
        if self.path == "/go":
            self.go.set()
        if self.path == "/forget":
            self.go.set()
            Handler.go, Handler.waiting, Handler.attempts = threading.Event(), threading.Event(), 0
        if self.path == "/waiting":
            self.waiting.wait(300)
        if self.path == "/attempts":
            return str(self.attempts)
        if self.path == "/headers":
            return str(self.headers)
        return sys.argv[1]

    def hold(self) -> None:
        self.waiting.set()
        self.go.wait(300)
        self.answer("held")

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (b"first", b"last"):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()
            self.go.wait(300)
        self.wfile.write(b"0\r\n\r\n")

    def echo(self) -> None:
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "echo")
        self.end_headers()
        self.wfile.write(self.rfile.readline())

    def answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("", 8000), Handler)
    server.request_queue_size = 128
    server.serve_forever()
