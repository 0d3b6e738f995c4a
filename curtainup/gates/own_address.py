"""Suites that take the loopback address for a server which the developer runs by hand.

PyMacaron's `pymtest` gave the container's own address. A suite that compares `PYM_SERVER_HOST` with
127.0.0.1 or localhost would take the local gate for something else.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path

from curtainup.gates.arguments import ACCEPTANCE_TESTS

SECONDS = 0.5
"""How long a container's address may take to accept or refuse a connection."""
_GIVES_HOST = ("PYM_SERVER_HOST", "PyMacaronTestCase")
"""Names by which a suite gets the host: the variable, and PyMacaron's class, which reads it."""
_COMPARED = re.compile(
    r"""(==|!=|\bin\b|startswith\(|match\()\s*[\[({]?\s*r?["'](localhost|127\.0|172\.|\^?172)"""
)


def is_relied_on(service_dir: Path) -> bool:
    """Return whether the acceptance tests compare the host that they get with the loopback address."""
    texts = [
        file.read_text(encoding="utf-8", errors="replace")
        for file in (service_dir / ACCEPTANCE_TESTS).rglob("*.py")
    ]
    asks = any(name in text for name in _GIVES_HOST for text in texts)
    return asks and any(_COMPARED.search(text) for text in texts)


def is_reached(host: str, port: int) -> bool:
    """Return whether a container's own address is reached from here; not so with an engine elsewhere."""
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
    except ConnectionRefusedError:
        return True  # nobody listens yet
    except OSError:
        return False
    return True
