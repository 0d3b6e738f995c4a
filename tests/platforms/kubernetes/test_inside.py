"""A command in a pod, with a server that speaks WebSocket as the API server of Kubernetes does."""

from __future__ import annotations

import json
import os
import pty
import signal
import termios

import pytest
from kubernetes.client import Configuration

from curtainup.errors import Interrupted
from curtainup.platforms.kubernetes import inside
from curtainup.platforms.kubernetes.cluster import Refused
from curtainup.platforms.kubernetes.inside import Lost
from curtainup.util.terminal import Terminal
from tests.platforms.kubernetes.websockets import V4, Peer, serving

SUCCESS = {"status": "Success"}


class Files:
    """What a command reads and writes, where no terminal is."""

    def __init__(self, given: bytes = b"") -> None:
        reading, writing = os.pipe()
        os.write(writing, given)
        os.close(writing)
        self._out, self._err = os.pipe(), os.pipe()
        self.terminal = Terminal(reading, self._out[1], self._err[1])

    def written(self) -> tuple[bytes, bytes]:
        os.close(self.terminal.stdin)
        found = []
        for reading, writing in (self._out, self._err):
            os.close(writing)
            found.append(os.read(reading, 1 << 16))
            os.close(reading)
        return found[0], found[1]


def _run(url: str, terminal: Terminal, token: str = "x") -> int:
    headers = {"authorization": f"Bearer {token}"}
    connection = inside.opened(Configuration(), url, headers, "app", ["sh", "-c", "a b"], terminal)
    return inside.pump(connection, terminal)


def test_its_streams_are_apart_and_the_end_of_its_input_is_told() -> None:
    def work(peer: Peer) -> None:
        peer.send(1, b"")
        assert peer.receive() == b"\x00given"
        assert peer.receive() == bytes([255, 0])
        peer.send(1, b"out")
        peer.send(2, b"err")
        peer.send(1, b"x" * 5000)
        peer.ended({"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "41"}]}})

    files = Files(b"given")
    with serving(work) as (url, asked):
        assert _run(url, files.terminal) == 41
    assert files.written() == (b"out" + b"x" * 5000, b"err")
    assert [value for key, value in asked if key == "command"] == ["sh", "-c", "a b"]
    assert {("container", "app"), ("tty", "false"), ("stdin", "true"), ("stderr", "true")} <= set(asked)


def test_an_older_server_is_not_told_what_it_does_not_know() -> None:
    seen: list[bytes] = []

    def work(peer: Peer) -> None:
        seen.append(peer.receive())
        peer.ended(SUCCESS)
        seen.append(peer.receive())

    files = Files(b"given")
    with serving(work, V4) as (url, _):
        assert _run(url, files.terminal) == 0
    files.written()
    assert seen == [b"\x00given", b""]


def test_a_terminal_has_its_size_and_its_keys() -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (33, 101))
    before = termios.tcgetattr(theirs)

    def work(peer: Peer) -> None:
        size = peer.receive()
        assert (size[0], json.loads(size[1:])) == (4, {"Width": 101, "Height": 33})
        os.write(ours, b"\x03")
        assert peer.receive() == b"\x00\x03"
        os.kill(os.getpid(), signal.SIGWINCH)
        assert peer.receive()[0] == 4
        peer.send(1, b"bye")
        peer.ended(SUCCESS)

    with serving(work) as (url, asked):
        assert _run(url, Terminal(theirs, theirs, theirs)) == 0
    assert os.read(ours, 10) == b"bye"
    assert ("tty", "true") in asked
    assert ("stderr", "false") in asked
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


def test_ctrl_c_without_a_terminal_leaves_the_command_alone() -> None:
    def work(peer: Peer) -> None:
        assert peer.receive() == bytes([255, 0])
        os.kill(os.getpid(), signal.SIGINT)
        assert peer.receive() == b""

    files = Files()
    with serving(work) as (url, _), pytest.raises(Interrupted):
        _run(url, files.terminal)
    files.written()


def test_a_connection_that_breaks_is_lost() -> None:
    files = Files()
    with serving(lambda peer: peer.send(1, b"half")) as (url, _), pytest.raises(Lost):
        _run(url, files.terminal)
    assert files.written()[0] == b"half"


def test_a_refusal_is_one() -> None:
    files = Files()
    with serving(lambda _: None) as (url, _), pytest.raises(Refused) as caught:
        _run(url, files.terminal, "other")
    assert caught.value.status == 403
    files.written()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (b"", "does not say"),
        (b"[]", "does not say"),
        (b'{"status": "Failure", "message": "no such file"}', "no such file"),
        (b'{"status": "Failure", "details": {"causes": [{"reason": "ExitCode"}]}}', "does not say"),
    ],
)
def test_an_end_that_is_not_told_is_an_error(status: bytes, said: str) -> None:
    with pytest.raises(Lost, match=said):
        inside.exit_code(status)
