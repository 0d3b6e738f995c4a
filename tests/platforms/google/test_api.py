from __future__ import annotations

import gc

import pytest

from curtainup.errors import SetupError
from curtainup.platforms.google import api
from curtainup.platforms.google.api import Api, Endpoints, Refused
from tests.gates.peers import HEAD, endless, peer


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
