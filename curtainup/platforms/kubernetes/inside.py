"""A command in a container that runs, by the API's `exec` over a WebSocket.

Each message begins with the number of a channel: 0 to 2 are the standard streams, 3 is how the command ended,
as the API's object `Status`, and 4 takes the size of the terminal (`v4.channel.k8s.io`). Only the next
version (`v5.channel.k8s.io`) can say that standard input has ended: channel 255, and what is closed.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

from kubernetes.client.rest import ApiException  # noqa: TID253 - imported once there is a command to run
from kubernetes.stream.ws_client import create_websocket, get_websocket_url  # noqa: TID253
from websocket import ABNF, WebSocketBadStatusException, WebSocketException

from curtainup.errors import Interrupted
from curtainup.platforms.kubernetes.cluster import Refused
from curtainup.util.deadlines import within
from curtainup.util.terminal import Terminal, signals

PATIENCE = 15.0
"""Seconds in which the API server has to begin."""
STDIN, STDOUT, STDERR, ENDED, SIZE, CLOSE = 0, 1, 2, 3, 4, 255
CLOSES = "v5.channel.k8s.io"
CHUNK = 65536


class Lost(Exception):
    """The connection ended before the command."""


def opened(
    configuration: Any,
    url: str,
    headers: dict[str, str],
    container: str,
    words: Sequence[str],
    terminal: Terminal,
) -> Any:
    """Begin a command, and return the connection to it.

    Args:
        configuration: the Python client's.
        url: of the pod's `exec`.
        headers: prove who asks.
        container: of the pod.
        words: of the command.
        terminal: of the deployer; the command has one if this is one.

    Raises:
        Refused: the API server refuses.
        OSError: it does not answer.

    """
    streams = {"stdin": True, "stdout": True, "stderr": not terminal.is_one, "tty": terminal.is_one}
    asked = [
        *(("command", word) for word in words),
        ("container", container),
        *((name, str(value).lower()) for name, value in streams.items()),
    ]
    whole = get_websocket_url(url, asked)
    try:
        return within(PATIENCE, lambda: create_websocket(configuration, whole, headers))
    except WebSocketBadStatusException as error:
        said = error.resp_body.decode(errors="replace") if error.resp_body else str(error)
        raise Refused(error.status_code, "", said) from error
    except (WebSocketException, ApiException) as error:
        raise ConnectionError(str(error)) from error


def pump(websocket: Any, terminal: Terminal) -> int:
    """Connect a terminal with a command until it has ended; return its exit code.

    Raises:
        Lost: the connection broke, or the API server does not say how the command ended.
        Interrupted: Ctrl-C without a terminal; the command goes on.

    """
    websocket.settimeout(None)
    done, stop = os.pipe(), os.pipe()
    ended: list[bytes] = []
    reading = Thread(target=_show, args=(websocket, terminal, ended, done[1]), daemon=True)
    feeding = Thread(target=_feed, args=(websocket, terminal, stop[0]), daemon=True)
    try:
        with signals() as told, terminal.raw():
            _resize(websocket, terminal)
            reading.start()
            feeding.start()
            _wait(websocket, terminal, told, done[0])
    finally:
        os.write(stop[1], b"x")
        _hang_up(websocket)
        for thread in (reading, feeding):
            if thread.ident is not None:
                thread.join(PATIENCE)
        websocket.shutdown()
        for one in (*done, *stop):
            os.close(one)
    return exit_code(ended[-1] if ended else b"")


def exit_code(status: bytes) -> int:
    """Return the exit code that a `Status` tells: of a command that could not be started 126, as in shells.

    Raises:
        Lost: it is none.

    """
    try:
        said = json.loads(status)
        if said["status"] == "Success":
            return 0
        causes = (said.get("details") or {}).get("causes") or []
        return next(int(one["message"]) for one in causes if one.get("reason") == "ExitCode")
    except StopIteration:
        raise Lost(str(said.get("message") or "the command could not be started")) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Lost("the API server does not say how the command ended") from error


def _wait(websocket: Any, terminal: Terminal, told: int, done: int) -> None:
    while True:
        ready, _, _ = select.select([told, done], [], [])
        if told in ready:
            for number in os.read(told, 16):
                if number != signal.SIGWINCH:
                    raise Interrupted("interrupted", consequence="the command may go on in the pod")
                _resize(websocket, terminal)
        if done in ready:
            return


def _show(websocket: Any, terminal: Terminal, ended: list[bytes], done: int) -> None:
    """Write what comes until the connection ends."""
    with suppress(WebSocketException, OSError):
        while True:
            kind, data = websocket.recv_data()
            if kind == ABNF.OPCODE_CLOSE or not data:
                break
            channel, text = data[0], data[1:]
            if channel == ENDED:
                ended.append(text)
            elif channel in {STDOUT, STDERR} and text:
                with suppress(BrokenPipeError):
                    terminal.write(text, to_stderr=channel == STDERR)
    with suppress(OSError):
        os.write(done, b"x")


def _feed(websocket: Any, terminal: Terminal, stop: int) -> None:
    """Pass standard input on until it ends, or the command does."""
    with suppress(WebSocketException, OSError):
        while True:
            ready, _, _ = select.select([terminal.stdin, stop], [], [])
            if stop in ready:
                return
            data = os.read(terminal.stdin, CHUNK)
            if not data:
                if _protocol(websocket) == CLOSES:
                    websocket.send_binary(bytes([CLOSE, STDIN]))
                return
            websocket.send_binary(bytes([STDIN]) + data)


def _hang_up(websocket: Any) -> None:
    """End the connection for the thread that reads from it too, which would keep a closed socket open."""
    if websocket.sock is not None:
        with suppress(OSError):
            websocket.sock.shutdown(socket.SHUT_RDWR)


def _protocol(websocket: Any) -> str:
    """Return the version that the API server has chosen, as its answer says."""
    return str((websocket.getheaders() or {}).get("sec-websocket-protocol", ""))


def _resize(websocket: Any, terminal: Terminal) -> None:
    if terminal.is_one:
        height, width = terminal.size
        size = json.dumps({"Width": width, "Height": height}).encode()
        with suppress(WebSocketException, OSError):
            websocket.send_binary(bytes([SIZE]) + size)
