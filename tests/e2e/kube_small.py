"""A service on a cluster that is one small file, so that many of its pods fit onto one machine."""

from __future__ import annotations

from curtainup.setup.base_images.catalogue import REFERENCES
from tests.e2e.kube_service import QUICK, Troupe

SMALL = {"memory_limit": "64m", "cpus": 0.03}
"""Forty pods of them leave a node of two processors room for their successors."""
SERVER = """
import http.server, json, os

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = json.dumps({"says": "SAYS", "name": "NAME", "environment": os.environ["PYM_ENV"]}).encode()
        self.send_response(200 if self.path in ("/", "/ping") else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
"""
DOCKERFILE = 'FROM {base}\nCOPY server.py .\nUSER 10001\nCMD ["python3", "-S", "server.py"]\n'


class Small(Troupe):
    """A service of one file, which starts in a moment."""

    def say(self, greeting: str) -> None:
        self.write("server.py", SERVER.replace("SAYS", greeting).replace("NAME", self.name))
        self.commit(f"Say {greeting}")

    def shrink(self) -> None:
        """Leave out what takes time: its framework, its own tests."""
        self.write("Dockerfile", DOCKERFILE.format(base=REFERENCES["base"]))
        for left in ("test", "testaccept", "requirements.txt", "requirements-test.txt", "pytest.ini"):
            self.git("rm", "-r", "-f", "--quiet", "--ignore-unmatch", left)
        self.configure(env_secrets=None, unit_tests=[], **self.on_shared_gateway(), **QUICK | SMALL)
        self.say("first")
