from __future__ import annotations

from collections.abc import Iterator

import pytest

from curtainup.errors import CurtainupError, EngineFailed, StagingGateFailed
from curtainup.reporting import render_error
from curtainup.reporting.concealing import conceal
from curtainup.util import hidden
from curtainup.util.redaction import redactor
from curtainup.util.secrets import Secret

REDACT = redactor([Secret("live"), Secret("1"), Secret("correct horse battery")])


@pytest.fixture
def process() -> Iterator[None]:
    """Forget what a test hides."""
    yield
    hidden._secrets.clear()


def test_our_sentences_keep_their_words_and_lose_secrets() -> None:
    error = StagingGateFailed(
        "live is as it was: correct horse battery",
        where="http://127.0.0.1:8000/live",
        fix="curtainup status",
        detail="E  live is 1 (horse battery)",
    )
    conceal(error, REDACT)
    assert (error.what, error.where) == ("live is as it was: ***", "http://127.0.0.1:8000/live")
    assert error.detail == "E  *** is *** (***)"


@pytest.mark.parametrize("kind", [EngineFailed, CurtainupError])
def test_what_the_engine_or_python_says_is_not_ours(kind: type[CurtainupError]) -> None:
    error = kind("cannot log in with live")
    conceal(error, REDACT)
    assert error.what == "cannot log in with ***"


@pytest.mark.usefixtures("process")
def test_the_error_that_ends_a_run_shows_no_secret_of_the_process() -> None:
    hidden.hide([Secret("zq8-Secret-77Kd")])
    shown = render_error(StagingGateFailed("it says zq8-Secret-77Kd", detail="+ zq8-Secret-77"))
    assert "Secret" not in shown
    assert shown.count("***") == 2


def test_no_error_is_endless_and_none_moves_the_cursor() -> None:
    shown = render_error(StagingGateFailed("x\x9b31m" * 10_000, detail="\x1b[2J\u202e" + "y" * 10_000_000))
    assert len(shown) < 150_000
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown)
