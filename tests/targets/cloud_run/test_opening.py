from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from itertools import count
from threading import Event

import pytest

from curtainup.errors import Interrupted, ReleaseUnhealthy
from curtainup.targets.cloud_run import opening
from tests import loopback

Serve = Callable[..., str]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "PAUSE", 0.01)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve answers with these statuses, the last of them for ever."""

    def start(*statuses: int) -> str:
        left = list(statuses)

        class Front(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(left.pop(0) if len(left) > 1 else left[0])
                self.end_headers()

        return f"http://127.0.0.1:{servers.enter_context(loopback.serving(Front))}"

    with ExitStack() as servers:
        yield start


def test_it_waits_until_the_public_gets_in_and_says_so(serve: Serve) -> None:
    said: list[str] = []
    opening.wait(serve(403, 401, 200), "/ping", said.append, Event())
    assert said == [f"waiting until the public may call it: HTTP {status}" for status in (403, 401)]


def test_one_front_that_has_learnt_of_it_is_not_enough(serve: Serve) -> None:
    said: list[str] = []
    opening.wait(serve(403, 200, 200, 403, 200), "/ping", said.append, Event())
    assert len(said) == 2


@pytest.mark.parametrize("status", [200, 404, 500])
def test_any_other_answer_is_the_service_s_own(serve: Serve, status: int) -> None:
    said: list[str] = []
    opening.wait(serve(status), "/ping", said.append, Event())
    assert said == []


def test_no_answer_is_not_for_this_wait_to_judge() -> None:
    opening.wait("http://127.0.0.1:1", "/ping", lambda _: None, Event())


def test_a_grant_that_is_not_enforced_in_ten_minutes_ends_the_wait(serve: Serve) -> None:
    minutes = count()
    with pytest.raises(ReleaseUnhealthy, match="after 10 min: HTTP 403") as caught:
        opening.wait(serve(403), "/ping", lambda _: None, Event(), lambda: 60.0 * next(minutes))
    assert "gcp_public_grant" in str(caught.value.fix)
    assert next(minutes) > 10


def test_ctrl_c_ends_the_wait(serve: Serve) -> None:
    cancelled = Event()
    cancelled.set()
    with pytest.raises(Interrupted):
        opening.wait(serve(403), "/ping", lambda _: None, cancelled)
