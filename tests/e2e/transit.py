"""A stand-in of Vault's transit engine: it encrypts and decrypts with a key that never leaves it."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from cryptography.fernet import Fernet

from tests import loopback

TOKEN = "s.deployer"
KEY = "curtainup"


class _Transit(BaseHTTPRequestHandler):
    seal: Fernet

    def do_PUT(self) -> None:
        """Answer as the API does (`/transit/encrypt/:name`, `/transit/decrypt/:name`)."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["X-Vault-Token"] != TOKEN:
            self._answer(403, {"errors": ["permission denied"]})
        elif self.path == f"/v1/transit/encrypt/{KEY}":
            sealed = self.seal.encrypt(base64.b64decode(asked["plaintext"])).decode()
            self._answer(200, {"data": {"ciphertext": f"vault:v1:{sealed}"}})
        elif self.path == f"/v1/transit/decrypt/{KEY}":
            opened = self.seal.decrypt(asked["ciphertext"].removeprefix("vault:v1:"))
            self._answer(200, {"data": {"plaintext": base64.b64encode(opened).decode()}})
        else:
            self._answer(404, {"errors": []})

    do_POST = do_PUT  # noqa: N815 - the server's name for it

    def _answer(self, code: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving() -> Iterator[dict[str, str]]:
    """Give the variables that lead to the stand-in."""
    kind = type("_Own", (_Transit,), {"seal": Fernet(base64.urlsafe_b64encode(os.urandom(32)))})
    with loopback.serving(kind) as port:
        yield {"VAULT_SERVER_URL": f"http://127.0.0.1:{port}", "VAULT_SERVER_TOKEN": TOKEN}
