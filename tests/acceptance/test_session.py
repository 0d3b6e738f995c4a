from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat

import pytest
import requests
from curtainup_acceptance import session
from curtainup_acceptance.session import RETRIES, ServiceSession, join

from tests.gates.peers import endless, peer
from tests.gates.serving import BROKEN, Answer, Answers, Served, serve

BUSY = Answer("busy", 503, {"Retry-After": "3600"})


def _in_turn(*answers: Answer) -> Answers:
    """The answers one after another, and then the last one again and again."""
    turns = chain(answers, repeat(answers[-1]))
    return lambda _: next(turns)


@pytest.fixture
def recovering() -> Iterator[Served]:
    with serve(_in_turn(BUSY, BUSY, Answer())) as served:
        yield served


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/ping", "http://shop:8080/ping"),
        ("ping", "http://shop:8080/ping"),
        ("", "http://shop:8080/"),
        ("/login?next=http://a/b", "http://shop:8080/login?next=http://a/b"),
        ("https://elsewhere/ping", "https://elsewhere/ping"),
    ],
)
def test_paths_are_joined_to_the_base_url(path: str, url: str) -> None:
    assert join("http://shop:8080", path) == url


def test_a_service_that_is_busy_for_a_moment_is_asked_again_and_sets_no_wait(recovering: Served) -> None:
    with ServiceSession(recovering.url) as http:
        assert http.get("/ping").status_code == 200

    assert len(recovering.asked) == 3


def test_a_service_that_stays_busy_says_so_after_few_attempts() -> None:
    with serve(_in_turn(BUSY)) as served, ServiceSession(served.url) as http:
        assert http.get("/ping").status_code == 503

    assert len(served.asked) == 1 + RETRIES


def test_only_idempotent_requests_are_repeated(recovering: Served) -> None:
    with ServiceSession(recovering.url) as http:
        assert http.post("/orders").status_code == 503

    assert len(recovering.asked) == 1


@pytest.mark.parametrize(("broken", "asked"), [(1, 2), (2, 2)])
def test_a_broken_connection_is_tried_once_more(broken: int, asked: int) -> None:
    answers = [Answer(status=BROKEN)] * broken + [Answer()]

    with serve(_in_turn(*answers)) as served, ServiceSession(served.url) as http:
        if broken == 1:
            assert http.get("/ping").ok
        else:
            with pytest.raises(requests.ConnectionError):
                http.get("/ping")

    assert len(served.asked) == asked


def test_a_broken_post_is_not_sent_again() -> None:
    with serve(_in_turn(Answer(status=BROKEN))) as served, ServiceSession(served.url) as http:  # noqa: SIM117
        with pytest.raises(requests.ConnectionError):
            http.post("/orders")

    assert len(served.asked) == 1


def test_other_errors_are_the_tests_to_judge() -> None:
    with serve(_in_turn(Answer(status=500))) as served, ServiceSession(served.url) as http:
        assert http.get("/ping").status_code == 500

    assert len(served.asked) == 1


def test_nothing_waits_for_ever() -> None:
    cut_short = Answer(headers={"Content-Length": "1000"})

    with serve(_in_turn(cut_short)) as served, ServiceSession(served.url, 0.05) as http:  # noqa: SIM117
        with pytest.raises(requests.RequestException):
            http.get("/ping")


def test_a_test_sets_its_own_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "READ_TIMEOUT", None)
    cut_short = Answer(headers={"Content-Length": "1000"})

    with serve(_in_turn(cut_short)) as served, ServiceSession(served.url) as http:  # noqa: SIM117
        with pytest.raises(requests.RequestException):
            http.get("/ping", timeout=0.05)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX-A: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    monkeypatch.setattr(session, "LONGEST", 0.5)
    monkeypatch.setattr(session, "CONNECT_TIMEOUT", 0.5)
    with peer(lambda: endless(head, b"x")) as url, ServiceSession(url, 2.0) as http:  # noqa: SIM117
        with pytest.raises(requests.Timeout, match="no whole answer"):
            http.get("/ping")


def test_an_answer_that_is_too_large_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MOST", 1000)
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    with peer(lambda: endless(head, b"x" * 100), pause=0) as url, ServiceSession(url) as http:  # noqa: SIM117
        with pytest.raises(requests.RequestException, match="larger"):
            http.get("/ping")
