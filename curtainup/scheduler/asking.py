"""How a process in the scheduler's container asks the scheduler: by a socket that only that container has.

A question is one line of JSON, and so is each answer. Whoever asks for a run gives the file descriptors that
take its output.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

ADDRESS = "\0curtainup-scheduler"
"""In Linux's abstract namespace, which belongs to the container's network."""
_LONGEST, _PATIENCE = 65536, 5.0


def listen() -> socket.socket:
    """Return the socket of a scheduler.

    Raises:
        OSError: another scheduler works in this container.

    """
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    found.bind(ADDRESS)
    found.listen(16)
    found.setblocking(False)
    return found


class Question:
    """A question that a scheduler has got."""

    def __init__(self, listening: socket.socket) -> None:
        """Take the next one.

        Raises:
            OSError: whoever asked has gone, or takes too long.
            ValueError: it is none.

        """
        self._connection, _ = listening.accept()
        self._connection.settimeout(_PATIENCE)
        self.files: list[int] = []
        try:
            data, self.files, _, _ = socket.recv_fds(self._connection, _LONGEST, 2)
            self.asked = _asked(data)
        except (OSError, ValueError):
            self._close()
            raise

    def answer(self, **told: Any) -> None:
        """Answer, and close all that came with it; whoever asked may have gone."""
        with suppress(OSError):
            self._connection.sendall(json.dumps(told).encode())
        self._close()

    def _close(self) -> None:
        self.close_files()
        self._connection.close()

    def close_files(self) -> None:
        """Close the files that came with it."""
        for one in self.files:
            os.close(one)
        self.files = []


def ask(question: dict[str, Any], files: Sequence[int] = ()) -> dict[str, Any]:
    """Ask the scheduler of this container, and wait for its answer.

    Raises:
        OSError: there is none, or it ended before it had answered.

    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(ADDRESS)
        socket.send_fds(connection, [json.dumps(question).encode()], list(files))
        data = b""
        while piece := connection.recv(_LONGEST):
            data += piece
    if not data:
        raise ConnectionResetError("the scheduler ended before it had answered")
    found: dict[str, Any] = json.loads(data)
    return found


def _asked(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except RecursionError as error:
        raise ValueError("a question with too many brackets") from error
    if not isinstance(found, dict):
        raise ValueError("a question that is no object")
    return found
