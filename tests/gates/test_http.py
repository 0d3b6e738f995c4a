"""Whatever a peer does, an exchange ends at its deadline, with an error that the probe and the wait know."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from http.client import HTTPException

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curtainup.gates.http import Answer, FetchError, connect, explain, get, get_once
from curtainup.util.plain import one_line
from tests.gates.peers import HEAD, Script, bytes_of, endless, peer

TIMEOUT = 0.5


@pytest.mark.parametrize(
    "script",
    [
        lambda: endless(HEAD, b"X-A: b\r\n"),
        lambda: itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
        lambda: bytes_of(HEAD + b"X-A: " + b"b" * 60_000),
        lambda: bytes_of(b"HTTP/1.1 " + b"2" * 60_000),
        lambda: [HEAD + b"Content-Length: 100000\r\n\r\n", *bytes_of(b"x" * 100_000)],
        lambda: [HEAD + b"\r\n", *bytes_of(b"x" * 100_000)],
        lambda: endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        lambda: endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"T: x\r\n"),
        lambda: endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
        lambda: endless(b"", b""),
    ],
    ids=[
        "headers",
        "continue",
        "header",
        "status",
        "body",
        "until-closed",
        "chunks",
        "trailer",
        "size",
        "none",
    ],
)
def test_no_answer_outlasts_the_deadline(script: Script) -> None:
    with peer(script) as url, pytest.raises(FetchError):
        get_once(url, "/", TIMEOUT)


def test_a_flood_does_not_outlast_the_deadline() -> None:
    flood = b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000
    with peer(lambda: itertools.repeat(flood), pause=0) as url, pytest.raises(FetchError):
        get_once(url, "/", TIMEOUT)


def test_a_slow_answer_that_ends_in_time_is_one() -> None:
    text = (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        + HEAD
        + b"Curtainup-Release: r0000001\r\nContent-Length: 2\r\n\r\nok"
    )
    with peer(lambda: bytes_of(text), pause=0.001) as url:
        assert get_once(url, "/", 10) == Answer(200, "r0000001")


def test_each_request_of_a_kept_connection_has_its_own_deadline() -> None:
    def answer() -> Iterator[bytes]:
        yield HEAD + b"Content-Length: 0\r\n\r\n"
        yield from itertools.repeat(HEAD + b"Content-Length: 0\r\n\r\n", 3)

    with peer(answer, pause=0.3) as url:
        connection = connect(url, 10)
        for _ in range(3):
            assert get(connection, "/", time.monotonic() + 5, {}).status == 200
        connection.close()


def test_a_deadline_that_is_over_sends_nothing() -> None:
    with peer(lambda: [HEAD]) as url:
        connection = connect(url, 10)
        with pytest.raises(TimeoutError):
            get(connection, "/", time.monotonic() - 1, {})


def test_what_a_peer_sends_moves_no_cursor() -> None:
    with peer(lambda: [b"\x1b[2J\x9b31m" * 500 + b"\r\n"]) as url, pytest.raises(HTTPException) as caught:
        get_once(url, "/", 5)
    said = explain(caught.value)
    assert one_line(said) == said
    assert len(said) <= 300


PIECES = (
    *(HEAD, b"HTTP/1.1 100\r\n", b"HTTP/0.9 99999 x\r\n", b"\r\n", b"-1", b"9" * 30, b"\0", b"\xff\xfe"),
    *(b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"0\r\n", b"ffffffffffff\r\n", b"-5\r\n"),
    *(b": x\r\n", b" folded\r\n", b"Curtainup-Release: \x1b[2J\r\n"),
)


@pytest.mark.fuzz
@given(st.binary(max_size=300) | st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
def test_any_bytes_are_an_answer_or_an_error_of_a_request(text: bytes) -> None:
    with peer(lambda: [text], pause=0) as url:
        try:
            said = get_once(url, "/", 2).release or ""
        except FetchError as error:
            said = explain(error)
    assert one_line(said) == said
