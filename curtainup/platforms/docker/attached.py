"""A terminal, or files, at a process in a container: what the one writes, the other reads.

Without a terminal the engine sends frames, as its API describes below `ContainerAttach`: a byte for the
stream, three zeros, and the length in four bytes, the highest first.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curtainup.util.terminal import Terminal, signals

if TYPE_CHECKING:
    from docker import APIClient

DETACH = "ctrl-^,ctrl-],ctrl-^"
"""Keys that leave the process alone; those of the engine's default are needed in every shell."""
CHUNK = 65536
_FRAME = struct.Struct(">BxxxL")
_STDERR = 2


class Lost(Exception):
    """The connection to the engine ended before the process."""


class Late(Exception):
    """The process took longer than it may."""


@dataclass
class Frames:
    """Takes what the engine sends apart into what belongs to standard output and to standard error."""

    _left: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[tuple[bool, bytes]]:
        """Return the whole frames so far: whether each is of standard error, and what it holds."""
        self._left += data
        found = []
        while len(self._left) >= _FRAME.size:
            stream, length = _FRAME.unpack_from(self._left)
            end = _FRAME.size + length
            if len(self._left) < end:
                break
            found.append((stream == _STDERR, bytes(self._left[_FRAME.size : end])))
            del self._left[:end]
        return found


def pump(given: Any, terminal: Terminal, *, is_tty: bool, on_signal: Callable[[int], None]) -> None:
    """Connect a terminal with a process until the process has closed its side.

    The end of standard input is passed on. When nobody reads standard output any more, the rest is dropped.

    Args:
        given: what the SDK returns for an attached process.
        terminal: of the deployer.
        is_tty: whether the process has a terminal, and the engine sends no frames.
        on_signal: takes the number of each signal that comes meanwhile.

    Raises:
        Lost: the connection broke.

    """
    connection = _socket(given)
    connection.settimeout(None)
    frames, stop = Frames(), os.pipe()
    feeding = threading.Thread(
        target=_feed, args=(terminal.stdin, connection, stop[0]), name="standard-input", daemon=True
    )

    def show(data: bytes) -> None:
        pieces = [(False, data)] if is_tty else frames.feed(data)
        for is_error, piece in pieces:
            with suppress(BrokenPipeError):
                terminal.write(piece, to_stderr=is_error)

    try:
        with signals() as told, terminal.raw():
            show(_buffered(given, connection))
            feeding.start()
            _receive(connection, told, show, on_signal)
    finally:
        os.write(stop[1], b"x")
        with suppress(OSError):  # whoever still sends to a process that reads nothing stops
            connection.shutdown(socket.SHUT_RDWR)
        if feeding.ident is not None:
            feeding.join()
        os.close(stop[0])
        os.close(stop[1])
        close(given)


def output(given: Any, within: float | None = None) -> Iterator[tuple[bool, bytes]]:
    """Give what a process without a terminal writes, until it has closed its side, and close ours.

    Args:
        given: what the SDK returns for an attached process.
        within: seconds in all that it may take; None for a process that takes its time.

    Yields:
        whether it is of standard error, and what it is.

    Raises:
        Lost: the connection broke.
        Late: it took longer.

    """
    connection, frames = _socket(given), Frames()
    end = None if within is None else time.monotonic() + within
    try:
        yield from frames.feed(_buffered(given, connection))
        while data := _received(connection, end):
            yield from frames.feed(data)
    except OSError as error:
        raise Lost(str(error)) from error
    finally:
        close(given)


def _received(connection: socket.socket, end: float | None) -> bytes:
    left = None if end is None else end - time.monotonic()
    if left is not None and left <= 0:
        raise Late
    connection.settimeout(left)
    try:
        return connection.recv(CHUNK)
    except TimeoutError:
        raise Late from None


def close(given: Any) -> None:
    """Close what the SDK returns for an attached process, with the socket below it."""
    connection, response = _socket(given), getattr(given, "_response", None)
    if response is not None:
        response.close()
    given.close()
    connection.close()


def _receive(
    connection: socket.socket,
    told: int,
    show: Callable[[bytes], None],
    on_signal: Callable[[int], None],
) -> None:
    while True:
        ready, _, _ = select.select([connection.fileno(), told], [], [])
        if told in ready:
            for number in os.read(told, 16):
                on_signal(number)
        if connection.fileno() in ready:
            try:
                data = connection.recv(CHUNK)
            except OSError as error:
                raise Lost(str(error)) from error
            if not data:
                return
            show(data)


def _feed(stdin: int, connection: socket.socket, stop: int) -> None:
    """Pass standard input on until it ends, or the process does."""
    with suppress(OSError):  # the process, or the terminal, is gone
        while True:
            ready, _, _ = select.select([stdin, stop], [], [])
            if stop in ready:
                return
            data = os.read(stdin, CHUNK)
            if not data:
                connection.shutdown(socket.SHUT_WR)
                return
            connection.sendall(data)


def _socket(given: Any) -> socket.socket:
    """Return the socket itself: the SDK may give a file around it."""
    found: socket.socket = getattr(given, "_sock", given)
    return found


def _buffered(given: Any, connection: socket.socket) -> bytes:
    """Return what came so early that the SDK has read it with the answer's head."""
    response = getattr(given, "_response", None)
    if response is None:
        return b""
    file = response.raw._fp.fp  # noqa: SLF001 - the SDK takes the socket from there too
    connection.setblocking(False)
    try:
        early: bytes = file.peek(1)
        return file.read(len(early)) if early else b""
    except ssl.SSLWantReadError:
        return b""
    finally:
        connection.setblocking(True)


def exit_code_of(api: APIClient, job: str) -> int | None:
    """Return the exit code of what was run by `exec` in a container; None while it goes on."""
    found = api.exec_inspect(job)["ExitCode"]
    return None if found is None else int(found)
