"""Peers that send whatever a test wants, and may never end."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

HEAD = b"HTTP/1.1 200 OK\r\n"
Script = Callable[[], Iterable[bytes]]


@contextmanager
def peer(script: Script, pause: float = 0.02) -> Iterator[str]:
    """Answer each connection with the pieces of a script, with a pause between them, until the block ends."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(10)
            connection.recv(65536)
            for piece in script():
                connection.sendall(piece)
                if over.wait(pause):
                    return

    def accept() -> None:
        with suppress(OSError):
            while True:
                threads.append(threading.Thread(target=answer, args=(listener.accept()[0],)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()


def endless(first: bytes, piece: bytes) -> Iterator[bytes]:
    return itertools.chain([first], itertools.repeat(piece))


def bytes_of(text: bytes) -> Iterator[bytes]:
    return (text[at : at + 1] for at in range(len(text)))
