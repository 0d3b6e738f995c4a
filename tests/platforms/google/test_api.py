from __future__ import annotations

import gc

import pytest

from curtainup.errors import SetupError
from curtainup.platforms.google import api
from curtainup.platforms.google.api import Api, Endpoints, Refused
from tests.accounts.google_account import refusal
from tests.accounts.servers import Answer, Request, serving
from tests.gates.peers import HEAD, endless, peer

BUSY = refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Read requests'")


def asked(url: str) -> Exception:
    with pytest.raises((SetupError, Refused)) as caught:
        Api({}, Endpoints(projects=url)).project("shop")
    return caught.value


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "LONGEST", 0.5)
    with peer(lambda: endless(HEAD + b"X-A: ", b"x")) as url:
        error = asked(url)
    assert isinstance(error, SetupError)
    assert "no whole answer came within 0.5 s" in str(error.detail)


@pytest.mark.parametrize("body", [b"no json", b"[" * 100_000, b"[]", b'"x"', b""])
def test_what_is_no_answer_of_the_api_is_an_error_of_ours(body: bytes) -> None:
    gc.collect()  # what earlier tests have left cannot be finalized where the parser is too deep
    with peer(lambda: [HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body]) as url:
        asked(url)


def test_a_call_that_is_one_too_many_is_made_again_later() -> None:
    answers, waited = [BUSY, BUSY, Answer.of({"projectId": "shop"})], list[float]()
    with serving(lambda _: answers.pop(0)) as url:
        found = Api({}, Endpoints(projects=url), waited.append).project("shop")
    assert found == {"projectId": "shop"}
    assert waited == list(api.PATIENCE[:2])


def test_it_is_given_up_after_more_than_a_minute() -> None:
    waited = list[float]()
    with serving(lambda _: BUSY) as url, pytest.raises(Refused, match="Quota exceeded"):
        Api({}, Endpoints(projects=url), waited.append).project("shop")
    assert waited == list(api.PATIENCE)
    assert sum(waited) >= 60, "Google counts what is asked in a minute"


def test_a_run_that_is_cancelled_asks_no_more() -> None:
    asked = list[Request]()

    def answer(one: Request) -> Answer:
        asked.append(one)
        return BUSY

    with serving(answer) as url, pytest.raises(Refused):
        Api({}, Endpoints(projects=url), lambda _: True).project("shop")
    assert len(asked) == 1
